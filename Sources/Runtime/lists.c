/* Sequences and optional values: the functions that programs call to take them apart and make them. Arguments are
 * buffers and integers, as kernels get them; Sources/Codegen/Lowering says which.
 *
 * A list never changes. One that is another with one more member behind the last shares its descriptors, as long as
 * nobody else has appended to them; whatever else is new gets descriptors of its own. */
#include "runtime.h"

/* How many descriptors there is room for, and how many are in use. */
typedef struct martlet_room {
  int64_t capacity;
  int64_t used;
} martlet_room;

/* A list as programs hold it, in a buffer of 32 bytes. */
typedef struct martlet_list {
  martlet_tensor *members;
  int64_t count;
  martlet_room *room; /* NULL: nothing can be appended in place */
} martlet_list;

typedef char martlet_list_fits[sizeof(martlet_list) <= 32 ? 1 : -1];

/* The type of a member that is a list itself. */
#define MARTLET_MEMBER_LIST MARTLET_TYPE_NONE

MARTLET_LOCAL int64_t martlet_program_bits(int32_t type) {
  return type == MARTLET_STRING ? 64 : martlet_type_bits(type);
}

MARTLET_LOCAL int64_t martlet_count_elements(const int64_t *dims, int64_t rank) {
  int64_t count = 1, axis;
  for (axis = 0; axis < rank; ++axis) count *= dims[axis];
  return count;
}

/* A list of so many descriptors, with room for more behind them. */
MARTLET_LOCAL martlet_status martlet_keep_list(martlet_frame *frame, martlet_list *list, int64_t count,
                                               int64_t capacity) {
  martlet_status status = MARTLET_OK;
  const int64_t bytes = martlet_size_multiply(capacity, (int64_t)sizeof(martlet_tensor));
  martlet_room *room = (martlet_room *)martlet_keep(
      frame, martlet_size_add(bytes, (int64_t)sizeof(martlet_room)), &status);
  if (status) return status;
  room->capacity = capacity;
  room->used = count;
  list->members = (martlet_tensor *)(void *)(room + 1);
  list->count = count;
  list->room = room;
  return MARTLET_OK;
}

/* Makes a descriptor of a value of the program: `dims` has its rank and extents; a list is its record. */
MARTLET_LOCAL martlet_status martlet_keep_member(martlet_frame *frame, martlet_tensor *member, const void *value,
                                                 int32_t type, const int64_t *dims) {
  const int64_t rank = type == MARTLET_MEMBER_LIST ? 1 : dims[0];
  martlet_status status = MARTLET_OK;
  int64_t bytes = 0, axis;
  if (type != MARTLET_MEMBER_LIST) bytes = martlet_dense_bytes(type, dims + 1, (int32_t)rank);
  /* Extents first, as they want less of an alignment than elements. */
  unsigned char *memory = (unsigned char *)martlet_keep(
      frame, martlet_size_add(martlet_align(bytes), (rank ? rank : 1) * (int64_t)sizeof(int64_t)), &status);
  if (status) return status;
  member->dims = (int64_t *)(void *)(memory + martlet_align(bytes));
  member->rank = (int32_t)rank;
  member->type = type;
  member->strides = NULL;
  member->capacity = bytes;
  member->data = memory;
  if (type == MARTLET_MEMBER_LIST) {
    const martlet_list *list = (const martlet_list *)value;
    member->dims[0] = list->count;
    member->data = list->members;
    member->capacity = list->count * (int64_t)sizeof(martlet_tensor);
    return MARTLET_OK;
  }
  for (axis = 0; axis < rank; ++axis) member->dims[axis] = dims[1 + axis];
  if (type == MARTLET_STRING) {
    const int64_t count = martlet_count_elements(member->dims, rank);
    int64_t i;
    for (i = 0; i < count; ++i) ((martlet_string *)member->data)[i] = *martlet_text(((const uint64_t *)value)[i]);
  } else if (bytes) {
    __builtin_memcpy(member->data, value, (size_t)bytes);
  }
  return MARTLET_OK;
}

/* buffers: members, list. scalars: count, their type, then the rank and extents of each. */
MARTLET_LOCAL martlet_status martlet_list_make(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                               const char *site) {
  const int64_t count = scalars[0];
  martlet_list *list = (martlet_list *)buffers[count];
  const int64_t *dims = scalars + 2;
  martlet_status status = martlet_keep_list(frame, list, count, count);
  int64_t i;
  (void)site;
  for (i = 0; i < count && !status; ++i, dims += 1 + dims[0])
    status = martlet_keep_member(frame, &list->members[i], buffers[i], (int32_t)scalars[1], dims);
  return status;
}

