/* The runtime from inside: dispatch, parking, busy pools, forks, errors, user's loops, arithmetic, features. */
#include "runtime.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition) \
  ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), exit(1)))

static const martlet_model model = {.name = "test", .target = "test", .state_size = 100};
static const martlet_config config = {.model = &model};

static martlet_context *create(int32_t threads, martlet_pool *pool) {
  martlet_options options = {.struct_size = sizeof options, .threads = threads, .pool = pool};
  martlet_context *context = NULL;
  CHECK(martlet_create(&config, &options, &context) == MARTLET_OK);
  return context;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Adds scalars[0] to the part's own line. */
static int32_t add(void *const *buffers, const int64_t *scalars, int64_t thread, int64_t threads) {
  ((int64_t *)buffers[0])[thread * 16] += scalars[0];
  ((int64_t *)buffers[0])[thread * 16 + 1] = threads;
  return 0;
}

static void test_dispatch(int32_t threads, int64_t rounds) {
  martlet_context *c = create(threads, NULL);
  int64_t *sums = calloc((size_t)threads * 16, 8);
  void *buffers[] = {sums};
  int64_t expected = 0;
  const double start = now();
  for (int64_t i = 0; i < rounds; ++i) {
    CHECK(martlet_dispatch(c, add, buffers, &i, 1000, "site") == MARTLET_OK);
    expected += i;
  }
  printf("%d threads: %.0f ns per dispatch\n", threads, (now() - start) / (double)rounds * 1e9);
  for (int t = 0; t < threads; ++t) CHECK(sums[t * 16] == expected && sums[t * 16 + 1] == threads);
  CHECK(martlet_dispatch(c, add, buffers, &expected, 1, "site") == MARTLET_OK && sums[1] == 1);
  martlet_destroy(c);
  free(sums);
}

static double processor_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Workers that have nothing to do sleep, and wake up again. */
static void test_parking(void) {
  martlet_context *c = create(2, NULL);
  int64_t sums[32] = {0}, one = 1;
  void *buffers[] = {sums};
  for (int i = 0; i < 20; ++i) {
    usleep(2000);
    CHECK(martlet_dispatch(c, add, buffers, &one, 2, "site") == MARTLET_OK);
  }
  CHECK(sums[0] == 20 && sums[16] == 20);
  usleep(50000);
  const double before = processor_seconds();
  usleep(200000);
  CHECK(processor_seconds() - before < 0.02);
  martlet_destroy(c);
}

/* A long part: the caller sleeps in the join. */
static int32_t slow(void *const *buffers, const int64_t *scalars, int64_t thread, int64_t threads) {
  if (thread == 1) usleep(20000);
  return add(buffers, scalars, thread, threads);
}

static martlet_context *inner;

static int32_t nested(void *const *buffers, const int64_t *scalars, int64_t thread, int64_t threads) {
  void *own[] = {(int64_t *)buffers[0] + thread * 64};
  (void)threads;
  return martlet_dispatch(inner, add, own, scalars, 2, "inner");
}

static void test_busy(void) {
  martlet_pool *pool = martlet_pool_create(2);
  martlet_context *c = create(0, pool);
  inner = create(0, pool);
  int64_t sums[128] = {0}, one = 1;
  void *buffers[] = {sums};
  CHECK(c->threads == 2 && !c->owns_pool);
  CHECK(martlet_dispatch(c, slow, buffers, &one, 2, "site") == MARTLET_OK && sums[16] == 1);
  memset(sums, 0, sizeof sums);
  for (int i = 0; i < 1000; ++i) CHECK(martlet_dispatch(c, nested, buffers, &one, 2, "outer") == MARTLET_OK);
  for (int t = 0; t < 2; ++t) CHECK(sums[t * 64] == 1000 && sums[t * 64 + 16] == 1000 && sums[t * 64 + 17] == 2);
  martlet_destroy(inner);
  martlet_destroy(c);
  martlet_pool_destroy(pool);
}

static int32_t failing(void *const *buffers, const int64_t *scalars, int64_t thread, int64_t threads) {
  (void)buffers;
  (void)threads;
  return thread >= scalars[0] ? (thread % 2 ? MARTLET_DIVISION_BY_ZERO : MARTLET_INDEX_OUT_OF_RANGE) : 0;
}

static void test_errors(void) {
  martlet_context *c = create(4, NULL);
  for (int round = 0; round < 1000; ++round) {
    int64_t first = round % 4;
    const martlet_status expected = first % 2 ? MARTLET_DIVISION_BY_ZERO : MARTLET_INDEX_OUT_OF_RANGE;
    CHECK(martlet_dispatch(c, failing, NULL, &first, 4, "tflite:0/17") == expected);
    CHECK(!strcmp(c->message, first % 2 ? "tflite:0/17: integer division by zero"
                                        : "tflite:0/17: an index is out of range"));
  }
  CHECK(martlet_guard(c, 1, MARTLET_SHAPE_MISMATCH, "s", "m") == MARTLET_OK);
  CHECK(martlet_guard(c, 0, MARTLET_SHAPE_MISMATCH, "s\n", "m") == MARTLET_SHAPE_MISMATCH);
  CHECK(!strcmp(c->message, "s?: m"));
  char text[600];
  memset(text, 'x', 599);
  text[599] = 0;
  martlet_fail(c, MARTLET_INTERNAL, "%s%d", text, INT64_MIN);
  CHECK(strlen(c->message) == MARTLET_MESSAGE_CAPACITY - 1);
  martlet_destroy(c);
}

static int64_t calls;
static void backwards(void *user, int64_t count, void (*body)(void *argument, int64_t index), void *argument) {
  CHECK(user == &calls);
  ++calls;
  while (count-- > 0) body(argument, count);
}

static void test_parallel_for(void) {
  martlet_options options = {.struct_size = sizeof options, .threads = 3, .parallel_for = backwards, .user = &calls};
  martlet_context *c;
  int64_t sums[48] = {0}, one = 1;
  void *buffers[] = {sums};
  CHECK(martlet_create(&config, &options, &c) == MARTLET_OK && c->threads == 3 && !c->pool);
  CHECK(martlet_dispatch(c, add, buffers, &one, 8, "site") == MARTLET_OK);
  CHECK(calls == 1 && sums[0] == 1 && sums[16] == 1 && sums[32] == 1);
  int64_t first = 1;
  CHECK(martlet_dispatch(c, failing, NULL, &first, 3, "site") == MARTLET_DIVISION_BY_ZERO);
  martlet_destroy(c);
}

/* `asked`: as on a kernel that does not wipe pages. */
static void test_fork(int asked) {
  martlet_context *c = create(2, NULL);
  int64_t sums[32] = {0}, one = 1;
  void *buffers[] = {sums};
  martlet_threads *threads = (martlet_threads *)c->pool;
  if (asked) threads->wiped = 0;
  else if (!threads->wiped) puts("this kernel does not wipe pages on fork; the process id is asked");
  CHECK(martlet_dispatch(c, add, buffers, &one, 2, "site") == MARTLET_OK);
  threads->busy = 1; /* as if another thread were in the middle of a job */
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    for (int i = 0; i < 1000; ++i) CHECK(martlet_dispatch(c, add, buffers, &one, 2, "site") == MARTLET_OK);
    CHECK(sums[16] == 1001 && threads->started == 1 && !threads->busy);
    CHECK(threads->workers[0].done == 1000);
    martlet_destroy(c);
    /* A pool that no job has used in the child. */
    _exit(0);
  }
  const pid_t idle = fork();
  if (idle == 0) {
    alarm(20);
    martlet_destroy(c);
    _exit(0);
  }
  int status = 1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK(waitpid(idle, &status, 0) == idle && status == 0);
  threads->busy = 0;
  CHECK(martlet_dispatch(c, add, buffers, &one, 2, "site") == MARTLET_OK && sums[16] == 2);
  martlet_destroy(c);
}

