/* What `--profile` adds: how often each step of the program ran, how long it took and how much it did. Without it nothing
 * of this is compiled, and no step looks at a clock. */
#include "runtime.h"

#if MARTLET_PROFILE
#if defined(__x86_64__) || defined(__aarch64__) || defined(__riscv)
#define MARTLET_COUNTER 1
#else
#define MARTLET_COUNTER 0
#if defined(__linux__)
typedef struct martlet_time {
  long seconds;
  long nanoseconds;
} martlet_time;
extern int clock_gettime(int clock, martlet_time *time);
#else
/* Machines without a counter that any program may read: whoever links the artifact says the time, in ticks of any
 * length. */
extern uint64_t martlet_clock(void);
#endif
#endif

/* Ticks of a clock that runs at one speed and, where the machine has such a counter, needs neither libc nor the kernel.
 * Its speed is for the reader to find out, against a clock that it trusts. */
MARTLET_LOCAL uint64_t martlet_ticks(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#elif MARTLET_COUNTER && __riscv_xlen == 64
  uint64_t ticks;
  __asm__ volatile("rdtime %0" : "=r"(ticks));
  return ticks;
#elif MARTLET_COUNTER
  uint32_t high, low, again;
  do {
    __asm__ volatile("rdtimeh %0\n\trdtime %1\n\trdtimeh %2" : "=&r"(high), "=&r"(low), "=&r"(again));
  } while (high != again);
  return (uint64_t)high << 32 | low;
#elif defined(__linux__)
  enum { MONOTONIC = 1 };
  martlet_time now = {0, 0};
  clock_gettime(MONOTONIC, &now);
  return (uint64_t)now.seconds * 1000000000u + (uint64_t)now.nanoseconds;
#else
  return martlet_clock();
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
