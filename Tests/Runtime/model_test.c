/* A program that uses the README's artifact through its generated header and through the table. */
#include "digits.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) \
  ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), exit(1)))

static void check_message(const digits_context *c, const char *expected) {
  if (!strcmp(digits_message(c), expected)) return;
  fprintf(stderr, "message: %s\nexpected: %s\n", digits_message(c), expected);
  exit(1);
}

static void check_scores(const float *image, const float *scores, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    CHECK(scores[i * 10] == 0.5f + image[i * 64]);
    CHECK(scores[i * 10 + 1] == 0.5f + 2 * image[i * 64 + 1]);
    CHECK(scores[i * 10 + 9] == 0.5f + 3 * image[i * 64 + 63]);
  }
}

enum { ROWS = 100 };

static void test_table(float *image) {
  const martlet_model *model = digits_model();
  CHECK(model->magic == MARTLET_MAGIC && model->abi_version == MARTLET_ABI_VERSION);
  CHECK(!memcmp(&model->magic, "MRLT", 4));
  const martlet_entry *entry = model->entries[0];
  int64_t n = ROWS, too_many = 5000;
  CHECK(entry->workspace_size(&too_many) == -1);
  const int64_t bytes = entry->workspace_size(&n);
  CHECK(bytes == 64 * ROWS + 63 + 4032);

  char message[80] = "";
  char memory[4096];
  martlet_options options = {.struct_size = sizeof options, .threads = -1, .message = message, .message_capacity = 80};
  martlet_context *c;
  CHECK(model->create(&options, &c) == MARTLET_INVALID_ARGUMENT && !c);
  options.threads = 2;
  options.memory = memory + 1;
  options.memory_size = 100;
  CHECK(model->create(&options, &c) == MARTLET_OUT_OF_MEMORY && !c);
  CHECK(!strncmp(message, "options: memory of 100 bytes", 28));

  /* In the caller's memory, on a shared pool. */
  options.memory_size = sizeof memory - 1;
  options.pool = model->pool_create(2);
  CHECK(model->create(&options, &c) == MARTLET_OK);
  CHECK(model->thread_count(c) == 2 && model->context_size() < 4096);
  CHECK(model->reserve(c, 0, &n) == MARTLET_OUT_OF_MEMORY);
  CHECK(model->reserve(c, 1, &n) == MARTLET_INVALID_ARGUMENT);
  check_message(c, "digits has no entry number 1");

  /* The caller's workspace at an odd address; the output as a view. */
  int64_t in_dims[4] = {ROWS, 1, 8, 8}, out_dims[2] = {0, 0}, needed = 0, symbol = 0;
  martlet_tensor in = {.data = image, .type = MARTLET_F32, .rank = 4, .dims = in_dims};
  martlet_tensor out = {.dims = out_dims};
  CHECK(entry->bind(c, &in, &symbol) == MARTLET_OK && symbol == ROWS);
  char *workspace = malloc((size_t)bytes + 200000);
  CHECK(entry->run(c, &in, &out, workspace, 64, &needed) == MARTLET_WORKSPACE_TOO_SMALL && needed == bytes);
  CHECK(entry->run(c, &in, &out, workspace + 1, needed, &needed) == MARTLET_OK);
  CHECK(out.rank == 2 && out.type == MARTLET_F32 && out_dims[0] == ROWS && out_dims[1] == 10);
  CHECK((uintptr_t)out.data % 64 == 0 && out.capacity == ROWS * 40);
  check_scores(image, out.data, ROWS);
  /* Again, with the view still in the descriptor. */
  CHECK(entry->run(c, &in, &out, workspace + 1, bytes, &needed) == MARTLET_OK);
  check_scores(image, out.data, ROWS);

  /* Strides: every second image, backwards; and an input at an odd address. */
  int64_t strides[4] = {-128, 64, 8, 1};
  in_dims[0] = ROWS / 2;
  in.data = image + (ROWS - 2) * 64;
  in.strides = strides;
  CHECK(entry->run(c, &in, &out, workspace, bytes + 200000, &needed) == MARTLET_OK);
  for (int i = 0; i < ROWS / 2; ++i) CHECK(((float *)out.data)[i * 10] == 0.5f + image[(ROWS - 2 - 2 * i) * 64]);
  float *odd = malloc(sizeof(float) * 64 * ROWS + 1);
  in.data = memcpy((char *)odd + 1, image, sizeof(float) * 64 * ROWS);
  in.strides = NULL;
  CHECK(entry->run(c, &in, &out, workspace, bytes + 200000, &needed) == MARTLET_OK);
  check_scores(image, out.data, ROWS / 2);
  free(odd);

  /* Everything a caller can get wrong. */
  in.data = image;
  in.capacity = 64;
  CHECK(entry->run(c, &in, &out, workspace, bytes, &needed) == MARTLET_INVALID_ARGUMENT);
  check_message(c, "input \"image\": 64 bytes, expected 12800");
  in.capacity = 0;
  in.data = workspace + 64;
  CHECK(entry->run(c, &in, &out, workspace, bytes, &needed) == MARTLET_INVALID_ARGUMENT);
  check_message(c, "input \"image\": lies in the workspace that the run overwrites");
  in.data = NULL;
  CHECK(entry->run(c, &in, &out, workspace, bytes, &needed) == MARTLET_INVALID_ARGUMENT);
  check_message(c, "input \"image\": data is NULL");
  in_dims[2] = 5;
  CHECK(entry->run(c, &in, &out, workspace, bytes, &needed) == MARTLET_SHAPE_MISMATCH);
  check_message(c, "input \"image\": dimension 2 is 5, expected 8");
  in_dims[0] = INT64_MIN;
  CHECK(entry->run(c, &in, &out, workspace, bytes, &needed) == MARTLET_SHAPE_MISMATCH);
  check_message(c, "input \"image\": dimension 0 is -9223372036854775808");
  in_dims[0] = 9000;
  CHECK(entry->run(c, &in, &out, workspace, bytes, &needed) == MARTLET_SHAPE_MISMATCH);
  check_message(c, "input \"image\": dimension 0 is 9000, n must be in 1...4096");
  in.rank = 3;
  CHECK(entry->run(c, &in, &out, workspace, bytes, &needed) == MARTLET_SHAPE_MISMATCH);
  check_message(c, "input \"image\": rank 3, expected 4");
  in.type = MARTLET_F16;
  CHECK(entry->run(c, &in, &out, workspace, bytes, &needed) == MARTLET_INVALID_ARGUMENT);
  check_message(c, "input \"image\": type f16, expected f32");
  CHECK(entry->run(c, NULL, &out, workspace, bytes, &needed) == MARTLET_INVALID_ARGUMENT);
  check_message(c, "entry \"main\": inputs is NULL");
  CHECK(entry->run(c, &in, NULL, workspace, bytes, &needed) == MARTLET_INVALID_ARGUMENT);
  check_message(c, "entry \"main\": outputs is NULL");
  free(workspace);
  model->destroy(c);
  model->pool_destroy(options.pool);
}

