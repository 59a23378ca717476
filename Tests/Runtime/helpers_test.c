/* The helpers of 32-bit machines against the instructions of this one. */
#include "helpers_convert.c"
#define sqrt martlet_sqrt
#include "helpers_double.c"
#undef sqrt
#include "helpers_divide.c"

#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t state = 1;

static uint64_t word(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

/* Numbers of every size, and the edges of each. */
static uint64_t integer(void) {
  static const uint64_t edges[] = {0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, ~0ull, 1ull << 63};
  const uint64_t pick = word();
  if (pick % 8 == 0) return edges[pick / 8 % 10];
  return word() >> (pick / 8 % 64);
}

static double number(void) {
  static const double edges[] = {0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, 0x1p-1074, 0x1p-1022, 0x1.fffffffffffffp1023};
  const uint64_t pick = word();
  if (pick % 8 == 0) return edges[pick / 8 % 10];
  if (pick % 8 == 1) return (double)(int64_t)integer();
  /* Near 1, where sums cancel; near the ends of f32 and f64; anywhere. */
  if (pick % 8 < 5) return martlet_double((word() & FRACTION) | (uint64_t)(1023 - 3 + pick / 8 % 6) << 52 | (pick & SIGN));
  if (pick % 8 == 5) return martlet_double((word() & FRACTION) | (uint64_t)(pick / 8 % 60) << 52);
  if (pick % 8 == 6) return martlet_double((word() & FRACTION) | (uint64_t)(1023 - 155 + pick / 8 % 300) << 52);
  return martlet_double(word());
}

static int faults;

static void same(const char *what, double a, double b, double got, double expected) {
  if ((isnan(got) && isnan(expected)) || martlet_double_bits(got) == martlet_double_bits(expected)) return;
  if (++faults < 20) printf("%s(%a, %a) is %a, not %a\n", what, a, b, got, expected);
}

static void equal(const char *what, uint64_t a, uint64_t b, uint64_t got, uint64_t expected) {
  if (got != expected && ++faults < 20)
    printf("%s(%llx, %llx) is %llx, not %llx\n", what, (unsigned long long)a, (unsigned long long)b,
           (unsigned long long)got, (unsigned long long)expected);
}

int main(void) {
  for (int i = 0; i < 2000000; ++i) {
    const double a = number(), b = number();
    const float x = (float)a;
    const uint64_t m = integer(), n = integer();
    uint64_t rest;
    int64_t left;
    same("add", a, b, __aeabi_dadd(a, b), a + b);
    same("sub", a, b, __aeabi_dsub(a, b), a - b);
    same("mul", a, b, __aeabi_dmul(a, b), a * b);
    same("div", a, b, __aeabi_ddiv(a, b), a / b);
    same("sqrt", a, 0, martlet_sqrt(a), sqrt(a));
    same("d2f", a, 0, __aeabi_d2f(a), x);
    same("f2d", x, 0, __aeabi_f2d(x), x);
    same("i2d", (int32_t)m, 0, __aeabi_i2d((int32_t)m), (int32_t)m);
    same("ui2d", (uint32_t)m, 0, __aeabi_ui2d((uint32_t)m), (uint32_t)m);
    same("l2d", 0, 0, __aeabi_l2d((int64_t)m), (double)(int64_t)m);
    same("ul2d", 0, 0, __aeabi_ul2d(m), (double)m);
    same("l2f", 0, 0, __aeabi_l2f((int64_t)m), (float)(int64_t)m);
    same("ul2f", 0, 0, __aeabi_ul2f(m), (float)m);
    equal("eq", 0, 0, (uint64_t)__aeabi_dcmpeq(a, b), a == b);
    equal("lt", 0, 0, (uint64_t)__aeabi_dcmplt(a, b), a < b);
    equal("le", 0, 0, (uint64_t)__aeabi_dcmple(a, b), a <= b);
    equal("gt", 0, 0, (uint64_t)__aeabi_dcmpgt(a, b), a > b);
    equal("ge", 0, 0, (uint64_t)__aeabi_dcmpge(a, b), a >= b);
    equal("un", 0, 0, (uint64_t)__aeabi_dcmpun(a, b), isnan(a) || isnan(b));
    if (fabs(a) < 0x1p31) equal("d2iz", 0, 0, (uint64_t)__aeabi_d2iz(a), (uint64_t)(int64_t)(int32_t)a);
    if (a >= 0 && a < 0x1p32) equal("d2uiz", 0, 0, __aeabi_d2uiz(a), (uint32_t)a);
    if (fabs(a) < 0x1p63) equal("d2lz", 0, 0, (uint64_t)__aeabi_d2lz(a), (uint64_t)(int64_t)a);
    if (a >= 0 && a < 0x1p64) equal("d2ulz", 0, 0, __aeabi_d2ulz(a), (uint64_t)a);
    if (fabsf(x) < 0x1p63f) equal("f2lz", 0, 0, (uint64_t)__aeabi_f2lz(x), (uint64_t)(int64_t)x);
    if (x >= 0 && x < 0x1p64f) equal("f2ulz", 0, 0, __aeabi_f2ulz(x), (uint64_t)x);
    if (n) {
      equal("udiv", m, n, martlet_divide_unsigned(m, n, &rest), m / n);
      equal("urem", m, n, rest, m % n);
    }
    if (n && !(m == (uint64_t)1 << 63 && n == ~(uint64_t)0)) {
      equal("div", m, n, (uint64_t)martlet_divide_signed((int64_t)m, (int64_t)n, &left), (uint64_t)((int64_t)m / (int64_t)n));
      equal("rem", m, n, (uint64_t)left, (uint64_t)((int64_t)m % (int64_t)n));
    }
  }
  if (faults) printf("%d faults\n", faults);
  return faults != 0;
}
