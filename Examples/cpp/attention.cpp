// One artifact, many sizes: batch and sequence are open. Build with `c++` alone, see README.md.
#include "attention.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

namespace {

constexpr int64_t depth = 16, width = 24;

struct Destroy {
  void operator()(attention_context *context) const { attention_destroy(context); }
};

std::vector<float> numbers(int64_t count, unsigned seed) {
  std::vector<float> result(static_cast<size_t>(count));
  for (float &number : result) {
    seed = seed * 1664525u + 1013904223u;
    number = static_cast<float>(seed >> 8) / (1 << 23) - 1.0f;
  }
  return result;
}

// The same by plain loops, in double; how far `out` is from it.
double difference(int64_t batch, int64_t seq, const float *q, const float *k, const float *v, const float *mask,
                  const float *out) {
  double worst = 0;
  std::vector<double> weights(static_cast<size_t>(seq));
  for (int64_t row = 0; row < batch * seq; ++row) {
    const int64_t first = row / seq * seq;
    double greatest = -INFINITY, sum = 0;
    for (int64_t j = 0; j < seq; ++j) {
      double score = 0;
      for (int64_t d = 0; d < depth; ++d) score += double(q[row * depth + d]) * k[(first + j) * depth + d];
      weights[j] = score * 0.25 + mask[row % seq * seq + j];
      greatest = std::max(greatest, weights[j]);
    }
    for (double &weight : weights) sum += weight = std::exp(weight - greatest);
    for (int64_t d = 0; d < width; ++d) {
      double mixed = 0;
      for (int64_t j = 0; j < seq; ++j) mixed += weights[j] / sum * v[(first + j) * width + d];
      worst = std::max(worst, std::abs(mixed - out[row * width + d]));
    }
  }
  return worst;
}

}  // namespace

int main() {
  std::unique_ptr<attention_context, Destroy> context(attention_create(nullptr));
  if (!context) return std::puts("no context"), 1;
  for (int64_t batch : {1, 3, 8}) {
    for (int64_t seq : {1, 7, 16, 64}) {
      const auto q = numbers(batch * seq * depth, 1), k = numbers(batch * seq * depth, 2);
      const auto v = numbers(batch * seq * width, 3);
      std::vector<float> mask(static_cast<size_t>(seq * seq)), out(static_cast<size_t>(batch * seq * width));
      for (int64_t i = 0; i < seq * seq; ++i) mask[i] = i % seq > i / seq ? -1e9f : 0.0f;
      const auto status =
          attention_main(context.get(), batch, seq, q.data(), k.data(), v.data(), mask.data(), out.data());
      if (status != MARTLET_OK) return std::printf("%s\n", attention_message(context.get())), 1;
      const double worst = difference(batch, seq, q.data(), k.data(), v.data(), mask.data(), out.data());
      std::printf("batch %d, sequence %2d: off by at most %.1e\n", int(batch), int(seq), worst);
      if (!(worst < 1e-5)) return std::puts("too much"), 1;
    }
  }
  std::puts("fine");
  return 0;
}
