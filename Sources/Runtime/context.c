/* What lives between runs: weights, state, own workspace, threads, and the last message. */
#include "runtime.h"

/* Marks the context as in use. 0: another thread is using it. */
MARTLET_LOCAL int martlet_enter(martlet_context *context) {
#if MARTLET_THREADS
  return !__atomic_exchange_n(&context->running, 1, __ATOMIC_ACQUIRE);
#else
  if (context->running) return 0;
  context->running = 1;
  return 1;
#endif
}

MARTLET_LOCAL void martlet_leave(martlet_context *context) {
#if MARTLET_THREADS
  __atomic_store_n(&context->running, 0, __ATOMIC_RELEASE);
#else
  context->running = 0;
#endif
}

MARTLET_LOCAL void martlet_copy_message(const char *message, char *to, int64_t capacity) {
  int64_t i = 0;
  if (!to || capacity <= 0) return;
  for (; message[i] && i < capacity - 1; ++i) to[i] = message[i];
  to[i] = 0;
}

/* A context and, where steps are measured, their counts. */
MARTLET_LOCAL int64_t martlet_own_bytes(void) {
  return martlet_align((int64_t)sizeof(martlet_context)) +
         martlet_align(MARTLET_PROFILE * (int64_t)sizeof(martlet_step_count));
}

MARTLET_LOCAL int64_t martlet_context_bytes(const martlet_config *config) {
  return MARTLET_ALIGNMENT - 1 + martlet_own_bytes() + martlet_align(config->model->state_size);
}

/* Options of an older or newer caller: what it does not know is zero, what this runtime does not know is ignored. */
MARTLET_LOCAL martlet_status martlet_read_options(martlet_context *context, const martlet_options *from,
                                                  martlet_options *options) {
  const size_t size = sizeof *options;
  __builtin_memset(options, 0, size);
  if (!from) return MARTLET_OK;
  if (from->struct_size < 8 || from->struct_size > 4096)
    return martlet_fail(context, MARTLET_INVALID_ARGUMENT, "options: struct_size is %d, set it to sizeof(%s)",
                        (int64_t)from->struct_size, "martlet_options");
  __builtin_memcpy(options, from, from->struct_size < size ? from->struct_size : size);
  if (options->threads < 0)
    return martlet_fail(context, MARTLET_INVALID_ARGUMENT, "options: threads is %d", (int64_t)options->threads);
  return MARTLET_OK;
}

/* Decides how many threads runs use, and on what. */
MARTLET_LOCAL martlet_status martlet_find_threads(martlet_context *context, const martlet_options *options) {
#if MARTLET_THREADS
  const int32_t planned = context->config->maximum_threads;
  int32_t limit = options->threads;
  if (planned > 0 && (limit == 0 || limit > planned)) limit = planned;
  if (limit > MARTLET_MAXIMUM_THREADS) limit = MARTLET_MAXIMUM_THREADS;
  if (options->parallel_for) {
    context->parallel_for = options->parallel_for;
    context->user = options->user;
    context->threads = limit ? limit : martlet_cpu_count();
  } else if (options->pool) {
    context->pool = options->pool;
    context->threads = limit && limit < options->pool->threads ? limit : options->pool->threads;
  } else if (MARTLET_POOL) {
    const int32_t cpus = martlet_cpu_count();
    /* More threads than CPUs only when asked for. */
    context->threads = options->threads ? limit : limit && limit < cpus ? limit : cpus;
    if (context->threads > 1) {
      context->pool = martlet_pool_create(context->threads);
      if (!context->pool) return martlet_fail(context, MARTLET_OUT_OF_MEMORY, "no memory for %d threads",
                                              (int64_t)context->threads);
      context->owns_pool = 1;
    }
  }
#else
  context->threads = 1;
  if (options->parallel_for || options->pool)
    return martlet_fail(context, MARTLET_INVALID_ARGUMENT, "%s was compiled without threads",
                        context->config->model->name);
#endif
  if (context->threads > MARTLET_MAXIMUM_THREADS) context->threads = MARTLET_MAXIMUM_THREADS;
  if (context->threads < 1) context->threads = 1;
  return MARTLET_OK;
}

/* Where the context itself and its state go. */
MARTLET_LOCAL martlet_status martlet_find_memory(martlet_context *context, const martlet_options *options,
                                                 martlet_context **place) {
  const int64_t own = martlet_own_bytes();
  const int64_t state = martlet_align(context->config->model->state_size);
  if (options->memory) {
    const int64_t shift = (int64_t)(-(uintptr_t)options->memory & (MARTLET_ALIGNMENT - 1));
    unsigned char *base = (unsigned char *)options->memory + shift;
    if (options->memory_size < shift + own + state)
      return martlet_fail(context, MARTLET_OUT_OF_MEMORY, "options: memory of %d bytes, context_size() is %d",
                          options->memory_size, martlet_context_bytes(context->config));
    *place = (martlet_context *)(void *)base;
    context->state = state ? base + own : NULL;
    context->memory = base + own + state;
    context->memory_size = options->memory_size - shift - own - state;
    context->workspace = context->memory;
    context->workspace_size = context->memory_size;
    return MARTLET_OK;
  }
#if MARTLET_HEAP
  *place = (martlet_context *)martlet_allocate(own);
  if (*place && state) context->state = (unsigned char *)martlet_allocate(state);
  if (*place && (!state || context->state)) return MARTLET_OK;
  martlet_release(*place);
  return martlet_fail(context, MARTLET_OUT_OF_MEMORY, "no memory for a context with %d bytes of state", state);
#else
  return martlet_fail(context, MARTLET_INVALID_ARGUMENT, "%s has no heap: give create %d bytes of options->memory",
                      context->config->model->name, martlet_context_bytes(context->config));
#endif
}

