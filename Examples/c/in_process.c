/* Compiles a model in this very process and runs it: `in_process digits.onnx`. See README.md. */
#include "martlet.h"
#include "martlet_compiler.h"

#include <stdio.h>

static int failed(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  return 1;
}

int main(int count, char **words) {
  float image[64] = {0};
  int64_t image_dims[] = {1, 1, 8, 8}, scores_dims[2];
  martlet_tensor input = {.data = image, .type = MARTLET_F32, .rank = 4, .dims = image_dims};
  martlet_tensor output = {.dims = scores_dims}; /* no data: the result becomes a view of the workspace */
  martlet_compiled *compiled;
  martlet_context *context;
  int best = 0;
  if (count != 2) return failed(words[0], "expected the path of digits.onnx");

  if (martlet_compiler_load(words[1], "{\"shape\": {\"image\": [1, 1, 8, 8]}}", &compiled))
    return failed("compiling", martlet_compiler_message());
  const martlet_model *model = martlet_compiled_table(compiled);
  if (model->create(NULL, &context)) return failed("create", "no context");

  /* A vertical stroke. */
  for (int row = 1; row < 7; ++row) image[row * 8 + 3] = image[row * 8 + 4] = 1;
  if (martlet_call(model, 0, context, &input, &output)) return failed("run", model->last_error(context));
  const float *scores = output.data;
  for (int digit = 1; digit < 10; ++digit)
    if (scores[digit] > scores[best]) best = digit;
  printf("looks like a %d\n", best);

  model->destroy(context);
  martlet_compiler_release(compiled);
  return 0;
}
