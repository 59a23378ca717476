/* A kernel as Martlet would generate it for the README's model, and its weights. */
#include <stdint.h>

static const float weights[10 * 64] __attribute__((aligned(64))) = {[0] = 1, [64 + 1] = 2, [640 - 1] = 3};
__attribute__((visibility("hidden"))) extern const void *const digits_weights_pointer;
const void *const digits_weights_pointer = weights;

__attribute__((visibility("hidden"))) int32_t k_dense_11ab(void *const *buffers, const int64_t *scalars, int64_t thread,
                                                           int64_t threads);
int32_t k_dense_11ab(void *const *buffers, const int64_t *scalars, int64_t thread, int64_t threads) {
  const float *image = buffers[0], *w = buffers[1], *bias = buffers[2];
  float *scratch = buffers[3], *scores = buffers[4];
  const int64_t n = scalars[0];
  for (int64_t row = n * thread / threads; row < n * (thread + 1) / threads; ++row) {
    if (image[row * 64] != image[row * 64]) return 5; /* a NaN stands for an index out of range */
    for (int j = 0; j < 10; ++j) {
      float sum = bias[j];
      for (int k = 0; k < 64; ++k) sum += image[row * 64 + k] * w[j * 64 + k];
      scratch[row * 16 + j] = sum;
      scores[row * 10 + j] = sum;
    }
  }
  return 0;
}
