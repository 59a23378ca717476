/* martlet.h: the interface of every artifact that Martlet compiles, version 1.
 *
 * An artifact exports one symbol, `const martlet_model *<name>_model(void)`. Everything else is reached through the
 * table it returns. The header generated beside an artifact adds typed calls on top of that table; a program that
 * loads artifacts by name needs only this file.
 *
 *   const martlet_model *model = digits_model();
 *   martlet_context *context;
 *   martlet_status status = model->create(NULL, &context);           own thread pool, all threads
 *   status = martlet_call(model, 0, context, inputs, outputs);       reserves workspace as needed, then runs
 *   if (status) fprintf(stderr, "%s\n", model->last_error(context));
 *   model->destroy(context);
 *
 * Rules:
 *   - Structures that start with `struct_size` grow at the end only. Whoever fills one sets it to sizeof of the version
 *     it knows; whoever reads one looks at no field beyond it. `abi_version` changes when that is not enough.
 *   - A context runs one entry at a time (a second concurrent run is refused); contexts are independent of each other.
 *   - Outputs overlap neither inputs nor each other; a run that would is refused.
 *   - `run` allocates nothing. `create`, `reserve` and `grow` do.
 *   - Every failure is a status; `last_error` says what failed and where, in the source model's names.
 *
 * Plain C99 and C++. No other header of Martlet is needed.
 */
#ifndef MARTLET_H
#define MARTLET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MARTLET_ABI_VERSION 1
/* "MRLT" in memory on a little-endian machine. */
#define MARTLET_MAGIC 0x544c524dU
/* No tensor has more dims than this. */
#define MARTLET_MAXIMUM_RANK 16

typedef int32_t martlet_status;

enum {
  MARTLET_OK = 0,
  MARTLET_INVALID_ARGUMENT = 1,    /* a null pointer, an unknown entry, a context that is already running */
  MARTLET_SHAPE_MISMATCH = 2,      /* rank or dims of an input, or a symbol outside its range */
  MARTLET_WORKSPACE_TOO_SMALL = 3, /* *needed holds the bytes that suffice */
  MARTLET_OUTPUT_TOO_SMALL = 4,    /* an output buffer's capacity is below what the result takes */
  MARTLET_INDEX_OUT_OF_RANGE = 5,  /* a gather, scatter or slice index found in the data */
  MARTLET_DIVISION_BY_ZERO = 6,    /* an integer division found in the data */
  MARTLET_UNSUPPORTED_CPU = 7,     /* the artifact needs a feature this machine lacks */
  MARTLET_OUT_OF_MEMORY = 8,
  MARTLET_WEIGHTS_MISMATCH = 9,    /* the weights file is missing, damaged or of another build */
  MARTLET_LIMIT_EXCEEDED = 10,     /* a size or count beyond what the artifact was compiled for */
  MARTLET_INTERNAL = 70            /* a bug in Martlet */
};

/* Element types. Sub-byte elements are packed, low bits first. The names are those of `martlet_type_name`. */
enum {
  MARTLET_TYPE_NONE = 0, /* not stated */
  MARTLET_BOOL = 1,      /* one byte, 0 or 1 */
  MARTLET_I2 = 2,
  MARTLET_U2 = 3,
  MARTLET_I4 = 4,
  MARTLET_U4 = 5,
  MARTLET_I8 = 6,
  MARTLET_U8 = 7,
  MARTLET_I16 = 8,
  MARTLET_U16 = 9,
  MARTLET_I32 = 10,
  MARTLET_U32 = 11,
  MARTLET_I64 = 12,
  MARTLET_U64 = 13,
  MARTLET_F8E4M3FN = 14,
  MARTLET_F8E4M3FNUZ = 15,
  MARTLET_F8E5M2 = 16,
  MARTLET_F8E5M2FNUZ = 17,
  MARTLET_F8E8M0 = 18,
  MARTLET_F4E2M1 = 19,
  MARTLET_F16 = 20,
  MARTLET_BF16 = 21,
  MARTLET_F32 = 22,
  MARTLET_F64 = 23,
  MARTLET_STRING = 24 /* elements are martlet_string */
};

/* What an input or output is. A sequence is passed as a martlet_tensor with one dim, the number of its members; its data
 * is an array of so many martlet_tensor, each of which describes a member. An optional is a sequence of none or one,
 * and its member may be a sequence. */
