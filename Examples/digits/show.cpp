// Draws a few test images as text and says what the compiled model takes them for.
//
//   martlet compile Examples/digits/digits.onnx -o libdigits.so --name digits
//   c++ -O2 -I. Examples/digits/show.cpp libdigits.so -Wl,-rpath,'$ORIGIN' -o show
//   ./show Examples/digits/images.npy 3
//
// The header of libdigits.so is libdigits.h.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "libdigits.h"
#include "npy.h"

namespace {

constexpr int side = 8;
constexpr int classes = 10;

using Context = std::unique_ptr<digits_context, void (*)(digits_context *)>;

void draw(const float *image) {
  const char shades[] = " .:-=+*#%@";
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const char shade = shades[std::clamp(static_cast<int>(image[y * side + x] * 9.99f), 0, 9)];
      std::putchar(shade);
      std::putchar(shade);
    }
    std::putchar('\n');
  }
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: show IMAGES.npy COUNT\n");
    return 2;
  }
  npy_array images;
  if (const char *problem = npy_read(arguments[1], "<f4", sizeof(float), &images)) {
    std::fprintf(stderr, "show: %s: %s\n", arguments[1], problem);
    return 1;
  }
  const std::unique_ptr<float, void (*)(void *)> pixels(static_cast<float *>(images.data), std::free);
  const std::int64_t shown = std::clamp<std::int64_t>(std::atoll(arguments[2]), 1, images.count / (side * side));

  const Context context(digits_create(nullptr), digits_destroy);
  if (!context) {
    std::fprintf(stderr, "show: this machine cannot run the model\n");
    return 1;
  }
  std::vector<float> scores(static_cast<std::size_t>(shown * classes));
  if (digits_main(context.get(), shown, pixels.get(), scores.data())) {
    std::fprintf(stderr, "show: %s\n", digits_message(context.get()));
    return 1;
  }
  for (std::int64_t i = 0; i < shown; ++i) {
    const auto first = scores.begin() + i * classes;
    const auto best = std::max_element(first, first + classes);
    draw(pixels.get() + i * side * side);
    std::printf("a %d (%.1f %% sure)\n\n", static_cast<int>(best - first), 100 * *best);
  }
  return 0;
}
