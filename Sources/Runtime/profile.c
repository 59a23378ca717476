/* What `--profile` adds: how often each step of the program ran, how long it took and how much it did. Without it nothing
 * of this is compiled, and no step looks at a clock. */
#include "runtime.h"

#if MARTLET_PROFILE
/* Ticks of a clock that runs at one speed and needs neither libc nor the kernel. Its speed is for the reader to find
 * out, against a clock that it trusts. */
MARTLET_LOCAL uint64_t martlet_ticks(void) {
#if defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#elif defined(__riscv) && __riscv_xlen == 64
  uint64_t ticks;
  __asm__ volatile("rdtime %0" : "=r"(ticks));
  return ticks;
#elif defined(__arm__) && MARTLET_SYSTEM
  /* The cycle counter is the kernel's own, and not every core has another; but its clock has nanoseconds. */
  long now[2] = {0, 0};
  martlet_system(263 /* clock_gettime */, 1, (long)now, 0, 0, 0, 0);
  return (uint64_t)(uint32_t)now[0] * 1000000000u + (uint32_t)now[1];
#else
  return (uint64_t)__builtin_readcyclecounter();
#endif
}

MARTLET_LOCAL martlet_step_count *martlet_counts(const martlet_context *context) {
  return (martlet_step_count *)(void *)((unsigned char *)(uintptr_t)context +
                                        martlet_align((int64_t)sizeof(martlet_context)));
}

MARTLET_LOCAL void martlet_count(martlet_context *context, int32_t number, uint64_t start, int64_t multiply_adds,
                                 int64_t bytes) {
  martlet_step_count *const count = martlet_counts(context) + number;
  count->ticks += martlet_ticks() - start;
  count->calls += 1;
  count->multiply_adds = martlet_size_add(count->multiply_adds, multiply_adds);
  count->bytes = martlet_size_add(count->bytes, bytes);
}

MARTLET_LOCAL const martlet_step_count *martlet_read_counts(const martlet_context *context) {
  return context ? martlet_counts(context) : NULL;
}

MARTLET_LOCAL martlet_status martlet_clear_counts(martlet_context *context) {
  if (!context || !martlet_enter(context)) return MARTLET_INVALID_ARGUMENT;
  __builtin_memset(martlet_counts(context), 0, MARTLET_PROFILE * sizeof(martlet_step_count));
  martlet_leave(context);
  return MARTLET_OK;
}
#endif
