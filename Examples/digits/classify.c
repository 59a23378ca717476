/* Counts how many test images the compiled model gets right, and how long it takes.
 *
 *   martlet compile Examples/digits/digits.onnx -o digits.a --emit static
 *   cc -O2 -I. Examples/digits/classify.c digits.a -o classify
 *   ./classify Examples/digits/images.npy Examples/digits/labels.npy
 */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#include "digits.h"
#include "npy.h"

enum { PIXELS = 64, CLASSES = 10, REPETITIONS = 200 };

static double microseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* The least of many times, for all images in batches of `batch`; negative when a run fails. */
static double measure(digits_context *context, const float *images, float *scores, int64_t count, int64_t batch) {
  double best = 1e30;
  for (int repetition = 0; repetition < REPETITIONS; ++repetition) {
    const double start = microseconds();
    for (int64_t i = 0; i + batch <= count; i += batch)
      if (digits_main(context, batch, images + i * PIXELS, scores + i * CLASSES)) return -1;
    const double each = (microseconds() - start) / (double)(count / batch * batch);
    if (each < best) best = each;
  }
  return best;
}

int main(int count, char **arguments) {
  npy_array images, labels;
  const char *problem;
  if (count != 3) {
    fprintf(stderr, "usage: classify IMAGES.npy LABELS.npy\n");
    return 2;
  }
  if ((problem = npy_read(arguments[1], "<f4", sizeof(float), &images))) {
    fprintf(stderr, "classify: %s: %s\n", arguments[1], problem);
    return 1;
  }
  if ((problem = npy_read(arguments[2], "<i8", sizeof(int64_t), &labels))) {
    fprintf(stderr, "classify: %s: %s\n", arguments[2], problem);
    return 1;
  }
  if (images.count != labels.count * PIXELS) {
    fprintf(stderr, "classify: images and labels differ in number\n");
    return 1;
  }

  char message[256] = "";
  digits_options options = {.struct_size = sizeof options, .message = message, .message_capacity = sizeof message};
  digits_context *context = digits_create(&options);
  float *scores = malloc((size_t)labels.count * CLASSES * sizeof(float));
  if (!context || !scores) {
    fprintf(stderr, "classify: %s\n", context ? "out of memory" : message);
    return 1;
  }

  /* All images at once. */
  if (digits_main(context, labels.count, images.data, scores)) {
    fprintf(stderr, "classify: %s\n", digits_message(context));
    return 1;
  }
  int64_t right = 0;
  for (int64_t i = 0; i < labels.count; ++i) {
    int best = 0;
    for (int class = 1; class < CLASSES; ++class)
      if (scores[i * CLASSES + class] > scores[i * CLASSES + best]) best = class;
    right += best == ((const int64_t *)labels.data)[i];
  }
  printf("accuracy: %lld of %lld images (%.1f %%)\n", (long long)right, (long long)labels.count,
         100 * (double)right / (double)labels.count);

  const double one = measure(context, images.data, scores, labels.count, 1);
  const double all = measure(context, images.data, scores, labels.count, labels.count);
  if (one < 0 || all < 0) {
    fprintf(stderr, "classify: %s\n", digits_message(context));
    return 1;
  }
  printf("latency:  %.2f us for one image, %.2f us each in a batch of %lld\n", one, all, (long long)labels.count);

  digits_destroy(context);
  free(scores);
  free(images.data);
  free(labels.data);
  return 0;
}
