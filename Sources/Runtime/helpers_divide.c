/* Division of integers: 64 bits, and 32 bits where there is no instruction. By zero: whatever, but no trap. */
#include "helpers.h"

static uint64_t martlet_divide(uint64_t a, uint64_t b, uint64_t *rest) {
  uint64_t quotient = 0;
  int shift;
#if defined(__ARM_FEATURE_IDIV)
  if (!((a | b) >> 32) && b) {
    const uint32_t q = (uint32_t)a / (uint32_t)b;
    *rest = (uint32_t)a - q * (uint32_t)b;
    return q;
  }
#endif
  if (!b || a < b) {
    *rest = a;
    return 0;
  }
  shift = martlet_zeros(b) - martlet_zeros(a);
  for (b <<= shift; shift >= 0; --shift, b >>= 1) {
    quotient <<= 1;
    if (a >= b) {
      a -= b;
      quotient |= 1;
    }
  }
  *rest = a;
  return quotient;
}

__attribute__((used, noinline)) static uint64_t martlet_divide_unsigned(uint64_t a, uint64_t b, uint64_t *rest) {
  return martlet_divide(a, b, rest);
}

__attribute__((used, noinline)) static int64_t martlet_divide_signed(int64_t a, int64_t b, int64_t *rest) {
  uint64_t left;
  const uint64_t quotient =
      martlet_divide(a < 0 ? 0 - (uint64_t)a : (uint64_t)a, b < 0 ? 0 - (uint64_t)b : (uint64_t)b, &left);
  *rest = (int64_t)(a < 0 ? 0 - left : left);
  return (int64_t)((a < 0) != (b < 0) ? 0 - quotient : quotient);
}

#if defined(__arm__)
/* Quotient in r0 and r1, rest in r2 and r3: no C type comes back like that. */
#define MARTLET_QUOTIENT_AND_REST(function)                                                                            \
  __asm__("push {r6, lr}\n\tsub sp, sp, #16\n\tadd r6, sp, #8\n\tstr r6, [sp]\n\tbl " #function                         \
          "\n\tldr r2, [sp, #8]\n\tldr r3, [sp, #12]\n\tadd sp, sp, #16\n\tpop {r6, pc}")

__attribute__((naked)) MARTLET_HELPER void __aeabi_uldivmod(void) { MARTLET_QUOTIENT_AND_REST(martlet_divide_unsigned); }
__attribute__((naked)) MARTLET_HELPER void __aeabi_ldivmod(void) { MARTLET_QUOTIENT_AND_REST(martlet_divide_signed); }

/* Quotient in r0, rest in r1. */
MARTLET_HELPER uint64_t __aeabi_uidivmod(uint32_t a, uint32_t b) {
  uint64_t rest;
  const uint64_t quotient = martlet_divide(a, b, &rest);
  return rest << 32 | quotient;
}
MARTLET_HELPER uint64_t __aeabi_idivmod(int32_t a, int32_t b) {
  int64_t rest;
  const int64_t quotient = martlet_divide_signed(a, b, &rest);
  return (uint64_t)rest << 32 | (uint32_t)quotient;
}
MARTLET_HELPER uint32_t __aeabi_uidiv(uint32_t a, uint32_t b) { return (uint32_t)__aeabi_uidivmod(a, b); }
MARTLET_HELPER int32_t __aeabi_idiv(int32_t a, int32_t b) { return (int32_t)__aeabi_idivmod(a, b); }
#endif