/* Contexts that share one pool, each run from a thread of its own. */
typedef struct {
  martlet_pool *pool;
  float *image;
} shared;

static void *run_shared(void *argument) {
  shared *s = argument;
  digits_options options = {.struct_size = sizeof options, .pool = s->pool};
  digits_context *c = digits_create(&options);
  float scores[ROWS * 10];
  for (int i = 0; i < 2000; ++i) {
    memset(scores, 0, sizeof scores);
    CHECK(digits_main(c, ROWS, s->image, scores) == MARTLET_OK);
    check_scores(s->image, scores, ROWS);
  }
  digits_destroy(c);
  return NULL;
}

int main(void) {
  static float image[ROWS * 64];
  float scores[ROWS * 10];
  for (int i = 0; i < ROWS * 64; ++i) image[i] = (float)(i * 7 % 31);
  digits_context *c = digits_create(NULL);
  CHECK(c);
  check_message(c, "");
  CHECK(digits_main(c, ROWS, image, scores) == MARTLET_OK);
  check_scores(image, scores, ROWS);
  CHECK(digits_main(c, 0, image, scores) == MARTLET_SHAPE_MISMATCH);
  check_message(c, "input \"image\": dimension 0 is 0, n must be in 1...4096");
  image[64 * 70] = __builtin_nanf("");
  CHECK(digits_main(c, ROWS, image, scores) == MARTLET_INDEX_OUT_OF_RANGE);
  check_message(c, "onnx:/fc/Gemm: an index is out of range");
  image[64 * 70] = 1;
  CHECK(digits_main(c, ROWS, image, scores) == MARTLET_OK);
  check_message(c, "");
  CHECK(digits_model()->reset(c) == MARTLET_OK);
  digits_destroy(c);
  digits_destroy(NULL);

  test_table(image);

  shared s = {digits_model()->pool_create(2), image};
  pthread_t other;
  CHECK(!pthread_create(&other, NULL, run_shared, &s));
  run_shared(&s);
  pthread_join(other, NULL);
  digits_model()->pool_destroy(s.pool);
  puts("model_test: ok");
  return 0;
}
