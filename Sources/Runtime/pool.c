/* A fork-join pool.
 *
 * The caller of a job is its thread 0. Each worker waits for its own counter `go` to move, does its part, and stores
 * the same number in `done`; both have a pair of cache lines to themselves (adjacent lines are fetched together), and
 * the job lies beside `go`, so that a job costs each worker one line there and one back. Everybody spins for a bounded
 * number of pauses and then sleeps in a futex; the waking call is made only when the sleeper said that it sleeps.
 *
 * Fork: a child has the memory of the pool but not its threads. One page is mapped so that the kernel zeroes it in a
 * child (MADV_WIPEONFORK, Linux 4.14): noticing a fork is one load, where pthread_atfork would register with a library
 * that may be unloaded and getpid would be a system call in every job. Only where the kernel does not know that
 * advice, the process id is asked. The first job in the child starts new threads, the one place where a run may
 * allocate; should that fail, the caller does all parts itself. */
#include "runtime.h"

#if MARTLET_POOL

extern int pthread_create(unsigned long *thread, const void *attributes, void *(*start)(void *), void *argument);
extern int pthread_join(unsigned long thread, void **result);

#define MARTLET_LINES 128

enum {
  /* Pauses before sleeping, some 20 to 150 microseconds. While a run is on, the next job mostly comes sooner; idle
   * workers stay a little longer, for the next run of a loop. A join has the shorter wait. */
  MARTLET_SPIN_JOIN = 2000,
  MARTLET_SPIN_IDLE = 4000,
  /* With more threads than CPUs whoever spins keeps another from working. */
  MARTLET_SPIN_CROWDED = 20
};

/* What the page that a fork wipes says. */
enum { MARTLET_FORKED = 0, MARTLET_ALIVE = 1, MARTLET_REBUILDING = 2 };

typedef struct martlet_threads martlet_threads;

typedef struct martlet_worker {
  _Alignas(MARTLET_LINES) uint32_t go; /* written by the caller, after the job beside it */
  uint32_t asleep;                     /* written by the worker: it may be sleeping on go */
  void (*body)(void *argument, int64_t index);
  void *argument;
  _Alignas(MARTLET_LINES) uint32_t done; /* written by the worker */
  uint32_t awaited;                      /* written by the caller: it may be sleeping on done */
  _Alignas(MARTLET_LINES) martlet_threads *threads;
  int64_t index;
  unsigned long thread;
} martlet_worker;

struct martlet_threads {
  martlet_pool head;
  uint32_t *generation; /* the page that a fork wipes */
  int32_t wiped;        /* whether the kernel really does that */
  int64_t process;
  int32_t started;      /* workers that exist */
  int32_t stop;
  int32_t spin_join;
  int32_t spin_idle;
  _Alignas(MARTLET_LINES) uint32_t busy;
  martlet_worker workers[]; /* head.threads - 1 of them, for threads 1 and up */
};

MARTLET_LOCAL void martlet_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  /* `yield` does nothing on most cores; a barrier of the pipeline waits about as long as x86's pause. */
  __asm__ volatile("isb" ::: "memory");
#else
  __asm__ volatile("" ::: "memory");
#endif
}

MARTLET_LOCAL void martlet_futex(uint32_t *word, int wake, uint32_t value) {
  enum { WAIT_PRIVATE = 128, WAKE_PRIVATE = 129 };
  martlet_system(MARTLET_SYS_FUTEX, (long)word, wake ? WAKE_PRIVATE : WAIT_PRIVATE, (long)value, 0, 0, 0);
}

/* Waits until *word is no longer `old` and returns what it is. Sleeper and waker each write one word and then read the
 * other's, in sequentially consistent order, so that at least one of them sees the other. */
