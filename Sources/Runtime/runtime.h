/* runtime.h: what the generated model.c of an artifact uses, and what the runtime's own files share.
 *
 * The runtime is text that Martlet carries. model.c opens with `#include "runtime.c"`, so that an artifact's table,
 * program and runtime are one translation unit in which everything but `<name>_model` is static. Nothing here includes
 * a system header: a foreign target needs no sysroot to be compiled for.
 *
 * Undefined symbols of the resulting object, besides the kernels and the weights pointer:
 *
 *   always                memcpy memset memmove
 *   MARTLET_HEAP=1        malloc free
 *   MARTLET_THREADS=1     pthread_create pthread_join (Linux)
 *   aarch64, arm, riscv64 getauxval (when features are required)
 *   MARTLET_PROFILE=N     nothing on x86_64, aarch64 and riscv; clock_gettime on other machines with Linux, and without
 *                         it martlet_clock, which the program defines
 *
 * Files, mappings, futexes and affinity go to the kernel directly (system.c).
 *
 * Switches, all -D:
 *   MARTLET_PREFIX=digits    the artifact's name
 *   MARTLET_HEAP=0           no malloc; contexts live in options->memory
 *   MARTLET_THREADS=0        no threads and no atomics
 *   MARTLET_WEIGHTS_FILE=1   the weights are a side file
 *   MARTLET_PROFILE=20       so many counts behind every context: one an entry, then one a step; defined by model.c
 *   MARTLET_APART=1          the runtime is an object of its own, compiled once for many models: model.c includes this
 *                            header alone. Not for what others link, since names of two such objects would clash.
 */
#ifndef MARTLET_RUNTIME_H
#define MARTLET_RUNTIME_H

#include "martlet.h"

#include <stdarg.h>

#ifndef MARTLET_HEAP
#define MARTLET_HEAP 1
#endif
#ifndef MARTLET_THREADS
#if defined(__linux__) && MARTLET_HEAP
#define MARTLET_THREADS 1
#else
#define MARTLET_THREADS 0
#endif
#endif
#ifndef MARTLET_WEIGHTS_FILE
#define MARTLET_WEIGHTS_FILE 0
#endif

#ifndef MARTLET_PROFILE
#define MARTLET_PROFILE 0
#endif
#ifndef MARTLET_APART
#define MARTLET_APART 0
#endif

#define MARTLET_PASTE_(a, b) a##_##b
#define MARTLET_PASTE(a, b) MARTLET_PASTE_(a, b)
/* MARTLET_NAME(model) is digits_model in the artifact `digits`. */
#define MARTLET_NAME(suffix) MARTLET_PASTE(MARTLET_PREFIX, suffix)

#if defined(_WIN32)
#define MARTLET_EXPORT __declspec(dllexport)
#else
#define MARTLET_EXPORT __attribute__((visibility("default")))
#endif
/* Kernels and the weights pointer: other objects of the same artifact. */
#define MARTLET_HIDDEN __attribute__((visibility("hidden")))
/* Not every artifact uses every part of the runtime. */
#define MARTLET_INLINE static __attribute__((unused))
#if MARTLET_APART
#define MARTLET_LOCAL MARTLET_HIDDEN
#else
#define MARTLET_LOCAL MARTLET_INLINE
#endif

#define MARTLET_ALIGNMENT 64
/* Beyond this a workspace is refused as MARTLET_LIMIT_EXCEEDED; sums of a few such sizes cannot overflow. */
#define MARTLET_SIZE_LIMIT (sizeof(void *) < 8 ? (int64_t)INT32_MAX : (int64_t)1 << 46)
#define MARTLET_MAXIMUM_THREADS 1024
#define MARTLET_MESSAGE_CAPACITY 512

/* A kernel does part `thread` of `threads` of its work and returns a status. It finds its buffers and run-time numbers
 * in two arrays whose layout the compiler chose. Doing all parts one after the other gives the same bits. */
typedef int32_t (*martlet_kernel)(void *const *buffers, const int64_t *scalars, int64_t thread, int64_t threads);

/* What the compiler tells the runtime about an artifact: one static constant in model.c. */
typedef struct martlet_config {
  const martlet_model *model;
  const char *const *features;        /* CPU features by LLVM's names, or x86-64-v2...v4; ends with NULL; may be NULL */
  const void *const *weights_pointer; /* the 8-byte word of the weights object; NULL: no weights or a side file */
  const char *weights_file;           /* the side file's base name, or NULL */
  uint64_t weights_hash;              /* what the side file's header must say */
  int32_t maximum_threads;            /* what scratch was planned for; 0: any number */
  martlet_status (*initialize)(martlet_context *context); /* fills zeroed state; NULL: zeros are right */
} martlet_config;

/* The first 48 bytes of a side file of weights, little endian. The directory follows, then the data at a multiple of
 * 4096. */