MARTLET_LOCAL void martlet_destroy(martlet_context *context) {
  if (!context) return;
  if (context->owns_pool) martlet_pool_destroy(context->pool);
  martlet_release_weights(context);
#if MARTLET_HEAP
  if (!context->memory) {
    martlet_release(context->workspace);
    martlet_release(context->state);
    martlet_release(context);
  }
#endif
}

MARTLET_LOCAL martlet_status martlet_initialize_state(martlet_context *context) {
  const martlet_config *config = context->config;
  if (context->state) __builtin_memset(context->state, 0, (size_t)config->model->state_size);
  return config->initialize ? config->initialize(context) : MARTLET_OK;
}

MARTLET_LOCAL martlet_status martlet_create(const martlet_config *config, const martlet_options *from,
                                            martlet_context **result) {
  /* Built here and moved to its place when there is one, so that early failures have room for their message. */
  martlet_context context;
  martlet_context *place = NULL;
  martlet_options options;
  martlet_status status;
  if (!result) return MARTLET_INVALID_ARGUMENT;
  *result = NULL;
  __builtin_memset(&context, 0, sizeof context);
  context.config = config;
  status = martlet_read_options(&context, from, &options);
  if (status) return status;
  status = martlet_check_cpu(&context);
  if (!status) status = martlet_find_weights(&context, &options);
  if (!status) status = martlet_find_memory(&context, &options, &place);
  if (status) {
    martlet_release_weights(&context);
  } else {
    status = martlet_find_threads(&context, &options);
    *place = context;
#if MARTLET_PROFILE
    __builtin_memset(martlet_counts(place), 0, MARTLET_PROFILE * sizeof(martlet_step_count));
#endif
    if (!status) status = martlet_initialize_state(place);
    if (!status) {
      *result = place;
      return status;
    }
    context = *place;
    martlet_destroy(place);
  }
  martlet_copy_message(context.message[0] ? context.message : martlet_status_text(status), options.message,
                       options.message_capacity);
  return status;
}

MARTLET_LOCAL martlet_status martlet_grow_entered(martlet_context *context, int64_t bytes) {
  if (bytes <= context->workspace_size) return MARTLET_OK;
  if (bytes > MARTLET_SIZE_LIMIT)
    return martlet_fail(context, MARTLET_LIMIT_EXCEEDED, "a workspace of %d bytes exceeds the limit of %d", bytes,
                        MARTLET_SIZE_LIMIT);
#if MARTLET_HEAP
  if (!context->memory) {
    unsigned char *workspace = (unsigned char *)martlet_allocate(bytes);
    if (!workspace) return martlet_fail(context, MARTLET_OUT_OF_MEMORY, "no memory for a workspace of %d bytes", bytes);
    martlet_release(context->workspace);
    context->workspace = workspace;
    context->workspace_size = bytes;
    return MARTLET_OK;
  }
#endif
  return martlet_fail(context, MARTLET_OUT_OF_MEMORY, "a workspace of %d bytes is needed, options->memory leaves %d",
                      bytes, context->workspace_size);
}

MARTLET_LOCAL martlet_status martlet_grow(martlet_context *context, int64_t bytes) {
  martlet_status status;
  if (!context || !martlet_enter(context)) return MARTLET_INVALID_ARGUMENT;
  context->message[0] = 0;
  status = martlet_grow_entered(context, bytes);
  martlet_leave(context);
  return status;
}

MARTLET_LOCAL martlet_status martlet_reserve(martlet_context *context, int32_t entry, const int64_t *symbols) {
  const martlet_model *model;
  martlet_status status;
  int64_t bytes;
  if (!context || !martlet_enter(context)) return MARTLET_INVALID_ARGUMENT;
  context->message[0] = 0;
  model = context->config->model;
  if (entry < 0 || entry >= model->entry_count) {
    status = martlet_fail(context, MARTLET_INVALID_ARGUMENT, "%s has no entry number %d", model->name, (int64_t)entry);
  } else if (model->entries[entry]->symbol_count && !symbols) {
    status = martlet_fail(context, MARTLET_INVALID_ARGUMENT, "entry \"%s\": symbols is NULL",
                          model->entries[entry]->name);
  } else if ((bytes = model->entries[entry]->workspace_size(symbols)) < 0) {
    status = martlet_fail(context, MARTLET_LIMIT_EXCEEDED,
                          "entry \"%s\": a symbol is out of range, or the workspace exceeds the limit",
                          model->entries[entry]->name);
  } else {
    status = martlet_grow_entered(context, bytes);
  }
  martlet_leave(context);
  return status;
}

MARTLET_LOCAL martlet_status martlet_reset(martlet_context *context) {
  martlet_status status;
  if (!context || !martlet_enter(context)) return MARTLET_INVALID_ARGUMENT;
  context->message[0] = 0;
  status = martlet_initialize_state(context);
  martlet_leave(context);
  return status;
}

MARTLET_LOCAL const char *martlet_last_error(const martlet_context *context) {
  return context ? context->message : "there is no context";
}

MARTLET_LOCAL int32_t martlet_thread_count(const martlet_context *context) { return context ? context->threads : 0; }

MARTLET_LOCAL int64_t martlet_own_workspace(const martlet_context *context) {
  return context ? context->workspace_size : 0;
}
