/* Running kernels. */
#include "runtime.h"

MARTLET_LOCAL martlet_status martlet_guard(martlet_context *context, int holds, martlet_status status,
                                           const char *site, const char *message) {
  return holds ? MARTLET_OK : martlet_fail(context, status, "%s: %s", site, message);
}

#if MARTLET_THREADS
typedef struct martlet_job {
  martlet_kernel kernel;
  void *const *buffers;
  const int64_t *scalars;
  int64_t threads;
  uint64_t first_error; /* part << 32 | status; the lowest part wins, whoever came first */
} martlet_job;

MARTLET_LOCAL void martlet_run_part(void *argument, int64_t index) {
  martlet_job *job = (martlet_job *)argument;
  const int32_t status = job->kernel(job->buffers, job->scalars, index, job->threads);
  if (__builtin_expect(status != MARTLET_OK, 0)) {
    const uint64_t error = (uint64_t)index << 32 | (uint32_t)status;
    uint64_t first = __atomic_load_n(&job->first_error, __ATOMIC_RELAXED);
    while (error < first && !__atomic_compare_exchange_n(&job->first_error, &first, error, 0, __ATOMIC_RELAXED,
                                                         __ATOMIC_RELAXED)) {
    }
  }
}

MARTLET_LOCAL martlet_status martlet_fork_join(martlet_context *context, martlet_kernel kernel, void *const *buffers,
                                               const int64_t *scalars, int64_t threads) {
  martlet_job job = {kernel, buffers, scalars, threads, UINT64_MAX};
  int64_t i;
  if (context->parallel_for) {
    context->parallel_for(context->user, threads, martlet_run_part, &job);
  } else if (!context->pool->run(context->pool, threads, martlet_run_part, &job)) {
    /* Somebody else's job is on: the same parts, one after the other, give the same bits without a wait. */
    for (i = 0; i < threads; ++i) martlet_run_part(&job, i);
  }
  return job.first_error == UINT64_MAX ? MARTLET_OK : (martlet_status)(uint32_t)job.first_error;
}
#endif

MARTLET_LOCAL martlet_status martlet_dispatch(martlet_context *context, martlet_kernel kernel, void *const *buffers,
                                              const int64_t *scalars, int64_t parts, const char *site) {
  martlet_status status;
#if MARTLET_THREADS
  const int64_t threads = martlet_min(parts, context->threads);
  if (threads > 1) status = martlet_fork_join(context, kernel, buffers, scalars, threads);
  else
#endif
    status = kernel(buffers, scalars, 0, 1);
  (void)parts;
  if (__builtin_expect(status == MARTLET_OK, 1)) return MARTLET_OK;
  return martlet_fail(context, status, "%s: %s", site, martlet_status_text(status));
}