MARTLET_LOCAL uint32_t martlet_wait(uint32_t *word, uint32_t old, uint32_t *asleep, int32_t spins) {
  uint32_t value;
  for (; spins > 0; --spins) {
    value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
    if (value != old) return value;
    martlet_pause();
  }
  __atomic_store_n(asleep, 1, __ATOMIC_SEQ_CST);
  while ((value = __atomic_load_n(word, __ATOMIC_SEQ_CST)) == old) martlet_futex(word, 0, old);
  __atomic_store_n(asleep, 0, __ATOMIC_RELAXED);
  return value;
}

MARTLET_LOCAL void martlet_wake(uint32_t *word, uint32_t *asleep) {
  if (__atomic_load_n(asleep, __ATOMIC_SEQ_CST)) martlet_futex(word, 1, 1);
}

MARTLET_LOCAL void *martlet_work(void *argument) {
  martlet_worker *worker = (martlet_worker *)argument;
  martlet_threads *threads = worker->threads;
  uint32_t seen = 0;
  for (;;) {
    seen = martlet_wait(&worker->go, seen, &worker->asleep, threads->spin_idle);
    if (threads->stop) return NULL;
    worker->body(worker->argument, worker->index);
    __atomic_store_n(&worker->done, seen, __ATOMIC_SEQ_CST);
    martlet_wake(&worker->done, &worker->awaited);
  }
}

/* Starts the workers. Signals meant for the program are not delivered to them. */
MARTLET_LOCAL void martlet_start(martlet_threads *threads) {
  enum { SET_MASK = 2 };
  /* All but SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV and SIGPROF, which concern the thread itself. */
  const uint64_t own = 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 10 | 1u << 26;
  const uint64_t mask = ~own;
  uint64_t before = 0;
  int32_t i, count = threads->head.threads - 1;
  martlet_system(MARTLET_SYS_RT_SIGPROCMASK, SET_MASK, (long)&mask, (long)&before, 8, 0, 0);
  threads->started = 0;
  for (i = 0; i < count; ++i) {
    martlet_worker *worker = &threads->workers[i];
    worker->go = worker->done = worker->asleep = worker->awaited = 0;
    worker->threads = threads;
    worker->index = i + 1;
    if (pthread_create(&worker->thread, NULL, martlet_work, worker)) break;
    ++threads->started;
  }
  martlet_system(MARTLET_SYS_RT_SIGPROCMASK, SET_MASK, (long)&before, 0, 8, 0, 0);
}

MARTLET_LOCAL int64_t martlet_process(void) { return martlet_system(MARTLET_SYS_GETPID, 0, 0, 0, 0, 0, 0); }

