/* f64 arithmetic on machines that have f32 only: IEEE 754, rounded to nearest even, one NaN. */
#include "helpers.h"

#define SIGN ((uint64_t)1 << 63)
#define INFINITE ((uint64_t)2047 << 52)
#define NOT_A_NUMBER (INFINITE | (uint64_t)1 << 51)
#define FRACTION (((uint64_t)1 << 52) - 1)

/* A finite number other than zero: mantissa * 2^(exponent - 1023 - 52), the leading one at bit 52. */
typedef struct martlet_parts {
  uint64_t mantissa;
  int32_t exponent;
} martlet_parts;

static martlet_parts martlet_take_apart(uint64_t bits) {
  martlet_parts parts = {bits & FRACTION, (int32_t)(bits >> 52 & 2047)};
  if (parts.exponent) {
    parts.mantissa |= FRACTION + 1;
  } else {
    const int shift = martlet_zeros(parts.mantissa) - 11;
    parts.mantissa <<= shift;
    parts.exponent = 1 - shift;
  }
  return parts;
}

static double martlet_put_together(uint64_t sign, uint64_t mantissa, int32_t exponent) {
  return martlet_double(sign | martlet_round(mantissa, exponent, 52, 2047));
}

static int martlet_is_nan(uint64_t bits) { return (bits & ~SIGN) > INFINITE; }

static double martlet_sum(uint64_t a, uint64_t b) {
  const uint64_t x = a & ~SIGN, y = b & ~SIGN;
  martlet_parts large, small;
  uint64_t aligned;
  if (martlet_is_nan(a) || martlet_is_nan(b)) return martlet_double(NOT_A_NUMBER);
  if (x == INFINITE) return martlet_double(y == INFINITE && a != b ? NOT_A_NUMBER : a);
  if (y == INFINITE) return martlet_double(b);
  if (!y) return martlet_double(!x ? a & b : a);
  if (!x) return martlet_double(b);
  if (x < y) {
    const uint64_t swapped = a;
    a = b;
    b = swapped;
  }
  large = martlet_take_apart(a & ~SIGN);
  small = martlet_take_apart(b & ~SIGN);
  /* Nine bits below, one above. */
  aligned = martlet_shift_sticky(small.mantissa << 9, large.exponent - small.exponent);
  large.mantissa <<= 9;
  if (!((a ^ b) & SIGN)) return martlet_put_together(a & SIGN, large.mantissa + aligned, large.exponent + 1);
  if (large.mantissa == aligned) return 0;
  return martlet_put_together(a & SIGN, large.mantissa - aligned, large.exponent + 1);
}

MARTLET_HELPER double __aeabi_dadd(double a, double b) {
  return martlet_sum(martlet_double_bits(a), martlet_double_bits(b));
}
MARTLET_HELPER double __aeabi_dsub(double a, double b) {
  return martlet_sum(martlet_double_bits(a), martlet_double_bits(b) ^ SIGN);
}

MARTLET_HELPER double __aeabi_dmul(double first, double second) {
  const uint64_t a = martlet_double_bits(first), b = martlet_double_bits(second), sign = (a ^ b) & SIGN;
  const uint64_t x = a & ~SIGN, y = b & ~SIGN;
  martlet_parts p, q;
  uint64_t low, middle, other, high;
  if (martlet_is_nan(a) || martlet_is_nan(b)) return martlet_double(NOT_A_NUMBER);
  if (x == INFINITE || y == INFINITE) return martlet_double(!x || !y ? NOT_A_NUMBER : sign | INFINITE);
  if (!x || !y) return martlet_double(sign);
  p = martlet_take_apart(x);
  q = martlet_take_apart(y);
  p.mantissa <<= 11;
  q.mantissa <<= 11;
  low = (uint64_t)(uint32_t)p.mantissa * (uint32_t)q.mantissa;
  middle = (p.mantissa >> 32) * (uint32_t)q.mantissa + (low >> 32);
  other = (uint64_t)(uint32_t)p.mantissa * (q.mantissa >> 32) + (uint32_t)middle;
  high = (p.mantissa >> 32) * (q.mantissa >> 32) + (middle >> 32) + (other >> 32);
  high |= ((uint32_t)low | (uint32_t)other) != 0;
  return martlet_put_together(sign, high, p.exponent + q.exponent - 1023);
}

MARTLET_HELPER double __aeabi_ddiv(double first, double second) {
  const uint64_t a = martlet_double_bits(first), b = martlet_double_bits(second), sign = (a ^ b) & SIGN;
  const uint64_t x = a & ~SIGN, y = b & ~SIGN;
  martlet_parts p, q;
  uint64_t quotient = 0;
  int i;
  if (martlet_is_nan(a) || martlet_is_nan(b) || (x == y && (!x || x == INFINITE))) return martlet_double(NOT_A_NUMBER);
  if (x == INFINITE || !y) return martlet_double(sign | INFINITE);
  if (y == INFINITE || !x) return martlet_double(sign);
  p = martlet_take_apart(x);
  q = martlet_take_apart(y);
  for (i = 0; i < 63; ++i) {
    quotient <<= 1;
    if (p.mantissa >= q.mantissa) {
      p.mantissa -= q.mantissa;
      quotient |= 1;
    }
    p.mantissa <<= 1;
  }
  return martlet_put_together(sign, quotient | (p.mantissa != 0), p.exponent - q.exponent + 1023);
}

