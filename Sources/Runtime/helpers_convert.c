/* 64-bit integers to floats and back. What does not fit gives anything: callers look first. */
#include "helpers.h"

static uint64_t martlet_magnitude(int64_t x) { return x < 0 ? 0 - (uint64_t)x : (uint64_t)x; }

MARTLET_HELPER float __aeabi_ul2f(uint64_t x) { return martlet_float((uint32_t)martlet_round(x, 127 + 62, 23, 255)); }
MARTLET_HELPER float __aeabi_l2f(int64_t x) {
  const uint64_t bits = martlet_round(martlet_magnitude(x), 127 + 62, 23, 255);
  return martlet_float((uint32_t)bits | (x < 0 ? 0x80000000u : 0));
}
MARTLET_HELPER double __aeabi_ul2d(uint64_t x) { return martlet_double(martlet_round(x, 1023 + 62, 52, 2047)); }
MARTLET_HELPER double __aeabi_l2d(int64_t x) {
  const uint64_t bits = martlet_round(martlet_magnitude(x), 1023 + 62, 52, 2047);
  return martlet_double(bits | (x < 0 ? (uint64_t)1 << 63 : 0));
}

static uint64_t martlet_whole(uint64_t mantissa, int32_t shift) {
  if (shift <= -64 || shift >= 64) return 0;
  return shift < 0 ? mantissa >> -shift : mantissa << shift;
}
static uint64_t martlet_whole_float(uint32_t bits) {
  return martlet_whole((bits & 0x7fffff) | 0x800000, (int32_t)(bits >> 23 & 255) - 127 - 23);
}
static uint64_t martlet_whole_double(uint64_t bits) {
  const uint64_t fraction = ((uint64_t)1 << 52) - 1;
  return martlet_whole((bits & fraction) | (fraction + 1), (int32_t)(bits >> 52 & 2047) - 1023 - 52);
}

MARTLET_HELPER uint64_t __aeabi_f2ulz(float x) { return martlet_whole_float(martlet_float_bits(x)); }
MARTLET_HELPER int64_t __aeabi_f2lz(float x) {
  const uint32_t bits = martlet_float_bits(x);
  const uint64_t whole = martlet_whole_float(bits);
  return (int64_t)(bits >> 31 ? 0 - whole : whole);
}
MARTLET_HELPER uint64_t __aeabi_d2ulz(double x) { return martlet_whole_double(martlet_double_bits(x)); }
MARTLET_HELPER int64_t __aeabi_d2lz(double x) {
  const uint64_t bits = martlet_double_bits(x), whole = martlet_whole_double(bits);
  return (int64_t)(bits >> 63 ? 0 - whole : whole);
}
