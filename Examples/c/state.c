/* Two entries that share state: `state_add` changes what `state_mean` sees. Build with `cc` alone, see README.md. */
#include "state.h"

#include <math.h>
#include <stdio.h>

static int failures;

static void expect(int holds, const char *what) {
  if (holds) return;
  printf("wrong: %s\n", what);
  ++failures;
}

static int close_to(const float *values, float a, float b, float c, float d) {
  const float expected[4] = {a, b, c, d};
  for (int i = 0; i < 4; ++i)
    if (fabsf(values[i] - expected[i]) > 1e-6f * fabsf(expected[i])) return 0;
  return 1;
}

int main(void) {
  const float rows[2][4] = {{1, 1, 1, 1}, {3, 5, 7, 9}};
  float total[4], mean[4];
  int64_t count = 0;
  state_context *first = state_create(NULL), *second = state_create(NULL);
  if (!first || !second) {
    puts("no context");
    return 1;
  }

  /* The state starts as the weight @start: 1, 2, 3, 4. */
  expect(state_add(first, 2, &rows[0][0], total, &count) == MARTLET_OK, "add");
  expect(close_to(total, 5, 8, 11, 14) && count == 2, "the total behind two rows");
  expect(state_mean(first, mean) == MARTLET_OK, "mean");
  expect(close_to(mean, 2.5f, 4, 5.5f, 7), "the mean sees what add left");
  expect(state_add(first, 1, &rows[1][0], total, &count) == MARTLET_OK, "add once more");
  expect(close_to(total, 8, 13, 18, 23) && count == 3, "the total behind three rows");

  /* Another context has a state of its own. */
  expect(state_add(second, 1, &rows[0][0], total, &count) == MARTLET_OK, "add in another context");
  expect(close_to(total, 2, 3, 4, 5) && count == 1, "contexts do not share");

  /* And a state can start over. */
  expect(state_model()->reset(first) == MARTLET_OK, "reset");
  expect(state_add(first, 1, &rows[0][0], total, &count) == MARTLET_OK, "add behind reset");
  expect(close_to(total, 2, 3, 4, 5) && count == 1, "reset brings back the start");

  /* What is wrong is said. */
  expect(state_add(first, 5000, &rows[0][0], total, &count) == MARTLET_SHAPE_MISMATCH, "too many rows");
  printf("as it should: %s\n", state_message(first));

  state_destroy(first);
  state_destroy(second);
  if (failures) return 1;
  puts("fine");
  return 0;
}