/* By its usual name, with floats where the ABI has them. */
__attribute__((weak, visibility("hidden"), used)) double sqrt(double x) {
  const uint64_t bits = martlet_double_bits(x);
  martlet_parts parts;
  uint64_t rest = 0, root = 0;
  int i;
  if (!(bits & ~SIGN) || bits == INFINITE) return x;
  if (bits > INFINITE) return martlet_double(NOT_A_NUMBER);
  parts = martlet_take_apart(bits);
  parts.exponent -= 1023;
  parts.mantissa <<= 10 + (parts.exponent & 1);
  for (i = 0; i < 55; ++i) {
    uint64_t trial;
    rest = rest << 2 | parts.mantissa >> 62;
    parts.mantissa <<= 2;
    trial = root << 2 | 1;
    root <<= 1;
    if (rest >= trial) {
      rest -= trial;
      root |= 1;
    }
  }
  return martlet_put_together(0, root << 8 | (rest != 0), ((parts.exponent - (parts.exponent & 1)) / 2) + 1023);
}

/* -1, 0 or 1; 2 for what cannot be compared. */
static int martlet_order(double first, double second) {
  const uint64_t a = martlet_double_bits(first), b = martlet_double_bits(second);
  if (martlet_is_nan(a) || martlet_is_nan(b)) return 2;
  if (a == b || !((a | b) & ~SIGN)) return 0;
  if ((a ^ b) & SIGN) return a & SIGN ? -1 : 1;
  return (a < b) == !(a & SIGN) ? -1 : 1;
}

MARTLET_HELPER int __aeabi_dcmpeq(double a, double b) { return martlet_order(a, b) == 0; }
MARTLET_HELPER int __aeabi_dcmplt(double a, double b) { return martlet_order(a, b) == -1; }
MARTLET_HELPER int __aeabi_dcmple(double a, double b) { return martlet_order(a, b) <= 0; }
MARTLET_HELPER int __aeabi_dcmpge(double a, double b) { return (martlet_order(a, b) & ~1) == 0; }
MARTLET_HELPER int __aeabi_dcmpgt(double a, double b) { return martlet_order(a, b) == 1; }
MARTLET_HELPER int __aeabi_dcmpun(double a, double b) { return martlet_order(a, b) == 2; }

MARTLET_HELPER double __aeabi_f2d(float x) {
  const uint32_t bits = martlet_float_bits(x), magnitude = bits & 0x7fffffff;
  const uint64_t sign = (uint64_t)(bits >> 31) << 63;
  if (magnitude > 0x7f800000) return martlet_double(NOT_A_NUMBER | sign);
  if (magnitude == 0x7f800000) return martlet_double(INFINITE | sign);
  if (magnitude < 0x800000) return martlet_put_together(sign, magnitude, 1023 - 149 + 62);
  return martlet_double(sign | (((uint64_t)magnitude << 29) + ((uint64_t)896 << 52)));
}

MARTLET_HELPER float __aeabi_d2f(double x) {
  const uint64_t bits = martlet_double_bits(x), magnitude = bits & ~SIGN;
  const uint32_t sign = (uint32_t)(bits >> 32) & 0x80000000u;
  martlet_parts parts;
  if (magnitude > INFINITE) return martlet_float(sign | 0x7fc00000);
  if (magnitude == INFINITE) return martlet_float(sign | 0x7f800000);
  if (!magnitude) return martlet_float(sign);
  parts = martlet_take_apart(magnitude);
  return martlet_float(sign | (uint32_t)martlet_round(parts.mantissa << 10, parts.exponent - 1023 + 127, 23, 255));
}

MARTLET_HELPER double __aeabi_ui2d(uint32_t x) { return martlet_put_together(0, x, 1023 + 62); }
MARTLET_HELPER double __aeabi_i2d(int32_t x) {
  return martlet_put_together(x < 0 ? SIGN : 0, x < 0 ? 0 - (uint32_t)x : (uint32_t)x, 1023 + 62);
}

static uint32_t martlet_whole_part(uint64_t bits) {
  const int32_t shift = 1023 + 52 - (int32_t)(bits >> 52 & 2047);
  if (shift > 52 || shift <= 20) return 0;
  return (uint32_t)(((bits & FRACTION) | (FRACTION + 1)) >> shift);
}
MARTLET_HELPER uint32_t __aeabi_d2uiz(double x) { return martlet_whole_part(martlet_double_bits(x)); }
MARTLET_HELPER int32_t __aeabi_d2iz(double x) {
  const uint64_t bits = martlet_double_bits(x);
  const uint32_t whole = martlet_whole_part(bits);
  return (int32_t)(bits & SIGN ? 0 - whole : whole);
}