/* A place among `count`, counted from the end where it is negative; one of `end` is allowed. */
MARTLET_LOCAL martlet_status martlet_find_place(martlet_frame *frame, int64_t *place, int64_t count, int64_t end,
                                                const char *site) {
  if (*place < -count || *place >= end)
    return martlet_fail(frame->context, MARTLET_INDEX_OUT_OF_RANGE, "%s: place %d of a sequence of %d", site, *place,
                        count);
  if (*place < 0) *place += count;
  return MARTLET_OK;
}

/* buffers: list, member, its place if there is one, result. scalars: whether there is, the member's type, its rank and
 * extents. */
MARTLET_LOCAL martlet_status martlet_list_insert(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                 const char *site) {
  const martlet_list given = *(const martlet_list *)buffers[0];
  martlet_list *list = (martlet_list *)buffers[2 + scalars[0]];
  int64_t place = scalars[0] ? *(const int64_t *)buffers[2] : given.count, i;
  martlet_tensor member;
  martlet_status status = martlet_find_place(frame, &place, given.count, given.count + 1, site);
  if (!status) status = martlet_keep_member(frame, &member, buffers[1], (int32_t)scalars[1], scalars + 2);
  if (status) return status;
  if (place == given.count && given.room && given.room->used == given.count &&
      given.count < given.room->capacity) {
    *list = given;
    list->count = ++given.room->used;
  } else {
    status = martlet_keep_list(frame, list, given.count + 1, martlet_max(4, 2 * given.count));
    if (status) return status;
    for (i = 0; i < given.count; ++i) list->members[i + (i >= place)] = given.members[i];
  }
  list->members[place] = member;
  return MARTLET_OK;
}

/* buffers: list, the place if there is one, result. scalars: whether there is. */
MARTLET_LOCAL martlet_status martlet_list_erase(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                const char *site) {
  const martlet_list given = *(const martlet_list *)buffers[0];
  martlet_list *list = (martlet_list *)buffers[1 + scalars[0]];
  int64_t place = scalars[0] ? *(const int64_t *)buffers[1] : -1, i;
  martlet_status status = martlet_find_place(frame, &place, given.count, given.count, site);
  if (!status) status = martlet_keep_list(frame, list, given.count - 1, given.count - 1);
  if (status) return status;
  for (i = 0; i < list->count; ++i) list->members[i] = given.members[i + (i >= place)];
  return MARTLET_OK;
}

/* buffers: list, its length. scalars: whether only a byte is wanted, which says that it holds something. */
MARTLET_LOCAL martlet_status martlet_list_length(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                 const char *site) {
  const martlet_list *list = (const martlet_list *)buffers[0];
  (void)frame, (void)site;
  if (scalars[0]) *(unsigned char *)buffers[1] = list->count > 0;
  else *(int64_t *)buffers[1] = list->count;
  return MARTLET_OK;
}

/* The member of a list at a place, or what an optional value holds. */
MARTLET_LOCAL martlet_status martlet_find_member(martlet_frame *frame, void *const *buffers, int64_t has_place,
                                                 const martlet_tensor **member, const char *site) {
  const martlet_list *list = (const martlet_list *)buffers[0];
  int64_t place = has_place ? *(const int64_t *)buffers[1] : 0;
  if (!has_place && list->count == 0)
    return martlet_fail(frame->context, MARTLET_INDEX_OUT_OF_RANGE, "%s: the value is absent", site);
  const martlet_status status = martlet_find_place(frame, &place, list->count, list->count, site);
  if (!status) *member = &list->members[place];
  return status;
}

MARTLET_LOCAL martlet_status martlet_check_rank(martlet_frame *frame, const martlet_tensor *member, int64_t rank,
                                                const char *site) {
  if (member->rank == rank) return MARTLET_OK;
  return martlet_fail(frame->context, MARTLET_SHAPE_MISMATCH, "%s: a member of rank %d, expected %d", site,
                      (int64_t)member->rank, rank);
}

/* buffers: list, the place if there is one, extents. scalars: whether there is, the rank. */
MARTLET_LOCAL martlet_status martlet_list_extents(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                  const char *site) {
  int64_t *dims = (int64_t *)buffers[1 + scalars[0]], axis;
  const martlet_tensor *member;
  martlet_status status = martlet_find_member(frame, buffers, scalars[0], &member, site);
  if (!status) status = martlet_check_rank(frame, member, scalars[1], site);
  if (status) return status;
  for (axis = 0; axis < scalars[1]; ++axis) dims[axis] = member->dims[axis];
  return MARTLET_OK;
}

