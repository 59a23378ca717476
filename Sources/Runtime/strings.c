/* Texts: the functions that programs call to read and make them. Arguments are buffers and integers, as kernels get
 * them; Sources/Codegen/Lowering says which. */
#include "runtime.h"

/* buffers: texts of the caller, addresses. scalars: count. */
MARTLET_LOCAL martlet_status martlet_string_import(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                   const char *site) {
  const martlet_string *texts = (const martlet_string *)buffers[0];
  uint64_t *addresses = (uint64_t *)buffers[1];
  int64_t i;
  for (i = 0; i < scalars[0]; ++i) addresses[i] = martlet_text_address(texts + i);
  return martlet_check_texts(frame, texts, scalars[0], site);
}

/* buffers: addresses, texts for the caller. scalars: count. */
MARTLET_LOCAL martlet_status martlet_string_export(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                   const char *site) {
  const uint64_t *addresses = (const uint64_t *)buffers[0];
  martlet_string *texts = (martlet_string *)buffers[1];
  int64_t i;
  (void)frame, (void)site;
  for (i = 0; i < scalars[0]; ++i) texts[i] = *martlet_text(addresses[i]);
  return MARTLET_OK;
}

/* buffers: table, addresses. scalars: count. A table is count + 1 offsets from its start, and bytes. */
MARTLET_LOCAL martlet_status martlet_string_table(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                  const char *site) {
  const unsigned char *table = (const unsigned char *)buffers[0];
  const int64_t *offsets = (const int64_t *)buffers[0];
  uint64_t *addresses = (uint64_t *)buffers[1];
  martlet_status status = MARTLET_OK;
  int64_t i;
  martlet_string *texts =
      (martlet_string *)martlet_keep(frame, scalars[0] * (int64_t)sizeof(martlet_string), &status);
  (void)site;
  if (status) return status;
  for (i = 0; i < scalars[0]; ++i) {
    texts[i].data = (const char *)table + offsets[i];
    texts[i].length = offsets[i + 1] - offsets[i];
    addresses[i] = martlet_text_address(texts + i);
  }
  return MARTLET_OK;
}

/* Walks over two operands that broadcast. shape: rank, extents, steps of a, steps of b. */
typedef struct martlet_walk {
  const int64_t *shape;
  int64_t index[MARTLET_MAXIMUM_RANK];
  int64_t count, a, b;
} martlet_walk;

MARTLET_LOCAL martlet_walk martlet_start_walk(const int64_t *shape) {
  martlet_walk walk = {shape, {0}, 1, 0, 0};
  int64_t axis;
  for (axis = 0; axis < shape[0]; ++axis) walk.count *= shape[1 + axis];
  return walk;
}

MARTLET_LOCAL void martlet_step_walk(martlet_walk *walk) {
  const int64_t rank = walk->shape[0];
  const int64_t *extents = walk->shape + 1, *a = extents + rank, *b = a + rank;
  int64_t axis;
  for (axis = rank - 1; axis >= 0; --axis) {
    walk->a += a[axis];
    walk->b += b[axis];
    if (++walk->index[axis] < extents[axis]) return;
    walk->a -= a[axis] * extents[axis];
    walk->b -= b[axis] * extents[axis];
    walk->index[axis] = 0;
  }
}

MARTLET_LOCAL int martlet_same_bytes(const char *a, const char *b, int64_t length) {
  int64_t i;
  for (i = 0; i < length; ++i)
    if (a[i] != b[i]) return 0;
  return 1;
}

/* buffers: a, b, bools. scalars: what equal texts give, then a walk. */
MARTLET_LOCAL martlet_status martlet_string_equal(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                  const char *site) {
  unsigned char *result = (unsigned char *)buffers[2];
  martlet_walk walk = martlet_start_walk(scalars + 1);
  int64_t i;
  (void)frame, (void)site;
  for (i = 0; i < walk.count; ++i, martlet_step_walk(&walk)) {
    const martlet_string *a = martlet_text(((const uint64_t *)buffers[0])[walk.a]);
    const martlet_string *b = martlet_text(((const uint64_t *)buffers[1])[walk.b]);
    const int same = a->length == b->length && martlet_same_bytes(a->data, b->data, a->length);
    result[i] = same == (scalars[0] != 0);
  }
  return MARTLET_OK;
}