typedef struct martlet_weights_header {
  char magic[8]; /* "MARTLETW" */
  uint32_t version;
  uint32_t entry_count;
  uint64_t hash; /* of the directory, which holds a hash of every entry */
  uint64_t data_offset;
  uint64_t data_bytes;
  uint64_t directory_bytes; /* names, types and layouts; not read at run time */
} martlet_weights_header;

struct martlet_context {
  const martlet_config *config;
  const unsigned char *weights;
  unsigned char *state;

  martlet_pool *pool;
  martlet_parallel_for parallel_for;
  void *user;
  int32_t threads;
  int32_t owns_pool;

  unsigned char *workspace;
  int64_t workspace_size;

  void *mapping; /* of the side file */
  int64_t mapping_size;
  unsigned char *memory; /* the part of options->memory that workspace may take; NULL: the heap */
  int64_t memory_size;

  uint32_t running;
  char message[MARTLET_MESSAGE_CAPACITY];
};

/* One call of `run`. */
typedef struct martlet_frame {
  martlet_context *context;
  const martlet_entry *entry;
  const martlet_tensor *inputs;
  martlet_tensor *outputs;
  int64_t *symbols;
  unsigned char *base; /* of the workspace, aligned */
  int64_t size;        /* usable bytes from base */
  int64_t used;
  int64_t taken;       /* bytes at the end that lists have taken */
  int64_t slack;       /* bytes lost to alignment of the caller's workspace */
  int64_t *needed;
} martlet_frame;

/* Sizes: arguments are at least zero, and what exceeds int64_t stays at its maximum, to be refused later. */
MARTLET_INLINE int64_t martlet_size_add(int64_t a, int64_t b) { return a > INT64_MAX - b ? INT64_MAX : a + b; }
MARTLET_INLINE int64_t martlet_size_multiply(int64_t a, int64_t b) {
  return b != 0 && a > INT64_MAX / b ? INT64_MAX : a * b;
}
/* Of any integers; *lost tells that a result did not fit. */
MARTLET_INLINE int64_t martlet_exact_add(int64_t a, int64_t b, int *lost) {
  int64_t sum;
  *lost |= __builtin_add_overflow(a, b, &sum);
  return sum;
}
MARTLET_INLINE int64_t martlet_exact_multiply(int64_t a, int64_t b, int *lost) {
  int64_t product;
  *lost |= __builtin_mul_overflow(a, b, &product);
  return product;
}
MARTLET_INLINE int64_t martlet_align(int64_t size) {
  return martlet_size_add(size, MARTLET_ALIGNMENT - 1) & -(int64_t)MARTLET_ALIGNMENT;
}

/* text.c: writes the context's message and returns `status`. %s takes a const char *, %d an int64_t. */
MARTLET_LOCAL martlet_status martlet_fail(martlet_context *context, martlet_status status, const char *format, ...);
MARTLET_LOCAL const char *martlet_status_text(martlet_status status);

/* context.c: what model.c puts into its table, or calls from one-line functions in it. */
MARTLET_LOCAL martlet_status martlet_create(const martlet_config *config, const martlet_options *options,
                                            martlet_context **context);
MARTLET_LOCAL int64_t martlet_context_bytes(const martlet_config *config);
MARTLET_LOCAL void martlet_destroy(martlet_context *context);
MARTLET_LOCAL martlet_status martlet_reserve(martlet_context *context, int32_t entry, const int64_t *symbols);
MARTLET_LOCAL martlet_status martlet_grow(martlet_context *context, int64_t bytes);
MARTLET_LOCAL martlet_status martlet_reset(martlet_context *context);
MARTLET_LOCAL const char *martlet_last_error(const martlet_context *context);
MARTLET_LOCAL int32_t martlet_thread_count(const martlet_context *context);
MARTLET_LOCAL int64_t martlet_own_workspace(const martlet_context *context);
MARTLET_LOCAL martlet_pool *martlet_pool_create(int32_t threads);
MARTLET_LOCAL void martlet_pool_destroy(martlet_pool *pool);

/* bind.c: symbol values from the dims of inputs. `martlet_bind` serves entries in which every symbol is itself the
 * extent of some input. Where one is not (an input is f32[2 * n]), model.c calls the first half, solves for what is
 * still -1, and calls the second, which checks ranges and the dims that are expressions. */
MARTLET_LOCAL martlet_status martlet_bind(martlet_context *context, const martlet_entry *entry,
                                          const martlet_tensor *inputs, int64_t *symbols);
MARTLET_LOCAL martlet_status martlet_bind_symbols(martlet_context *context, const martlet_entry *entry,
                                                  const martlet_tensor *inputs, int64_t *symbols);
/* Solves extent = factor * symbol + rest for the symbol. */
MARTLET_LOCAL martlet_status martlet_solve(martlet_context *context, const martlet_entry *entry,
                                           const martlet_tensor *inputs, int32_t input, int32_t axis, int64_t factor,
                                           int64_t rest, int32_t symbol, int64_t *symbols);
MARTLET_LOCAL martlet_status martlet_check_symbols(martlet_context *context, const martlet_entry *entry,
                                                   const martlet_tensor *inputs, const int64_t *symbols);