/* Copies the elements of a member, texts as addresses, and returns where they end. */
MARTLET_LOCAL unsigned char *martlet_read_elements(unsigned char *to, const martlet_tensor *member, int64_t first,
                                                   int64_t count) {
  const int64_t bytes = martlet_program_bits(member->type) / 8;
  int64_t i;
  if (member->type == MARTLET_STRING) {
    for (i = 0; i < count; ++i)
      ((uint64_t *)(void *)to)[i] = martlet_text_address((const martlet_string *)member->data + first + i);
  } else if (count) {
    __builtin_memcpy(to, (const unsigned char *)member->data + first * bytes, (size_t)(count * bytes));
  }
  return to + count * bytes;
}

/* buffers: list, the place if there is one, elements. scalars: whether there is. */
MARTLET_LOCAL martlet_status martlet_list_read(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                               const char *site) {
  const martlet_tensor *member;
  const martlet_status status = martlet_find_member(frame, buffers, scalars[0], &member, site);
  if (!status)
    (void)martlet_read_elements((unsigned char *)buffers[1 + scalars[0]], member, 0,
                                martlet_count_elements(member->dims, member->rank));
  return status;
}

/* buffers: list, the place if there is one, the list at that place. scalars: whether there is. */
MARTLET_LOCAL martlet_status martlet_list_take(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                               const char *site) {
  martlet_list *list = (martlet_list *)buffers[1 + scalars[0]];
  const martlet_tensor *member;
  const martlet_status status = martlet_find_member(frame, buffers, scalars[0], &member, site);
  if (status) return status;
  list->members = (martlet_tensor *)member->data;
  list->count = member->dims[0];
  list->room = NULL;
  return MARTLET_OK;
}

/* buffers: list, extents. scalars: axis, whether it is new, the rank of the result. */
MARTLET_LOCAL martlet_status martlet_list_joined_extents(martlet_frame *frame, void *const *buffers,
                                                         const int64_t *scalars, const char *site) {
  const martlet_list *list = (const martlet_list *)buffers[0];
  int64_t *dims = (int64_t *)buffers[1];
  const int64_t axis = scalars[0], stacks = scalars[1], rank = scalars[2] - stacks;
  int64_t total = 0, i, other;
  if (list->count == 0)
    return martlet_fail(frame->context, MARTLET_SHAPE_MISMATCH, "%s: the sequence is empty", site);
  for (i = 0; i < list->count; ++i) {
    const martlet_tensor *member = &list->members[i];
    const martlet_status status = martlet_check_rank(frame, member, rank, site);
    if (status) return status;
    total = martlet_size_add(total, stacks ? 1 : member->dims[axis]);
    for (other = 0; other < rank; ++other)
      if (member->dims[other] != list->members[0].dims[other] && (stacks || other != axis))
        return martlet_fail(frame->context, MARTLET_SHAPE_MISMATCH, "%s: member %d has extent %d on axis %d, not %d",
                            site, i, member->dims[other], other, list->members[0].dims[other]);
  }
  for (other = 0; other < scalars[2]; ++other)
    dims[other] = other == axis ? total : list->members[0].dims[other - (stacks && other > axis)];
  return MARTLET_OK;
}

/* buffers: list, elements. scalars: axis, whether it is new, the rank of the result. */
MARTLET_LOCAL martlet_status martlet_list_join(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                               const char *site) {
  const martlet_list *list = (const martlet_list *)buffers[0];
  unsigned char *to = (unsigned char *)buffers[1];
  const int64_t axis = scalars[0];
  int64_t outer = 1, row, i;
  (void)frame, (void)site;
  for (i = 0; i < axis; ++i) outer *= list->members[0].dims[i];
  for (row = 0; row < outer; ++row)
    for (i = 0; i < list->count; ++i) {
      const martlet_tensor *member = &list->members[i];
      const int64_t elements = martlet_count_elements(member->dims + axis, member->rank - axis);
      to = martlet_read_elements(to, member, row * elements, elements);
    }
  return MARTLET_OK;
}

/* buffers: elements, sizes if there are, list. scalars: how many sizes there are, whether one stands for all, whether
 * parts keep the axis, axis, type, rank, extents. */