/* Room for so many texts and all their bytes, which lie behind them. */
MARTLET_LOCAL martlet_string *martlet_keep_texts(martlet_frame *frame, int64_t count, int64_t bytes,
                                                 martlet_status *status) {
  return (martlet_string *)martlet_keep(
      frame, martlet_size_add(martlet_size_multiply(count, (int64_t)sizeof(martlet_string)), bytes), status);
}

/* buffers: a, b, addresses. scalars: a walk. */
MARTLET_LOCAL martlet_status martlet_string_concat(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                   const char *site) {
  const uint64_t *first = (const uint64_t *)buffers[0], *second = (const uint64_t *)buffers[1];
  uint64_t *addresses = (uint64_t *)buffers[2];
  martlet_walk walk = martlet_start_walk(scalars);
  martlet_status status = MARTLET_OK;
  martlet_string *texts;
  int64_t bytes = 0, i;
  char *to;
  (void)site;
  for (i = 0; i < walk.count; ++i, martlet_step_walk(&walk)) {
    bytes = martlet_size_add(bytes, martlet_text(first[walk.a])->length);
    bytes = martlet_size_add(bytes, martlet_text(second[walk.b])->length);
  }
  texts = martlet_keep_texts(frame, walk.count, bytes, &status);
  if (status) return status;
  to = (char *)(texts + walk.count);
  walk = martlet_start_walk(scalars);
  for (i = 0; i < walk.count; ++i, martlet_step_walk(&walk)) {
    const martlet_string *a = martlet_text(first[walk.a]), *b = martlet_text(second[walk.b]);
    texts[i].data = to;
    texts[i].length = a->length + b->length;
    if (a->length) __builtin_memcpy(to, a->data, (size_t)a->length);
    if (b->length) __builtin_memcpy(to + a->length, b->data, (size_t)b->length);
    to += texts[i].length;
    addresses[i] = martlet_text_address(texts + i);
  }
  return MARTLET_OK;
}

/* Bytes of the character in UTF-8 at `text`; 1, and a value that is none, where the bytes are no character. */
MARTLET_LOCAL int64_t martlet_character(const char *text, int64_t length, uint32_t *value) {
  const unsigned char first = (unsigned char)text[0];
  const int64_t bytes = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  const uint32_t least = bytes == 4 ? 0x10000 : bytes == 3 ? 0x800 : 0;
  int64_t i;
  *value = UINT32_MAX;
  if (!bytes || bytes > length) return 1;
  *value = bytes == 1 ? first : first & (0x7fU >> bytes);
  for (i = 1; i < bytes; ++i) {
    if (((unsigned char)text[i] & 0xc0) != 0x80) {
      *value = UINT32_MAX;
      return 1;
    }
    *value = *value << 6 | ((unsigned char)text[i] & 0x3f);
  }
  if (*value < least || *value > 0x10ffff || (*value >= 0xd800 && *value < 0xe000)) {
    *value = UINT32_MAX;
    return 1;
  }
  return bytes;
}

/* What characters become, in ascending order. */
typedef struct martlet_case {
  uint32_t from;
  unsigned char length;
  char bytes[11];
} martlet_case;

/* Writes a text in its other case to `to`, if that is there, and returns how many bytes it has. */
MARTLET_LOCAL int64_t martlet_convert_case(const martlet_string *text, const martlet_case *table, int64_t entries,
                                           char *to) {
  int64_t at = 0, bytes = 0;
  while (at < text->length) {
    uint32_t value;
    const int64_t length = martlet_character(text->data + at, text->length - at, &value);
    int64_t low = 0, high = entries;
    const char *from = text->data + at;
    int64_t count = length;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (table[middle].from < value) low = middle + 1;
      else high = middle;
    }
    if (low < entries && table[low].from == value) {
      from = table[low].bytes;
      count = table[low].length;
    }
    if (to) __builtin_memcpy(to + bytes, from, (size_t)count);
    bytes += count;
    at += length;
  }
  return bytes;
}