/* The extent of dim `axis`; -1 when it depends on data. */
MARTLET_LOCAL int64_t martlet_extent(const martlet_entry *entry, const martlet_dim *dim, const int64_t *symbols);
/* workspace_size of an entry: what the program planned, and room for outputs that become views. */
MARTLET_LOCAL int64_t martlet_workspace_for(const martlet_entry *entry, int64_t planned, const int64_t *symbols);

/* frame.c: one run. After a successful begin, every path ends with `return martlet_end(&frame, status)`. */
MARTLET_LOCAL martlet_status martlet_begin(martlet_frame *frame, martlet_context *context, const martlet_entry *entry,
                                           const martlet_tensor *inputs, martlet_tensor *outputs, int64_t *symbols,
                                           void *workspace, int64_t workspace_size, int64_t *needed);
/* Checks that `planned` bytes from frame->base and what inputs and outputs take beside them are there; sets input[i]
 * to dense elements (strided ones are copied) and output[i] to where the result goes, NULL when its extent depends on
 * data. */
MARTLET_LOCAL martlet_status martlet_place(martlet_frame *frame, int64_t planned, void **input, void **output);
/* More workspace, for a size that came to light during the run; *status tells when there is not enough (no bytes may be
 * NULL all the same). State must not be changed before the last such call, for the caller will run again. */
MARTLET_LOCAL void *martlet_extend(martlet_frame *frame, int64_t bytes, martlet_status *status);
/* A list, now with room for more than `count` items of `item` bytes; what was in it is in the result. It never gets more
 * than `limit` items. Lists lie at the end of the workspace, so that they may grow while the rest is in use. */
MARTLET_LOCAL unsigned char *martlet_lengthen(martlet_frame *frame, unsigned char *list, int64_t *room, int64_t count,
                                              int64_t item, int64_t limit, martlet_status *status);
/* Delivers an output whose extent depended on data: copies `data` to the caller's buffer or hands it out as a view. */
MARTLET_LOCAL martlet_status martlet_deliver(martlet_frame *frame, int32_t index, const int64_t *dims, void *data);
MARTLET_LOCAL martlet_status martlet_end(martlet_frame *frame, martlet_status status);
/* Whether elements lie one after the other; and the copy that makes them so. */
MARTLET_LOCAL int martlet_is_dense(const martlet_tensor *tensor);
MARTLET_LOCAL void martlet_copy_dense(void *destination, const martlet_tensor *tensor, int64_t element_bytes);

/* dispatch.c: runs a kernel in at most `parts` parts. `site` is the op in the source model's names. */
MARTLET_LOCAL martlet_status martlet_dispatch(martlet_context *context, martlet_kernel kernel, void *const *buffers,
                                              const int64_t *scalars, int64_t parts, const char *site);
#if MARTLET_PROFILE
/* profile.c: what model.c puts around every step, and into its table. */
MARTLET_LOCAL uint64_t martlet_ticks(void);
MARTLET_LOCAL martlet_step_count *martlet_counts(const martlet_context *context);
MARTLET_LOCAL void martlet_count(martlet_context *context, int32_t number, uint64_t start, int64_t multiply_adds,
                                 int64_t bytes);
MARTLET_LOCAL const martlet_step_count *martlet_read_counts(const martlet_context *context);
MARTLET_LOCAL martlet_status martlet_clear_counts(martlet_context *context);
#endif
/* A guard the compiler could not decide: fails with "site: message" unless `holds`. */
MARTLET_LOCAL martlet_status martlet_guard(martlet_context *context, int holds, martlet_status status,
                                           const char *site, const char *message);

/* strings.c and lists.c: what programs call for texts, sequences and optional values. */
#if MARTLET_APART
#define MARTLET_CALLED(name)                                                                                        \
  MARTLET_LOCAL martlet_status martlet_##name(martlet_frame *frame, void *const *buffers, const int64_t *scalars, \
                                              const char *site);
MARTLET_CALLED(string_import)
MARTLET_CALLED(string_table)
MARTLET_CALLED(string_export)
MARTLET_CALLED(string_equal)
MARTLET_CALLED(string_concat)
MARTLET_CALLED(string_case)
MARTLET_CALLED(string_find)
MARTLET_CALLED(string_match)
MARTLET_CALLED(string_count)
MARTLET_CALLED(string_split)
MARTLET_CALLED(list_import)
MARTLET_CALLED(list_make)
MARTLET_CALLED(list_insert)
MARTLET_CALLED(list_erase)
MARTLET_CALLED(list_length)
MARTLET_CALLED(list_extents)
MARTLET_CALLED(list_read)
MARTLET_CALLED(list_take)
MARTLET_CALLED(list_joined_extents)
MARTLET_CALLED(list_join)
MARTLET_CALLED(list_split)
MARTLET_LOCAL void martlet_deliver_list(martlet_frame *frame, int32_t index, const void *record,
                                        martlet_status *status);
#endif

#endif /* MARTLET_RUNTIME_H */
