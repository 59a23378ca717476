/* Arithmetic that a 32-bit machine has no instructions for, under the names by which compilers call it.
 *
 * Artifacts bring these functions along, so that they link without a compiler's library. They are hidden, and weak, so
 * that a library's own may stand beside them. The files are compiled one by one into an archive of which the linker
 * takes what is needed; with -fno-builtin, or a loop that divides would become a call of itself. */
#ifndef MARTLET_HELPERS_H
#define MARTLET_HELPERS_H

#include <stddef.h>
#include <stdint.h>

/* Floats travel in plain registers here, whatever the ABI is otherwise. */
#if defined(__arm__)
#define MARTLET_CALL_PLAIN __attribute__((pcs("aapcs")))
#else
#define MARTLET_CALL_PLAIN
#endif
#define MARTLET_HELPER __attribute__((weak, visibility("hidden"), used)) MARTLET_CALL_PLAIN

static inline int martlet_zeros(uint64_t x) {
  const uint32_t high = (uint32_t)(x >> 32);
  return high ? __builtin_clz(high) : (uint32_t)x ? 32 + __builtin_clz((uint32_t)x) : 64;
}

/* x / 2^count with what is lost kept as a one in the last place. */
static inline uint64_t martlet_shift_sticky(uint64_t x, int32_t count) {
  if (count <= 0) return x;
  if (count > 63) return x != 0;
  return x >> count | ((x & (((uint64_t)1 << count) - 1)) != 0);
}

/* mantissa * 2^(exponent - bias - 62), rounded to nearest even, as the bits of a float with `digits` bits behind the
 * leading one and exponents up to `most`. */
static inline uint64_t martlet_round(uint64_t mantissa, int32_t exponent, int digits, int32_t most) {
  const int spare = 62 - digits;
  int shift;
  if (!mantissa) return 0;
  shift = martlet_zeros(mantissa) - 1;
  mantissa = shift < 0 ? martlet_shift_sticky(mantissa, 1) : mantissa << shift;
  exponent -= shift;
  if (exponent >= most) return (uint64_t)most << digits;
  if (exponent <= 0) {
    mantissa = martlet_shift_sticky(mantissa, 1 - exponent);
    exponent = 1;
  }
  mantissa += ((uint64_t)1 << (spare - 1)) - 1 + (mantissa >> spare & 1);
  /* The leading one adds one to the exponent, and so does a carry; a subnormal number has none. */
  return ((uint64_t)(exponent - 1) << digits) + (mantissa >> spare);
}

static inline uint32_t martlet_float_bits(float x) {
  union { float number; uint32_t bits; } both = {x};
  return both.bits;
}
static inline float martlet_float(uint32_t bits) {
  union { uint32_t bits; float number; } both = {bits};
  return both.number;
}
static inline uint64_t martlet_double_bits(double x) {
  union { double number; uint64_t bits; } both = {x};
  return both.bits;
}
static inline double martlet_double(uint64_t bits) {
  union { uint64_t bits; double number; } both = {bits};
  return both.number;
}

#endif