/* Whether the workers are those of this process. */
MARTLET_LOCAL int martlet_is_alive(martlet_threads *threads) {
  if (__atomic_load_n(threads->generation, __ATOMIC_ACQUIRE) != MARTLET_ALIVE) return 0;
  if (threads->wiped || __atomic_load_n(&threads->process, __ATOMIC_RELAXED) == martlet_process()) return 1;
  /* Do by hand what the kernel does not; of several threads that come here one succeeds in rebuilding. */
  uint32_t alive = MARTLET_ALIVE;
  __atomic_compare_exchange_n(threads->generation, &alive, MARTLET_FORKED, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
  return 0;
}

/* In a child, starts new workers. 0: another thread is just doing that. */
MARTLET_LOCAL int martlet_revive(martlet_threads *threads) {
  uint32_t forked = MARTLET_FORKED;
  if (!__atomic_compare_exchange_n(threads->generation, &forked, MARTLET_REBUILDING, 0, __ATOMIC_ACQ_REL,
                                   __ATOMIC_RELAXED))
    return 0;
  /* A thread that exists in the parent only may have held it. */
  __atomic_store_n(&threads->busy, 0, __ATOMIC_RELAXED);
  martlet_start(threads);
  __atomic_store_n(&threads->process, martlet_process(), __ATOMIC_RELAXED);
  __atomic_store_n(threads->generation, MARTLET_ALIVE, __ATOMIC_RELEASE);
  return 1;
}

MARTLET_LOCAL int32_t martlet_pool_run(martlet_pool *pool, int64_t count, void (*body)(void *argument, int64_t index),
                                       void *argument) {
  martlet_threads *threads = (martlet_threads *)pool;
  int64_t i, helpers;
  if (!martlet_is_alive(threads) && !martlet_revive(threads)) return 0;
  if (__atomic_exchange_n(&threads->busy, 1, __ATOMIC_ACQUIRE)) return 0;
  helpers = martlet_min(count - 1, threads->started);
  for (i = 0; i < helpers; ++i) {
    martlet_worker *worker = &threads->workers[i];
    worker->body = body;
    worker->argument = argument;
    __atomic_store_n(&worker->go, worker->go + 1, __ATOMIC_SEQ_CST);
  }
  for (i = 0; i < helpers; ++i) martlet_wake(&threads->workers[i].go, &threads->workers[i].asleep);
  body(argument, 0);
  for (i = helpers + 1; i < count; ++i) body(argument, i);
  for (i = 0; i < helpers; ++i) {
    martlet_worker *worker = &threads->workers[i];
    martlet_wait(&worker->done, worker->go - 1, &worker->awaited, threads->spin_join);
  }
  __atomic_store_n(&threads->busy, 0, __ATOMIC_RELEASE);
  return 1;
}

enum { MARTLET_PAGE = 4096 };

MARTLET_LOCAL martlet_pool *martlet_pool_create(int32_t count) {
  const int32_t cpus = martlet_cpu_count();
  martlet_threads *threads;
  int64_t bytes;
  if (count <= 0) count = cpus;
  if (count > MARTLET_MAXIMUM_THREADS) count = MARTLET_MAXIMUM_THREADS;
  bytes = (int64_t)sizeof *threads + (int64_t)sizeof(martlet_worker) * (count - 1);
  threads = (martlet_threads *)martlet_allocate(bytes);
  if (!threads) return NULL;
  __builtin_memset(threads, 0, (size_t)bytes);
  threads->generation = (uint32_t *)martlet_map(MARTLET_PAGE, -1);
  if (!threads->generation) {
    martlet_release(threads);
    return NULL;
  }
  /* An emulator that takes any advice, even one that does not exist, does not follow it. */
  threads->wiped = !martlet_advise(threads->generation, MARTLET_PAGE, -1) &&
                   martlet_advise(threads->generation, MARTLET_PAGE, MARTLET_ADVISE_WIPE_ON_FORK);
  threads->process = martlet_process();
  threads->head.struct_size = sizeof threads->head;
  threads->head.threads = count;
  threads->head.run = martlet_pool_run;
  threads->spin_join = count > cpus ? MARTLET_SPIN_CROWDED : MARTLET_SPIN_JOIN;
  threads->spin_idle = count > cpus ? MARTLET_SPIN_CROWDED : MARTLET_SPIN_IDLE;
  martlet_start(threads);
  __atomic_store_n(threads->generation, MARTLET_ALIVE, __ATOMIC_RELEASE);
  return &threads->head;
}

MARTLET_LOCAL void martlet_pool_destroy(martlet_pool *pool) {
  martlet_threads *threads = (martlet_threads *)pool;
  int32_t i;
  if (!pool) return;
  if (martlet_is_alive(threads)) {
    threads->stop = 1;
    for (i = 0; i < threads->started; ++i) {
      martlet_worker *worker = &threads->workers[i];
      __atomic_store_n(&worker->go, worker->go + 1, __ATOMIC_SEQ_CST);
      martlet_wake(&worker->go, &worker->asleep);
    }
    for (i = 0; i < threads->started; ++i) pthread_join(threads->workers[i].thread, NULL);
  }
  martlet_unmap(threads->generation, MARTLET_PAGE);
  martlet_release(threads);
}

#else

MARTLET_LOCAL martlet_pool *martlet_pool_create(int32_t count) {
  (void)count;
  return NULL;
}
MARTLET_LOCAL void martlet_pool_destroy(martlet_pool *pool) { (void)pool; }

#endif