static void test_arithmetic(void) {
  CHECK(martlet_floordiv(-7, 2) == -4 && martlet_floordiv(7, 2) == 3 && martlet_floordiv(-8, 2) == -4);
  CHECK(martlet_ceildiv(-7, 2) == -3 && martlet_ceildiv(7, 2) == 4 && martlet_ceildiv(8, 2) == 4);
  CHECK(martlet_mod(-7, 3) == 2 && martlet_mod(7, 3) == 1 && martlet_mod(-6, 3) == 0);
  CHECK(martlet_size_multiply(INT64_MAX / 2, 3) == INT64_MAX && martlet_size_multiply(0, INT64_MAX) == 0);
  CHECK(martlet_size_add(INT64_MAX - 1, 2) == INT64_MAX && martlet_align(65) == 128);
  const int64_t empty[] = {INT64_MAX, INT64_MAX, 0}, odd[] = {3, 1};
  CHECK(martlet_dense_bytes(MARTLET_F32, empty, 3) == 0 && martlet_dense_bytes(MARTLET_F32, empty, 2) == INT64_MAX);
  CHECK(martlet_dense_bytes(MARTLET_I4, odd, 2) == 2 && martlet_dense_bytes(MARTLET_STRING, odd, 1) == 48);
}

static void test_features(void) {
#if defined(__x86_64__)
  static const char *const base[] = {"x86-64", "sse2", NULL};
#elif defined(__riscv)
  static const char *const base[] = {"d", NULL};
#else
  static const char *const base[] = {"neon", NULL};
#endif
  static const char *const unknown[] = {"quantum", NULL};
  martlet_config with = config;
  char message[200] = "";
  martlet_options options = {.struct_size = sizeof options, .message = message, .message_capacity = sizeof message};
  martlet_context *c;
  with.features = base;
  CHECK(martlet_create(&with, &options, &c) == MARTLET_OK);
  martlet_destroy(c);
  with.features = unknown;
  CHECK(martlet_create(&with, &options, &c) == MARTLET_UNSUPPORTED_CPU && !c);
  CHECK(!strcmp(message, "test was compiled for test: CPU feature quantum cannot be checked on this machine"));
#if defined(__x86_64__)
  for (int level = 2; level <= 4; ++level) {
    char name[] = "x86-64-v2";
    int known = 1;
    name[8] = (char)('0' + level);
    const char *missing = martlet_cpu_lacks(name, &known);
    CHECK(known);
    printf("%s: %s\n", name, missing ? missing : "yes");
  }
  CHECK(!martlet_cpu_lacks("avx2", &(int){1}) == !!__builtin_cpu_supports("avx2"));
  CHECK(!martlet_cpu_lacks("avx512vnni", &(int){1}) == !!__builtin_cpu_supports("avx512vnni"));
  CHECK(!martlet_cpu_lacks("avx512bf16", &(int){1}) == !!__builtin_cpu_supports("avx512bf16"));
  CHECK(!martlet_cpu_lacks("gfni", &(int){1}) == !!__builtin_cpu_supports("gfni"));
#endif
}

