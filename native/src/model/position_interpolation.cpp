#include "model/position_interpolation.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ivl {
namespace {

struct Taps {
  std::array<int64_t, 4> index;
  std::array<float, 4> weight;
};

// Keys (1981), "Cubic convolution interpolation for digital image processing", with A = -0.75.
float near_kernel(float x) { return ((-0.75f + 2.0f) * x - (-0.75f + 3.0f)) * x * x + 1.0f; }
float far_kernel(float x) { return ((-0.75f * x - 5.0f * -0.75f) * x + 8.0f * -0.75f) * x - 4.0f * -0.75f; }

Taps taps_at(int64_t to_index, int64_t from, int64_t to) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  const float source = scale * (static_cast<float>(to_index) + 0.5f) - 0.5f;
  const float floor = std::floor(source);
  const float t = source - floor;
  Taps taps;
  taps.weight = {far_kernel(t + 1.0f), near_kernel(t), near_kernel(1.0f - t), far_kernel(2.0f - t)};
  for (int64_t i = 0; i < 4; ++i) {
    taps.index[static_cast<size_t>(i)] = std::clamp(static_cast<int64_t>(floor) - 1 + i, int64_t{0}, from - 1);
  }
  return taps;
}

}  // namespace

std::vector<float> interpolate_bicubic(const std::vector<float>& in, int64_t from, int64_t to, int64_t width) {
  std::vector<float> out(static_cast<size_t>(to * to * width));
  for (int64_t y = 0; y < to; ++y) {
    const Taps rows = taps_at(y, from, to);
    for (int64_t x = 0; x < to; ++x) {
      const Taps cols = taps_at(x, from, to);
      for (int64_t c = 0; c < width; ++c) {
        float sum = 0;
        for (size_t i = 0; i < 4; ++i) {
          float row = 0;
          for (size_t j = 0; j < 4; ++j) {
            row += cols.weight[j] * in[static_cast<size_t>((rows.index[i] * from + cols.index[j]) * width + c)];
          }
          sum += rows.weight[i] * row;
        }
        out[static_cast<size_t>((y * to + x) * width + c)] = sum;
      }
    }
  }
  return out;
}

}  // namespace ivl
