/* Tensors in .npy files, for emitted executables. bf16 and the 8- and 4-bit floats travel as f32, 2- and 4-bit integers
 * as int8. Part of executable.c; hosted C. */
#include "martlet.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct value {
  int32_t type;
  int32_t rank;
  int64_t dims[MARTLET_MAXIMUM_RANK];
  void *data;
} value;

/* Product of dims; -1 when one is negative or the product is out of all proportion. */
static int64_t count_of(const int64_t *dims, int32_t rank) {
  int64_t count = 1;
  for (int32_t i = 0; i < rank; ++i) {
    if (dims[i] < 0 || (dims[i] > 0 && count > ((int64_t)1 << 40) / dims[i])) return -1;
    count *= dims[i];
  }
  return count;
}

static int64_t bytes_of(int32_t type, int64_t count) { return (count * martlet_type_bits(type) + 7) / 8; }

/* How .npy names what a type is stored as; NULL: not at all. */
static const char *npy_type(int32_t type) {
  switch (type) {
  case MARTLET_BOOL: return "|b1";
  case MARTLET_I2: case MARTLET_U2: case MARTLET_I4: case MARTLET_U4: case MARTLET_I8: return "|i1";
  case MARTLET_U8: return "|u1";
  case MARTLET_I16: return "<i2";
  case MARTLET_U16: return "<u2";
  case MARTLET_I32: return "<i4";
  case MARTLET_U32: return "<u4";
  case MARTLET_I64: return "<i8";
  case MARTLET_U64: return "<u8";
  case MARTLET_F16: return "<f2";
  case MARTLET_F64: return "<f8";
  case MARTLET_STRING: return NULL;
  default: return "<f4";
  }
}

/* Bytes of an element in the file. */
static int64_t npy_size(int32_t type) { return npy_type(type)[2] - '0'; }

/* Exponent and mantissa bits, bias, and what the codes at the end mean. */
static double small_float(int32_t type, uint32_t code) {
  int mantissa_bits = 3, bias = 7;
  uint32_t sign = code >> 7;
  switch (type) {
  case MARTLET_F8E8M0: return code == 0xff ? NAN : ldexp(1, (int)code - 127);
  case MARTLET_F4E2M1: mantissa_bits = 1, bias = 1, sign = code >> 3, code &= 7; break;
  case MARTLET_F8E4M3FN:
    if ((code & 0x7f) == 0x7f) return NAN;
    break;
  case MARTLET_F8E4M3FNUZ: bias = 8; break;
  case MARTLET_F8E5M2:
    mantissa_bits = 2, bias = 15;
    if ((code & 0x7c) == 0x7c) return code & 3 ? NAN : sign ? -INFINITY : INFINITY;
    break;
  default: mantissa_bits = 2, bias = 16; break;
  }
  if ((type == MARTLET_F8E4M3FNUZ || type == MARTLET_F8E5M2FNUZ) && code == 0x80) return NAN;
  code &= 0x7f;
  const uint32_t exponent = code >> mantissa_bits, mantissa = code & ((1u << mantissa_bits) - 1);
  const double magnitude = exponent ? ldexp(mantissa + (1u << mantissa_bits), (int)exponent - bias - mantissa_bits)
                                    : ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign ? -magnitude : magnitude;
}

/* The nearest code, ties to even; what is too large becomes the largest. */
static uint32_t small_float_code(int32_t type, double x) {
  const uint32_t codes = type == MARTLET_F4E2M1 ? 16 : 256;
  uint32_t best = 0;
  double distance = INFINITY;
  for (uint32_t code = 0; code < codes; ++code) {
    const double y = small_float(type, code);
    if (isnan(x) && isnan(y)) return code;
    if (isnan(y) || (isinf(y) && !isinf(x))) continue;
    const double d = x == y ? 0 : isinf(x) ? 1e300 - fabs(y) * (x > 0 ? copysign(1, y) : -copysign(1, y)) : fabs(x - y);
    if (d < distance || (d == distance && code % 2 == 0 && best % 2 == 1)) best = code, distance = d;
  }
  return best;
}