#if MARTLET_WEIGHTS_FILE
/* A side file beside the program, and everything that may be wrong with one. */
static void test_weights(const char *program) {
  static const martlet_model weighty = {.name = "test", .target = "test", .weights_size = 8};
  const martlet_config file_config = {.model = &weighty, .weights_file = "test.weights", .weights_hash = 77};
  _Alignas(64) struct {
    martlet_weights_header header;
    char directory[16];
    char data[64];
  } file = {{"", 1, 0, 77, 64, 8, 0}, "", "weights"};
  memcpy(file.header.magic, "MARTLETW", 8);
  char message[300] = "", path[4000];
  martlet_options options = {.struct_size = sizeof options, .threads = 1, .message = message, .message_capacity = 300};
  martlet_context *c;
  const char *slash = strrchr(program, '/');
  snprintf(path, sizeof path, "%.*stest.weights", slash ? (int)(slash - program + 1) : 0, program);
  unlink(path);
  CHECK(martlet_create(&file_config, &options, &c) == MARTLET_WEIGHTS_MISMATCH);
  CHECK(strstr(message, "test.weights: the weights file cannot be opened (error 2)"));
  FILE *out = fopen(path, "wb");
  CHECK(out && fwrite(&file, sizeof file, 1, out) == 1 && !fclose(out));
  CHECK(martlet_create(&file_config, &options, &c) == MARTLET_OK && !strcmp((const char *)c->weights, "weights"));
  martlet_destroy(c);
  options.weights_path = path;
  CHECK(martlet_create(&file_config, &options, &c) == MARTLET_OK);
  martlet_destroy(c);
  unlink(path);
  options.weights = &file;
  options.weights_size = sizeof file;
  CHECK(martlet_create(&file_config, &options, &c) == MARTLET_OK);
  martlet_destroy(c);
  file.header.hash = 78;
  CHECK(martlet_create(&file_config, &options, &c) == MARTLET_WEIGHTS_MISMATCH);
  CHECK(!strcmp(message, "weights in memory: weights of another build of test (hashes differ)"));
  file.header.data_offset = UINT64_MAX - 63;
  CHECK(martlet_create(&file_config, &options, &c) == MARTLET_WEIGHTS_MISMATCH);
  CHECK(!strcmp(message, "weights in memory: its data does not lie within its 128 bytes"));
  file.header.magic[0] = 'm';
  CHECK(martlet_create(&file_config, &options, &c) == MARTLET_WEIGHTS_MISMATCH);
  CHECK(!strcmp(message, "weights in memory: not a weights file"));
  options.weights_size = 3;
  CHECK(martlet_create(&file_config, &options, &c) == MARTLET_WEIGHTS_MISMATCH);
}
#endif

int main(int count, char **arguments) {
  const int64_t rounds = count > 1 ? atoll(arguments[1]) : 100000;
  alarm(300);
  test_arithmetic();
  test_features();
  test_dispatch(2, rounds);
  test_dispatch(5, rounds / 20); /* mostly more threads than CPUs */
  test_parking();
  test_busy();
  test_errors();
  test_parallel_for();
  if (count < 3 || strcmp(arguments[2], "no-fork")) {
    test_fork(0);
    test_fork(1);
  }
#if MARTLET_WEIGHTS_FILE
  test_weights(arguments[0]);
#endif
  puts("pool_test: ok");
  return 0;
}