MARTLET_LOCAL martlet_status martlet_list_split(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                const char *site) {
  const int64_t given = scalars[0], repeats = scalars[1], keeps = scalars[2], axis = scalars[3], rank = scalars[5];
  const int32_t type = (int32_t)scalars[4];
  const int64_t *dims = scalars + 6, *sizes = (const int64_t *)buffers[1];
  /* A scalar of sizes is one, a vector of none is there too. */
  martlet_list *list = (martlet_list *)buffers[given >= 0 ? 2 : 1];
  const int64_t extent = dims[axis], outer = martlet_count_elements(dims, axis);
  const int64_t inner = martlet_count_elements(dims + axis + 1, rank - axis - 1);
  const int64_t bytes = martlet_program_bits(type) / 8, size = given < 0 ? 1 : repeats ? sizes[0] : 0;
  int64_t count = given, total = 0, i, row, start = 0;
  martlet_status status;
  if (given < 0 || repeats) {
    if (size <= 0)
      return martlet_fail(frame->context, MARTLET_SHAPE_MISMATCH, "%s: parts of %d elements do not exist", site, size);
    count = extent / size + (extent % size != 0);
  } else {
    for (i = 0; i < count; ++i) {
      if (sizes[i] < 0 || sizes[i] > extent - total) break;
      total += sizes[i];
    }
    if (i < count || total != extent)
      return martlet_fail(frame->context, MARTLET_SHAPE_MISMATCH, "%s: the parts do not make up %d elements", site,
                          extent);
  }
  status = martlet_keep_list(frame, list, count, count);
  for (i = 0; i < count && !status; ++i) {
    const int64_t part = given < 0 || repeats ? martlet_min(size, extent - start) : sizes[i];
    martlet_tensor *member = &list->members[i];
    const int64_t elements = outer * part * inner;
    const int64_t stored = elements * martlet_type_bits(type) / 8;
    unsigned char *memory = (unsigned char *)martlet_keep(
        frame, martlet_size_add(martlet_align(stored), rank * (int64_t)sizeof(int64_t)), &status);
    int64_t other, kept = 0;
    if (status) return status;
    member->data = memory;
    member->capacity = stored;
    member->type = type;
    member->strides = NULL;
    member->dims = (int64_t *)(void *)(memory + martlet_align(stored));
    for (other = 0; other < rank; ++other)
      if (other != axis || keeps) member->dims[kept++] = other == axis ? part : dims[other];
    member->rank = (int32_t)kept;
    for (row = 0; row < outer; ++row) {
      const unsigned char *from = (const unsigned char *)buffers[0] + (row * extent + start) * inner * bytes;
      if (type == MARTLET_STRING) {
        martlet_string *to = (martlet_string *)(void *)memory + row * part * inner;
        for (other = 0; other < part * inner; ++other)
          to[other] = *martlet_text(((const uint64_t *)(const void *)from)[other]);
      } else if (part * inner) {
        __builtin_memcpy(memory + row * part * inner * bytes, from, (size_t)(part * inner * bytes));
      }
    }
    start += part;
  }
  return status;
}

/* Checks a member of the caller's and makes a dense descriptor of it. */
MARTLET_LOCAL martlet_status martlet_import_tensor(martlet_frame *frame, const martlet_tensor *given,
                                                   const martlet_tensor_info *info, martlet_tensor *member,
                                                   int64_t number) {
  martlet_context *context = frame->context;
  const martlet_status mismatch = MARTLET_SHAPE_MISMATCH, invalid = MARTLET_INVALID_ARGUMENT;
  const int64_t bits = martlet_type_bits(info->type);
  martlet_status status = MARTLET_OK;
  int64_t bytes, copied;
  int32_t axis;
  if (given->type != MARTLET_TYPE_NONE && given->type != info->type)
    return martlet_fail(context, invalid, "input \"%s\": member %d has type %s, expected %s", info->name, number,
                        martlet_type_name(given->type), martlet_type_name(info->type));
  if (given->rank < 0 || given->rank > MARTLET_MAXIMUM_RANK || (info->rank >= 0 && given->rank != info->rank))
    return martlet_fail(context, mismatch, "input \"%s\": member %d has rank %d, expected %d", info->name, number,
                        (int64_t)given->rank, (int64_t)info->rank);
  if (given->rank > 0 && !given->dims)
    return martlet_fail(context, invalid, "input \"%s\": dims of member %d is NULL", info->name, number);
  for (axis = 0; axis < given->rank; ++axis) {
    const int64_t extent = given->dims[axis];
    if (extent < 0 || (info->rank >= 0 && info->dims[axis].kind == MARTLET_DIM_CONSTANT &&
                       extent != info->dims[axis].value))
      return martlet_fail(context, mismatch, "input \"%s\": dimension %d of member %d is %d", info->name,
                          (int64_t)axis, number, extent);
  }
  bytes = martlet_dense_bytes(info->type, given->dims, given->rank);
  if (bytes > MARTLET_SIZE_LIMIT)
    return martlet_fail(context, MARTLET_LIMIT_EXCEEDED, "input \"%s\": member %d has more than %d bytes", info->name,
                        number, MARTLET_SIZE_LIMIT);
  if (bytes && (!given->data || martlet_in_workspace(frame, given->data)))
    return martlet_fail(context, invalid, "input \"%s\": member %d is not in memory of the caller's", info->name,
                        number);
  if (martlet_is_dense(given) ? given->capacity > 0 && given->capacity < bytes : bits < 8)
    return martlet_fail(context, invalid, "input \"%s\": member %d has %d bytes, expected %d dense ones", info->name,
                        number, given->capacity, bytes);
  copied = martlet_is_dense(given) && (bits < 16 || (uintptr_t)given->data % (bits == 128 ? sizeof(void *)
                                                                                         : (uintptr_t)bits / 8) == 0)
               ? 0
               : bytes;
  unsigned char *memory = (unsigned char *)martlet_keep(
      frame, martlet_size_add(martlet_align(copied), (given->rank + 1) * (int64_t)sizeof(int64_t)), &status);
  if (status) return status;
  member->data = copied ? memory : given->data;
  member->capacity = bytes;
  member->type = info->type;
  member->rank = given->rank;
  member->strides = NULL;
  member->dims = (int64_t *)(void *)(memory + martlet_align(copied));
  for (axis = 0; axis < given->rank; ++axis) member->dims[axis] = given->dims[axis];
  if (copied && !martlet_is_dense(given)) martlet_copy_dense(memory, given, bits / 8);
  else if (copied) __builtin_memcpy(memory, given->data, (size_t)bytes);
  return info->type != MARTLET_STRING
             ? MARTLET_OK
             : martlet_check_texts(frame, (const martlet_string *)member->data,
                                   martlet_count_elements(member->dims, member->rank), info->name);
}