static uint16_t bf16_code(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  if (isnan(x)) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static int is_small_float(int32_t type) { return type >= MARTLET_F8E4M3FN && type <= MARTLET_F4E2M1; }

/* An element as the file has it: `size` bytes at `to`. */
static void unpack(int32_t type, const void *data, int64_t index, void *to) {
  const uint8_t *bytes = data;
  const int bits = martlet_type_bits(type);
  if (bits < 8 || is_small_float(type)) {
    const int64_t bit = index * bits;
    const uint32_t code = (uint32_t)bytes[bit / 8] >> bit % 8 & ((1u << bits) - 1);
    if (is_small_float(type)) {
      const float x = (float)small_float(type, code);
      memcpy(to, &x, 4);
    } else {
      const int is_signed = type == MARTLET_I2 || type == MARTLET_I4;
      *(int8_t *)to = (int8_t)(is_signed && code >> (bits - 1) ? (int)code - (1 << bits) : (int)code);
    }
  } else if (type == MARTLET_BF16) {
    uint16_t code;
    memcpy(&code, bytes + index * 2, 2);
    const uint32_t wide = (uint32_t)code << 16;
    memcpy(to, &wide, 4);
  } else {
    memcpy(to, bytes + index * (bits / 8), (size_t)bits / 8);
  }
}

/* The opposite. 0: an integer that the type does not hold. Packed data must be zero before. */
static int pack(int32_t type, void *data, int64_t index, const void *from) {
  uint8_t *bytes = data;
  const int bits = martlet_type_bits(type);
  if (bits < 8 || is_small_float(type)) {
    const int64_t bit = index * bits;
    uint32_t code;
    if (is_small_float(type)) {
      float x;
      memcpy(&x, from, 4);
      code = small_float_code(type, x);
    } else {
      const int x = *(const int8_t *)from, is_signed = type == MARTLET_I2 || type == MARTLET_I4;
      const int low = is_signed ? -(1 << (bits - 1)) : 0;
      if (x < low || x >= low + (1 << bits)) return 0;
      code = (uint32_t)x & ((1u << bits) - 1);
    }
    bytes[bit / 8] |= (uint8_t)(code << bit % 8);
  } else if (type == MARTLET_BF16) {
    float x;
    memcpy(&x, from, 4);
    const uint16_t code = bf16_code(x);
    memcpy(bytes + index * 2, &code, 2);
  } else {
    memcpy(bytes + index * (bits / 8), from, (size_t)bits / 8);
    if (type == MARTLET_BOOL) bytes[index] = bytes[index] != 0;
  }
  return 1;
}

/* An element for people. */
static void print_element(FILE *out, int32_t type, const void *data, int64_t index) {
  union { int8_t i8; uint8_t u8; int16_t i16; uint16_t u16; int32_t i32; uint32_t u32; int64_t i64; uint64_t u64;
          float f32; double f64; } x;
  unpack(type, data, index, &x);
  switch (type) {
  case MARTLET_BOOL: fputs(x.u8 ? "true" : "false", out); break;
  case MARTLET_U8: fprintf(out, "%u", x.u8); break;
  case MARTLET_I2: case MARTLET_U2: case MARTLET_I4: case MARTLET_U4: case MARTLET_I8: fprintf(out, "%d", x.i8); break;
  case MARTLET_I16: fprintf(out, "%d", x.i16); break;
  case MARTLET_U16: fprintf(out, "%u", x.u16); break;
  case MARTLET_I32: fprintf(out, "%d", x.i32); break;
  case MARTLET_U32: fprintf(out, "%u", x.u32); break;
  case MARTLET_I64: fprintf(out, "%lld", (long long)x.i64); break;
  case MARTLET_U64: fprintf(out, "%llu", (unsigned long long)x.u64); break;
  case MARTLET_F64: fprintf(out, "%g", x.f64); break;
  case MARTLET_F16: {
    const int exponent = x.u16 >> 10 & 31, mantissa = x.u16 & 1023;
    const double magnitude = exponent == 31 ? (mantissa ? NAN : INFINITY)
                             : exponent     ? ldexp(mantissa + 1024, exponent - 25)
                                            : ldexp(mantissa, -24);
    fprintf(out, "%g", x.u16 >> 15 ? -magnitude : magnitude);
    break;
  }
  default: fprintf(out, "%g", (double)x.f32); break;
  }
}

/* NULL, or why the file was not written. */
static const char *npy_write(const char *path, int32_t type, const int64_t *dims, int32_t rank, const void *data) {
  char header[1024], element[8];
  int length = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (", npy_type(type));
  for (int32_t i = 0; i < rank; ++i)
    length += snprintf(header + length, sizeof header - (size_t)length, i ? " %lld," : "%lld,", (long long)dims[i]);
  if (rank > 1) --length;
  length += snprintf(header + length, sizeof header - (size_t)length, "), }");
  while ((10 + length + 1) % 64) header[length++] = ' ';
  header[length++] = '\n';
  FILE *file = fopen(path, "wb");
  if (!file) return strerror(errno);
  const uint8_t start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (uint8_t)length, (uint8_t)(length >> 8)};
  int good = fwrite(start, 1, 10, file) == 10 && fwrite(header, 1, (size_t)length, file) == (size_t)length;
  const int64_t count = count_of(dims, rank), size = npy_size(type);
  if (size * 8 == martlet_type_bits(type)) {
    good = good && fwrite(data, (size_t)size, (size_t)count, file) == (size_t)count;
  } else {
    for (int64_t i = 0; good && i < count; ++i) {
      unpack(type, data, i, element);
      good = fwrite(element, (size_t)size, 1, file) == 1;
    }
  }
  if (fclose(file)) good = 0;
  return good ? NULL : "cannot be written";
}

/* What follows "'key':" in a header, or NULL. */
static const char *npy_field(const char *header, const char *key) {
  const char *at = strstr(header, key);
  if (!at) return NULL;
  at += strlen(key);
  while (*at == ' ' || *at == ':') ++at;
  return at;
}

/* The contents of a file as `type`, in C order. NULL, or what is wrong. */
static const char *npy_parse(const uint8_t *bytes, int64_t length, value *result) {
  static char reason[128];
  const uint8_t start[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
  char header[65536];
  if (length < 12 || memcmp(bytes, start, 6)) return "not an .npy file";
  int64_t header_at = bytes[6] == 1 ? 10 : 12;
  int64_t header_length = bytes[8] | bytes[9] << 8;
  if (bytes[6] != 1) header_length |= (int64_t)bytes[10] << 16 | (int64_t)bytes[11] << 24;
  if (header_length > length - header_at || header_length > (int64_t)sizeof header - 8) return "its header is too long";
  memset(header + header_length, 0, 8);
  for (int64_t i = 0; i < header_length; ++i) {
    const uint8_t c = bytes[header_at + i];
    header[i] = c < 0x20 || c > 0x7e ? ' ' : (char)c;
  }
  const char *descr = npy_field(header, "'descr'"), *order = npy_field(header, "'fortran_order'");
  const char *shape = npy_field(header, "'shape'");
  if (!descr || *descr != '\'' || !order || !shape || *shape != '(') return "its header is not understood";
  const char *expected = npy_type(result->type);
  const int native = descr[1] == '<' || descr[1] == '|' || descr[1] == '=';
  /* int8 and uint8 both serve 2- and 4-bit integers. */
  const int small = martlet_type_bits(result->type) < 8 && descr[2] == 'u' && descr[3] == '1';
  if (!native || descr[4] != '\'' || (!small && (descr[2] != expected[1] || descr[3] != expected[2]))) {
    snprintf(reason, sizeof reason, "type %.*s, expected '%s' for %s", (int)strcspn(descr + 1, "'") % 16 + 2, descr,
             expected, martlet_type_name(result->type));
    return reason;
  }
  result->rank = 0;
  for (++shape; *shape && *shape != ')';) {
    char *end;
    if (*shape == ' ' || *shape == ',' || *shape == 'L') {
      ++shape;
      continue;
    }
    if (result->rank == MARTLET_MAXIMUM_RANK) return "it has too many dims";
    errno = 0;
    result->dims[result->rank++] = strtoll(shape, &end, 10);
    if (end == shape || errno) return "its shape is not understood";
    shape = end;
  }
  const int64_t count = count_of(result->dims, result->rank), size = npy_size(result->type);
  if (count < 0 || count > (length - header_at - header_length) / size) return "it is shorter than its shape";
  result->data = calloc((size_t)bytes_of(result->type, count) + 1, 1);
  if (!result->data) return "not enough memory";
  const uint8_t *elements = bytes + header_at + header_length;
  int64_t position[MARTLET_MAXIMUM_RANK] = {0};
  const int fortran = !strncmp(order, "True", 4);
  for (int64_t i = 0; i < count; ++i) {
    int64_t at = i;
    if (fortran) {
      int64_t stride = 1;
      at = 0;
      for (int32_t axis = 0; axis < result->rank; stride *= result->dims[axis++]) at += position[axis] * stride;
      for (int32_t axis = result->rank - 1; axis >= 0 && ++position[axis] == result->dims[axis]; --axis)
        position[axis] = 0;
    }
    if (!pack(result->type, result->data, i, elements + at * size)) {
      snprintf(reason, sizeof reason, "element %lld does not fit %s", (long long)i, martlet_type_name(result->type));
      return reason;
    }
  }
  return NULL;
}

static const char *npy_read(const char *path, value *result) {
  FILE *file = fopen(path, "rb");
  const char *reason = NULL;
  long length = -1;
  if (!file) return strerror(errno);
  if (!fseek(file, 0, SEEK_END)) length = ftell(file);
  rewind(file);
  uint8_t *bytes = length >= 0 ? malloc((size_t)length + 1) : NULL;
  if (!bytes) reason = "cannot be read";
  else if (fread(bytes, 1, (size_t)length, file) != (size_t)length) reason = "cannot be read";
  else reason = npy_parse(bytes, length, result);
  free(bytes);
  fclose(file);
  return reason;
}
