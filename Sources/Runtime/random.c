/* Inputs made up from a seed. Part of executable.c; hosted C.
 *
 * Counter-based, so that any element can be computed by itself: with mix the finalizer of splitmix64 and G its
 * increment, input number i has the key mix(seed + G (i + 1)) and its word number j is mix(key + G (j + 1)).
 * Floats are normal(0, 1) by Box-Muller: elements 2k and 2k + 1 are r cos(2 pi v) and r sin(2 pi v) with
 * r = sqrt(-2 log u), where u and v are words 2k and 2k + 1 as (word >> 11) + 0.5 in units of 2^-53.
 * Integers are minimum + word j mod (limit - minimum). */
#include "martlet.h"

#include <math.h>

static const uint64_t random_increment = 0x9e3779b97f4a7c15u;

static uint64_t random_mix(uint64_t z) {
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static uint64_t random_key(uint64_t seed, int32_t input) {
  return random_mix(seed + random_increment * ((uint64_t)input + 1));
}

static uint64_t random_word(uint64_t key, int64_t index) {
  return random_mix(key + random_increment * ((uint64_t)index + 1));
}

static double random_unit(uint64_t key, int64_t index) {
  return ((double)(random_word(key, index) >> 11) + 0.5) * 0x1p-53;
}

static double random_normal(uint64_t key, int64_t index) {
  const double radius = sqrt(-2 * log(random_unit(key, index & ~(int64_t)1)));
  const double angle = 6.283185307179586 * random_unit(key, index | 1);
  return radius * (index % 2 ? sin(angle) : cos(angle));
}

/* The integers an input takes where the model does not say: all of a type of 8 bits or less, else 0 ..< 10. */
static void random_range(const martlet_tensor_info *info, int64_t *minimum, int64_t *limit) {
  const int bits = martlet_type_bits(info->type);
  *minimum = info->integer_minimum;
  *limit = info->integer_limit;
  if (*minimum < *limit) return;
  *minimum = 0;
  *limit = info->type == MARTLET_BOOL ? 2 : bits > 8 ? 10 : (int64_t)1 << bits;
  if (info->type == MARTLET_I2 || info->type == MARTLET_I4 || info->type == MARTLET_I8) {
    *minimum = -*limit / 2;
    *limit = -*minimum;
  }
}

static uint16_t f16_code(double x) {
  const uint16_t sign = x < 0 ? 0x8000 : 0;
  const double magnitude = fabs(x);
  int exponent;
  if (magnitude >= 65520) return sign | 0x7c00;
  frexp(magnitude, &exponent);
  if (exponent < -13) exponent = -13;
  /* A mantissa that rounds up to 2048 carries into the exponent by itself. */
  const int mantissa = (int)rint(ldexp(magnitude, 11 - exponent));
  return (uint16_t)(sign | (magnitude < 0x1p-14 ? mantissa : (exponent + 13) * 1024 + mantissa));
}

static void random_fill(value *result, const martlet_tensor_info *info, uint64_t seed, int32_t input) {
  const uint64_t key = random_key(seed, input);
  const int64_t count = count_of(result->dims, result->rank);
  int64_t minimum, limit;
  random_range(info, &minimum, &limit);
  for (int64_t i = 0; i < count; ++i) {
    if (info->type == MARTLET_F16) {
      ((uint16_t *)result->data)[i] = f16_code(random_normal(key, i));
    } else if (info->type == MARTLET_F64) {
      ((double *)result->data)[i] = random_normal(key, i);
    } else if (info->type >= MARTLET_F8E4M3FN) {
      const float x = (float)random_normal(key, i);
      pack(info->type, result->data, i, &x);
    } else {
      /* Little endian: the low bytes serve every width. */
      const int64_t x = minimum + (int64_t)(random_word(key, i) % (uint64_t)(limit - minimum));
      pack(info->type, result->data, i, &x);
    }
  }
}
