/* The few Linux system calls the runtime makes, without libc: headers and symbol versions of the target do not matter,
 * and errno is not touched. */
#include "runtime.h"

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__) || (defined(__riscv) && __riscv_xlen == 64) ||    \
                           (defined(__arm__) && defined(__ARM_EABI__)))
#define MARTLET_SYSTEM 1

#if defined(__x86_64__)
enum {
  MARTLET_SYS_READ = 0, MARTLET_SYS_CLOSE = 3, MARTLET_SYS_MMAP = 9, MARTLET_SYS_MUNMAP = 11,
  MARTLET_SYS_RT_SIGPROCMASK = 14, MARTLET_SYS_MADVISE = 28, MARTLET_SYS_GETPID = 39, MARTLET_SYS_PRCTL = 157,
  MARTLET_SYS_FUTEX = 202, MARTLET_SYS_SCHED_GETAFFINITY = 204, MARTLET_SYS_OPENAT = 257, MARTLET_SYS_LSEEK = 8
};
MARTLET_LOCAL long martlet_system(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__arm__)
enum {
  MARTLET_SYS_READ = 3, MARTLET_SYS_CLOSE = 6, MARTLET_SYS_LSEEK = 19, MARTLET_SYS_GETPID = 20,
  MARTLET_SYS_MUNMAP = 91, MARTLET_SYS_PRCTL = 172, MARTLET_SYS_RT_SIGPROCMASK = 175,
  MARTLET_SYS_MMAP = 192, /* counts in pages, which makes no difference to the start of a file */
  MARTLET_SYS_MADVISE = 220, MARTLET_SYS_FUTEX = 240, MARTLET_SYS_SCHED_GETAFFINITY = 242, MARTLET_SYS_OPENAT = 322
};
MARTLET_LOCAL long martlet_system(long number, long a, long b, long c, long d, long e, long f) {
  register long r0 __asm__("r0") = a;
  register long r1 __asm__("r1") = b;
  register long r2 __asm__("r2") = c;
  register long r3 __asm__("r3") = d;
  register long r4 __asm__("r4") = e;
  register long r5 __asm__("r5") = f;
  /* r7 may be the frame pointer, which cannot be an operand. */
  __asm__ volatile("push {r7}\n\tmov r7, %1\n\tsvc 0\n\tpop {r7}"
                   : "+r"(r0)
                   : "r"(number), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
                   : "memory");
  return r0;
}
#else
enum {
  MARTLET_SYS_OPENAT = 56, MARTLET_SYS_CLOSE = 57, MARTLET_SYS_LSEEK = 62, MARTLET_SYS_READ = 63,
  MARTLET_SYS_FUTEX = 98, MARTLET_SYS_SCHED_GETAFFINITY = 123, MARTLET_SYS_RT_SIGPROCMASK = 135,
  MARTLET_SYS_PRCTL = 167, MARTLET_SYS_GETPID = 172, MARTLET_SYS_MUNMAP = 215, MARTLET_SYS_MMAP = 222,
  MARTLET_SYS_MADVISE = 233
};
#if defined(__aarch64__)
#define MARTLET_REGISTER(n) __asm__("x" #n)
#define MARTLET_NUMBER __asm__("x8")
#define MARTLET_CALL "svc 0"
#else
#define MARTLET_REGISTER(n) __asm__("a" #n)
#define MARTLET_NUMBER __asm__("a7")
#define MARTLET_CALL "ecall"
#endif
MARTLET_LOCAL long martlet_system(long number, long a, long b, long c, long d, long e, long f) {
  register long n MARTLET_NUMBER = number;
  register long a0 MARTLET_REGISTER(0) = a;
  register long a1 MARTLET_REGISTER(1) = b;
  register long a2 MARTLET_REGISTER(2) = c;
  register long a3 MARTLET_REGISTER(3) = d;
  register long a4 MARTLET_REGISTER(4) = e;
  register long a5 MARTLET_REGISTER(5) = f;
  __asm__ volatile(MARTLET_CALL : "+r"(a0) : "r"(n), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
  return a0;
}
#endif

enum { MARTLET_ADVISE_HUGE_PAGES = 14, MARTLET_ADVISE_WIPE_ON_FORK = 18 };

/* Read-only when `file` is one, else anonymous memory. NULL on failure. */
MARTLET_LOCAL void *martlet_map(int64_t bytes, long file) {
  enum { READ = 1, WRITE = 2, SHARED = 1, PRIVATE = 2, ANONYMOUS = 0x20 };
  long result = file >= 0 ? martlet_system(MARTLET_SYS_MMAP, 0, (long)bytes, READ, SHARED, file, 0)
                          : martlet_system(MARTLET_SYS_MMAP, 0, (long)bytes, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0);
  return result < 0 && result > -4096 ? NULL : (void *)result;
}

MARTLET_LOCAL void martlet_unmap(void *address, int64_t bytes) {
  martlet_system(MARTLET_SYS_MUNMAP, (long)address, (long)bytes, 0, 0, 0, 0);
}

/* Whether the kernel took the advice. */
MARTLET_LOCAL int martlet_advise(void *address, int64_t bytes, long advice) {
  return martlet_system(MARTLET_SYS_MADVISE, (long)address, (long)bytes, advice, 0, 0, 0) == 0;
}

/* A file descriptor for reading, or a negative number. */
MARTLET_LOCAL long martlet_open(const char *path) {
  enum { CURRENT_DIRECTORY = -100, CLOSE_ON_EXEC = 02000000 };
  return martlet_system(MARTLET_SYS_OPENAT, CURRENT_DIRECTORY, (long)path, CLOSE_ON_EXEC, 0, 0, 0);
}

MARTLET_LOCAL void martlet_close(long file) { martlet_system(MARTLET_SYS_CLOSE, file, 0, 0, 0, 0, 0); }

MARTLET_LOCAL long martlet_read(long file, void *buffer, long bytes) {
  return martlet_system(MARTLET_SYS_READ, file, (long)buffer, bytes, 0, 0, 0);
}

MARTLET_LOCAL int64_t martlet_file_size(long file) {
  enum { FROM_END = 2 };
  return martlet_system(MARTLET_SYS_LSEEK, file, 0, FROM_END, 0, 0, 0);
}

/* CPUs this thread may run on: what containers and taskset leave of the machine. */
MARTLET_LOCAL int32_t martlet_cpu_count(void) {
  uint32_t mask[256];
  int32_t count = 0;
  long i, bytes = martlet_system(MARTLET_SYS_SCHED_GETAFFINITY, 0, sizeof mask, (long)mask, 0, 0, 0);
  for (i = 0; i < bytes / 4; ++i)
    for (; mask[i]; mask[i] &= mask[i] - 1) ++count;
  return count > 0 ? count : 1;
}
#else
#define MARTLET_SYSTEM 0

MARTLET_LOCAL int32_t martlet_cpu_count(void) { return 1; }
#endif

/* Own threads need the system above. Elsewhere the caller's parallel_for, or a pool that it hands over, shares work. */
#define MARTLET_POOL (MARTLET_THREADS && MARTLET_SYSTEM)