enum { MARTLET_TENSOR = 0, MARTLET_SEQUENCE = 1, MARTLET_OPTIONAL = 2 };

/* An element of a tensor of strings. The bytes of an input's strings are the caller's; those of an output's lie in the
 * workspace, in the artifact, or are an input's. */
typedef struct martlet_string {
  const char *data; /* any bytes, UTF-8 where an op takes them for characters; not terminated; NULL where there are none */
  int64_t length;   /* bytes */
} martlet_string;

/* One value passed to or received from `run`. This structure never grows within an ABI version.
 *
 *             input                                       output
 *   data      the elements                                the caller's buffer, or NULL: run stores the address of a
 *                                                         view into the workspace, valid until the next run,
 *                                                         reserve or grow (a view passed to a run counts as NULL)
 *   capacity  bytes at data; 0: not stated, unchecked     bytes at data (looked at only when data is not NULL)
 *   type      an element type, checked unless NONE        set by run
 *   rank      number of dims                              set by run
 *   dims      rank extents, only read                     NULL, or room for the descriptor's rank; set by run
 *   strides   in elements; NULL: dense, row-major         ignored, results are dense
 *
 * A sequence or optional has rank 1, and its type is NONE or that of its members. Its members are inputs or outputs like
 * any other, but for their memory: an output's members, with their dims, are always views, valid as long as those of
 * tensors; only the array that describes them goes to a buffer of the caller's. Members may also be an input's, whose
 * memory then is handed back as it is.
 */
typedef struct martlet_tensor {
  void *data;
  int64_t capacity;
  int32_t type;
  int32_t rank;
  int64_t *dims;
  const int64_t *strides;
} martlet_tensor;

/* How an extent is known before a run. */
enum {
  MARTLET_DIM_CONSTANT = 0,   /* value is the extent */
  MARTLET_DIM_SYMBOL = 1,     /* value is an index into the entry's symbols */
  MARTLET_DIM_EXPRESSION = 2, /* value is an index into the entry's expressions */
  MARTLET_DIM_UNKNOWN = 3     /* depends on data; value is an upper bound, or -1 */
};

typedef struct martlet_dim {
  int32_t kind;
  int32_t reserved;
  int64_t value;
} martlet_dim;

/* Describes one input or output. */
typedef struct martlet_tensor_info {
  uint32_t struct_size;
  int32_t kind; /* MARTLET_TENSOR, MARTLET_SEQUENCE or MARTLET_OPTIONAL */
  const char *name;
  int32_t type; /* an element type; of the innermost members for a sequence or optional */
  int32_t rank; /* as type; -1: any */
  const martlet_dim *dims; /* rank extents; NULL for a sequence or optional */
  /* Integers the entry accepts here, half open, for programs that make up inputs; equal: no limit is known. */
  int64_t integer_minimum;
  int64_t integer_limit;
  /* What the members of a sequence or optional are, NULL for a tensor. Extents in which members may differ are
   * MARTLET_DIM_UNKNOWN there. */
  const struct martlet_tensor_info *member;
} martlet_tensor_info;

/* A dimension that is open at compile time. */
typedef struct martlet_symbol_info {
  uint32_t struct_size;
  uint32_t reserved;
  const char *name;
  int64_t minimum;
  int64_t maximum; /* inclusive */
} martlet_symbol_info;

/* A dim that follows from symbols. */
typedef struct martlet_expression_info {
  uint32_t struct_size;
  uint32_t reserved;
  const char *text; /* "(n + 1) floordiv 2" */
  int64_t (*value)(const int64_t *symbols);
} martlet_expression_info;

typedef struct martlet_context martlet_context;
typedef struct martlet_model martlet_model;
typedef struct martlet_pool martlet_pool;

