/* Compiles a model in this process, runs it, and makes every mistake once.
 * usage: compile_and_run MODEL CACHE OUT.so */
#include "martlet.h"
#include "martlet_compiler.h"

#include <stdio.h>
#include <string.h>

#define EXPECT(condition) \
  do { \
    if (!(condition)) { \
      fprintf(stderr, "line %d: %s (%s)\n", __LINE__, #condition, martlet_compiler_message()); \
      return 1; \
    } \
  } while (0)

static int compile_and_run(const char *path, const char *options) {
  martlet_compiled *compiled = NULL;
  const martlet_model *model;
  martlet_context *context;
  float x[2 * 24], w[24 * 10];
  int64_t x_dims[] = {2, 24}, w_dims[] = {24, 10}, y_dims[2], z_dims[2];
  martlet_tensor inputs[2], outputs[2];
  int i;
  EXPECT(martlet_compiler_load(path, options, &compiled) == 0);
  EXPECT(!strcmp(martlet_compiler_message(), ""));
  model = martlet_compiled_table(compiled);
  EXPECT(model->magic == MARTLET_MAGIC && model->entry_count == 1);
  EXPECT(model->create(NULL, &context) == MARTLET_OK);
  for (i = 0; i < 2 * 24; ++i) x[i] = (float)(i % 5 - 2);
  for (i = 0; i < 24 * 10; ++i) w[i] = (float)(i % 7 - 3);
  memset(inputs, 0, sizeof inputs);
  memset(outputs, 0, sizeof outputs);
  inputs[0].data = x;
  inputs[1].data = w;
  inputs[0].type = inputs[1].type = MARTLET_F32;
  inputs[0].rank = inputs[1].rank = 2;
  inputs[0].dims = x_dims;
  inputs[1].dims = w_dims;
  outputs[0].dims = y_dims;
  outputs[1].dims = z_dims;
  EXPECT(martlet_call(model, 0, context, inputs, outputs) == MARTLET_OK);
  EXPECT(y_dims[0] == 2 && y_dims[1] == 10);
  for (i = 0; i < 20; ++i) {
    float sum = 0;
    int k;
    for (k = 0; k < 24; ++k) sum += x[i / 10 * 24 + k] * w[k * 10 + i % 10];
    if (sum < 0) sum = 0;
    EXPECT(((float *)outputs[0].data)[i] == sum);
    EXPECT(((float *)outputs[1].data)[i] == -sum);
  }
  model->destroy(context);
  martlet_compiler_release(compiled);
  return 0;
}

int main(int count, char **words) {
  char options[4096];
  martlet_compiled *compiled = NULL;
  int i;
  EXPECT(count == 4);
  EXPECT(*martlet_compiler_version());
  EXPECT(!strcmp(martlet_compiler_message(), ""));

  EXPECT(martlet_compiler_load("none.mir", NULL, &compiled) == 1 && !compiled);
  EXPECT(strstr(martlet_compiler_message(), "none.mir"));
  EXPECT(martlet_compiler_load(words[1], "{\"tarqet\": \"host\"}", &compiled) == 2);
  EXPECT(strstr(martlet_compiler_message(), "did you mean target?"));
  EXPECT(martlet_compiler_load(words[1], "{", &compiled) == 2);
  EXPECT(martlet_compiler_load(NULL, NULL, &compiled) == 2);

  /* As a library in the cache, and in memory: there, a compiler waits from the second model on. */
  snprintf(options, sizeof options, "{\"shape\": {\"x\": [2, 24]}, \"threads\": 1, \"cache_dir\": \"%s\"}", words[2]);
  if (compile_and_run(words[1], options)) return 1;
  for (i = 0; i < 3; ++i)
    if (compile_and_run(words[1], "{\"shape\": {\"x\": [2, 24]}, \"threads\": 2, \"cache_dir\": null}")) return 1;
  martlet_compiler_release(NULL);

  EXPECT(martlet_compiler_write(words[1], "{\"cache_dir\": null}", words[3]) == 0);
  EXPECT(martlet_compiler_write(words[1], NULL, "x.txt") == 2);
  puts("fine");
  return 0;
}