/* buffers: x, table, addresses. scalars: count, entries of the table. */
MARTLET_LOCAL martlet_status martlet_string_case(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                 const char *site) {
  const uint64_t *given = (const uint64_t *)buffers[0];
  const martlet_case *table = (const martlet_case *)buffers[1];
  uint64_t *addresses = (uint64_t *)buffers[2];
  martlet_status status = MARTLET_OK;
  martlet_string *texts;
  int64_t bytes = 0, i;
  char *to;
  (void)site;
  for (i = 0; i < scalars[0]; ++i)
    bytes = martlet_size_add(bytes, martlet_convert_case(martlet_text(given[i]), table, scalars[1], NULL));
  texts = martlet_keep_texts(frame, scalars[0], bytes, &status);
  if (status) return status;
  to = (char *)(texts + scalars[0]);
  for (i = 0; i < scalars[0]; ++i) {
    texts[i].data = to;
    texts[i].length = martlet_convert_case(martlet_text(given[i]), table, scalars[1], to);
    to += texts[i].length;
    addresses[i] = martlet_text_address(texts + i);
  }
  return MARTLET_OK;
}

/* Less than zero, zero or more, byte by byte, and a text before what it begins. */
MARTLET_LOCAL int64_t martlet_compare_bytes(const char *a, int64_t a_length, const char *b, int64_t b_length) {
  const int64_t shorter = martlet_min(a_length, b_length);
  int64_t i;
  for (i = 0; i < shorter; ++i)
    if (a[i] != b[i]) return (int64_t)(unsigned char)a[i] - (int64_t)(unsigned char)b[i];
  return a_length - b_length;
}

/* buffers: x, table, numbers. scalars: count, keys in the table, keys of the op. The table has keys + 1 offsets from its
 * start, the number of each key, and bytes; keys ascend. */
MARTLET_LOCAL martlet_status martlet_string_find(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                 const char *site) {
  const uint64_t *given = (const uint64_t *)buffers[0];
  const char *table = (const char *)buffers[1];
  const int64_t *offsets = (const int64_t *)buffers[1], *numbers = offsets + scalars[1] + 1;
  int64_t *result = (int64_t *)buffers[2];
  int64_t i;
  (void)frame, (void)site;
  for (i = 0; i < scalars[0]; ++i) {
    const martlet_string *text = martlet_text(given[i]);
    int64_t low = 0, high = scalars[1];
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (martlet_compare_bytes(table + offsets[middle], offsets[middle + 1] - offsets[middle], text->data,
                                text->length) < 0)
        low = middle + 1;
      else high = middle;
    }
    result[i] = low < scalars[1] && offsets[low + 1] - offsets[low] == text->length &&
                        martlet_same_bytes(table + offsets[low], text->data, text->length)
                    ? numbers[low]
                    : scalars[2];
  }
  return MARTLET_OK;
}

/* buffers: x, table, bools. scalars: count, states. The table has the class of each byte (256 bytes), the number of
 * classes less one as a byte in front of seven others, and for each state whether it accepts and where each class leads, all
 * u16. The first state is where texts begin. */
MARTLET_LOCAL martlet_status martlet_string_match(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                  const char *site) {
  const uint64_t *given = (const uint64_t *)buffers[0];
  const unsigned char *classes = (const unsigned char *)buffers[1];
  const int64_t width = 2 + (int64_t)classes[256];
  const uint16_t *states = (const uint16_t *)(const void *)(classes + 264);
  unsigned char *result = (unsigned char *)buffers[2];
  int64_t i, at;
  (void)frame, (void)site;
  for (i = 0; i < scalars[0]; ++i) {
    const martlet_string *text = martlet_text(given[i]);
    const uint16_t *state = states;
    for (at = 0; at < text->length; ++at) state = states + width * state[1 + classes[(unsigned char)text->data[at]]];
    result[i] = state[0] != 0;
  }
  return MARTLET_OK;
}