/* A function of the model. */
typedef struct martlet_entry {
  uint32_t struct_size;
  int32_t input_count;
  int32_t output_count;
  int32_t symbol_count;
  int32_t expression_count;
  uint32_t reserved;
  const char *name;
  const martlet_tensor_info *const *inputs;
  const martlet_tensor_info *const *outputs;
  const martlet_symbol_info *const *symbols;
  const martlet_expression_info *const *expressions;
  /* Bytes of workspace that a run with dense inputs takes for these symbol values, every output being a view;
   * -1: a symbol is out of range or the size is beyond the artifact's limit. */
  int64_t (*workspace_size)(const int64_t *symbols);
  /* Finds symbol_count symbol values from the dims of the inputs (their data is not looked at), and checks them. */
  martlet_status (*bind)(martlet_context *context, const martlet_tensor *inputs, int64_t *symbols);
  /* Runs. workspace may be NULL: then the context's own is used, which `reserve` and `grow` enlarge. It needs no
   * alignment. needed may be NULL; it is set when the status is MARTLET_WORKSPACE_TOO_SMALL. */
  martlet_status (*run)(martlet_context *context, const martlet_tensor *inputs, martlet_tensor *outputs,
                        void *workspace, int64_t workspace_size, int64_t *needed);
} martlet_entry;

/* Calls body(argument, i) for every i in 0 ..< count, in any order and on any threads, and returns when all are done.
 * It may be entered by several threads at once. */
typedef void (*martlet_parallel_for)(void *user, int64_t count, void (*body)(void *argument, int64_t index),
                                     void *argument);

/* What `create` may be told. Zero everything, set struct_size, then what matters. */
typedef struct martlet_options {
  uint32_t struct_size;
  int32_t threads;                   /* at most this many; 0: as many as the artifact and the machine allow */
  martlet_pool *pool;                /* shared; NULL: the context makes its own */
  martlet_parallel_for parallel_for; /* replaces the pool; `threads` then says into how many parts to split */
  void *user;                        /* passed to parallel_for */
  const char *weights_path;          /* the side file of --weights file; NULL: as named, beside the artifact */
  const void *weights;               /* or its contents in memory, aligned to 64 bytes, alive as long as the context */
  int64_t weights_size;
  char *message;                     /* receives the reason when create fails */
  int64_t message_capacity;
  void *memory;                      /* where context, state and workspace go instead of the heap; needed where */
  int64_t memory_size;               /* there is no heap: at least context_size() bytes, more for own workspace */
} martlet_options;

/* A pool of threads, to be shared by contexts of any artifacts. These first fields are public, so that the code of one
 * artifact can use the pool of another. One job runs at a time; a context that finds the pool busy does the work on
 * its own thread, with the same result. */
struct martlet_pool {
  uint32_t struct_size;
  int32_t threads; /* including the caller's */
  /* Like martlet_parallel_for with count <= threads. 0: the pool is busy and nothing was done. */
  int32_t (*run)(martlet_pool *pool, int64_t count, void (*body)(void *argument, int64_t index), void *argument);
};

/* What an entry or a step of it did in the runs of a context. */
typedef struct martlet_step_count {
  uint64_t ticks; /* of profile->clock, from begin to end on the calling thread */
  int64_t calls;  /* a step in a loop is called several times a run */
  int64_t multiply_adds;
  int64_t bytes; /* read and written at most, if each buffer were looked at as a whole */
} martlet_step_count;

/* What `--profile` builds in. There is a count for each entry (runs as a whole), then one for each step of all entries:
 * a kernel or a copy. What is more to say about the steps is in the metadata under "profile". */
typedef struct martlet_profile {
  uint32_t struct_size;
  uint32_t count_size; /* bytes from one count to the next, at least sizeof(martlet_step_count) */
  int32_t count;
  uint32_t reserved;
  const char *const *names; /* of entries and steps, in the source model's names */
  /* Ticks since some moment. Their speed is the machine's: measure it against another clock. 0 where there is none. */
  uint64_t (*clock)(void);
  /* The counts since `create` or `clear`; to be read while nothing runs. */
  const martlet_step_count *(*counts)(const martlet_context *context);
  martlet_status (*clear)(martlet_context *context);
} martlet_profile;

struct martlet_model {
  uint32_t magic;
  uint32_t abi_version;
  uint32_t struct_size;
  int32_t entry_count;
  const char *name;
  const char *target;      /* the hardware profile */
  const char *options;     /* the compile options that shaped the code */
  const char *source_hash; /* of the model file, hexadecimal */
  const char *metadata;    /* all of the above and more as one JSON object */
  int64_t weights_size;    /* bytes */
  int64_t state_size;      /* bytes a context holds between runs */
  const martlet_entry *const *entries;