MARTLET_LOCAL martlet_status martlet_import_list(martlet_frame *frame, const martlet_tensor *given,
                                                 const martlet_tensor_info *info, martlet_list *list) {
  const martlet_tensor *members = (const martlet_tensor *)given->data;
  const int64_t size = (int64_t)sizeof(martlet_tensor);
  martlet_status status;
  int64_t i;
  if (given->rank != 1 || !given->dims || given->dims[0] < 0 ||
      (info->kind == MARTLET_OPTIONAL && given->dims[0] > 1))
    return martlet_fail(frame->context, MARTLET_SHAPE_MISMATCH,
                        "input \"%s\": a sequence or optional has one dim, its number of members", info->name);
  if (given->dims[0] > 0 && (!members || (given->capacity > 0 && given->capacity / size < given->dims[0])))
    return martlet_fail(frame->context, MARTLET_INVALID_ARGUMENT, "input \"%s\": %d members are not in %d bytes",
                        info->name, given->dims[0], members ? given->capacity : 0);
  status = martlet_keep_list(frame, list, given->dims[0], given->dims[0]);
  for (i = 0; i < given->dims[0] && !status; ++i) {
    martlet_list inner;
    if (info->member->kind == MARTLET_TENSOR) {
      status = martlet_import_tensor(frame, &members[i], info->member, &list->members[i], i);
    } else {
      status = martlet_import_list(frame, &members[i], info->member, &inner);
      if (!status) status = martlet_keep_member(frame, &list->members[i], &inner, MARTLET_MEMBER_LIST, NULL);
    }
  }
  return status;
}

/* buffers: list. scalars: the number of the input. */
MARTLET_LOCAL martlet_status martlet_list_import(martlet_frame *frame, void *const *buffers, const int64_t *scalars,
                                                 const char *site) {
  (void)site;
  return martlet_import_list(frame, &frame->inputs[scalars[0]], frame->entry->inputs[scalars[0]],
                             (martlet_list *)buffers[0]);
}

/* Hands out a list: its descriptors go to the caller's buffer, or stay where they are. */
MARTLET_LOCAL void martlet_deliver_list(martlet_frame *frame, int32_t index, const void *record,
                                        martlet_status *status) {
  const martlet_list *list = (const martlet_list *)record;
  martlet_tensor *tensor = &frame->outputs[index];
  const int64_t bytes = list->count * (int64_t)sizeof(martlet_tensor);
  if (!tensor->data) {
    tensor->data = list->members;
    tensor->capacity = bytes;
  } else {
    *status = martlet_check_capacity(frame, index, bytes);
    if (*status) return;
    if (bytes) __builtin_memmove(tensor->data, list->members, (size_t)bytes);
  }
  martlet_describe_output(tensor, frame->entry->outputs[index], &list->count);
}