/* Bytes of the white space at `at`; 0 where there is none. */
MARTLET_LOCAL int64_t martlet_space(const martlet_string *text, int64_t at) {
  const unsigned char *bytes = (const unsigned char *)text->data + at;
  const int64_t rest = text->length - at;
  if ((bytes[0] >= 9 && bytes[0] <= 13) || (bytes[0] >= 28 && bytes[0] <= 32)) return 1;
  if (bytes[0] == 0xc2 && rest > 1) return bytes[1] == 0x85 || bytes[1] == 0xa0 ? 2 : 0;
  if (rest < 3) return 0;
  if (bytes[0] == 0xe1) return bytes[1] == 0x9a && bytes[2] == 0x80 ? 3 : 0;
  if (bytes[0] == 0xe3) return bytes[1] == 0x80 && bytes[2] == 0x80 ? 3 : 0;
  if (bytes[0] != 0xe2) return 0;
  if (bytes[1] == 0x81) return bytes[2] == 0x9f ? 3 : 0;
  if (bytes[1] != 0x80) return 0;
  return (bytes[2] >= 0x80 && bytes[2] <= 0x8a) || bytes[2] == 0xa8 || bytes[2] == 0xa9 || bytes[2] == 0xaf ? 3 : 0;
}

/* Calls for a text's pieces, one after the other: 0 when there are no more. *at is where the next one begins, less than
 * zero once the last has been given. */
MARTLET_LOCAL int martlet_next_piece(const martlet_string *text, const char *delimiter, int64_t length, int64_t limit,
                                     int64_t number, int64_t *at, martlet_string *piece) {
  int64_t start = *at, end, skip;
  /* An empty text has no pieces. */
  if (start < 0 || !text->length) return 0;
  if (length) {
    for (end = start; end + length <= text->length && (limit < 0 || number < limit); ++end)
      if (martlet_same_bytes(text->data + end, delimiter, length)) {
        piece->data = text->data + start;
        piece->length = end - start;
        *at = end + length;
        return 1;
      }
    piece->data = text->data + start;
    piece->length = text->length - start;
    *at = -1;
    return 1;
  }
  while (start < text->length && (skip = martlet_space(text, start)) > 0) start += skip;
  if (start >= text->length) return 0;
  piece->data = text->data + start;
  if (limit >= 0 && number == limit) {
    /* The rest, without the white space behind it. */
    end = text->length;
    do {
      for (skip = 1; skip <= 3; ++skip)
        if (skip <= end - start && martlet_space(text, end - skip) == skip) break;
      if (skip <= 3) end -= skip;
    } while (skip <= 3);
    *at = -1;
  } else {
    for (end = start; end < text->length && !martlet_space(text, end);) ++end;
    *at = end;
  }
  piece->length = end - start;
  return 1;
}

/* buffers: x, delimiter, numbers of pieces, the largest of them. scalars: count, bytes of the delimiter, limit. */
MARTLET_LOCAL martlet_status martlet_string_count(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                  const char *site) {
  const uint64_t *given = (const uint64_t *)buffers[0];
  int64_t *numbers = (int64_t *)buffers[2], most = 0, i;
  (void)frame, (void)site;
  for (i = 0; i < scalars[0]; ++i) {
    martlet_string piece;
    int64_t at = 0, number = 0;
    while (martlet_next_piece(martlet_text(given[i]), (const char *)buffers[1], scalars[1], scalars[2], number, &at,
                              &piece))
      ++number;
    numbers[i] = number;
    most = martlet_max(most, number);
  }
  *(int64_t *)buffers[3] = most;
  return MARTLET_OK;
}

/* buffers: x, delimiter, addresses. scalars: as before, then the largest number. Pieces are parts of what they are
 * pieces of. */
MARTLET_LOCAL martlet_status martlet_string_split(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                  const char *site) {
  const uint64_t *given = (const uint64_t *)buffers[0];
  uint64_t *addresses = (uint64_t *)buffers[2];
  const int64_t most = scalars[3];
  martlet_status status = MARTLET_OK;
  int64_t i, number;
  martlet_string *texts = martlet_keep_texts(frame, martlet_size_multiply(scalars[0], most), 0, &status);
  (void)site;
  if (status) return status;
  for (i = 0; i < scalars[0]; ++i) {
    int64_t at = 0;
    for (number = 0; number < most; ++number, ++texts, ++addresses) {
      texts->data = NULL;
      texts->length = 0;
      (void)martlet_next_piece(martlet_text(given[i]), (const char *)buffers[1], scalars[1], scalars[2], number, &at,
                               texts);
      *addresses = martlet_text_address(texts);
    }
  }
  return MARTLET_OK;
}