  /* options may be NULL. On failure *context is NULL and options->message tells why. */
  martlet_status (*create)(const martlet_options *options, martlet_context **context);
  void (*destroy)(martlet_context *context); /* NULL is fine */
  /* Bytes of options->memory that create takes at least. */
  int64_t (*context_size)(void);
  /* Makes the context's own workspace large enough for an entry and symbol values, or for a number of bytes. Views
   * returned by earlier runs become invalid. */
  martlet_status (*reserve)(martlet_context *context, int32_t entry, const int64_t *symbols);
  martlet_status (*grow)(martlet_context *context, int64_t bytes);
  /* Puts state (caches, variables) back to what it was after create. */
  martlet_status (*reset)(martlet_context *context);
  /* The message of the last call that failed; "" after one that succeeded. Lives in the context. */
  const char *(*last_error)(const martlet_context *context);
  const char *(*status_text)(martlet_status status);
  /* The number of threads that runs of this context use at most, and the bytes of its own workspace. */
  int32_t (*thread_count)(const martlet_context *context);
  int64_t (*workspace_bytes)(const martlet_context *context);
  /* A pool of `threads` (0: all the machine's); NULL when there is no memory or the target has no threads. Destroy it
   * after the last context that uses it, and before unloading the artifact that made it. */
  martlet_pool *(*pool_create)(int32_t threads);
  void (*pool_destroy)(martlet_pool *pool);
  /* NULL unless compiled with `--profile`. */
  const martlet_profile *profile;
};

/* Runs entry number `entry` with the context's own workspace, which grows as needed: the usual call. */
static inline martlet_status martlet_call(const martlet_model *model, int32_t entry, martlet_context *context,
                                          const martlet_tensor *inputs, martlet_tensor *outputs) {
  int64_t needed = 0;
  int32_t attempt;
  martlet_status status;
  if (entry < 0 || entry >= model->entry_count) return MARTLET_INVALID_ARGUMENT;
  status = model->entries[entry]->run(context, inputs, outputs, NULL, 0, &needed);
  /* Sizes that depend on data come to light one after the other, so one more attempt may not be enough. From the second
   * on the workspace doubles at least: a loop that collects needs few attempts, however long it runs. */
  for (attempt = 0; status == MARTLET_WORKSPACE_TOO_SMALL && attempt < 64; ++attempt) {
    const int64_t had = model->workspace_bytes(context);
    const int64_t doubled = had > INT64_MAX / 2 ? INT64_MAX : 2 * had;
    status = model->grow(context, attempt > 0 && doubled > needed ? doubled : needed);
    if (status != MARTLET_OK && attempt > 0) status = model->grow(context, needed);
    if (status != MARTLET_OK) return status;
    status = model->entries[entry]->run(context, inputs, outputs, NULL, 0, &needed);
  }
  return status;
}

/* Integer arithmetic of dim expressions. Division rounds to minus infinity; the compiler proves divisors positive. */
static inline int64_t martlet_floordiv(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}
static inline int64_t martlet_ceildiv(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return quotient + (a % b != 0 && (a < 0) == (b < 0));
}
static inline int64_t martlet_mod(int64_t a, int64_t b) {
  int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
static inline int64_t martlet_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t martlet_max(int64_t a, int64_t b) { return a > b ? a : b; }

/* "f32" for MARTLET_F32 and so on; "?" for what this header does not know. */
static inline const char *martlet_type_name(int32_t type) {
  static const char *const names[] = {"none",   "bool",       "i2",     "u2",         "i4",     "u4",     "i8",
                                      "u8",     "i16",        "u16",    "i32",        "u32",    "i64",    "u64",
                                      "f8e4m3fn", "f8e4m3fnuz", "f8e5m2", "f8e5m2fnuz", "f8e8m0", "f4e2m1", "f16",
                                      "bf16",   "f32",        "f64",    "str"};
  return type >= 0 && type <= MARTLET_STRING ? names[type] : "?";
}

/* Bits one element takes; 0 for what this header does not know. */
static inline int32_t martlet_type_bits(int32_t type) {
  static const uint8_t bits[] = {0,  8,  2,  2,  4,  4, 8, 8, 16, 16, 32, 32, 64,
                                 64, 8,  8,  8,  8,  8, 4, 16, 16, 32, 64, 128};
  return type >= 0 && type <= MARTLET_STRING ? bits[type] : 0;
}

#ifdef __cplusplus
}
#endif

#endif /* MARTLET_H */
