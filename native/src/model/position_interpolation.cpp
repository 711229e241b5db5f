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

std::vector<float> interpolate_bicubic_back(const std::vector<float>& out, int64_t from, int64_t to, int64_t width) {
  std::vector<float> in(static_cast<size_t>(from * from * width));
  for (int64_t y = 0; y < to; ++y) {
    const Taps rows = taps_at(y, from, to);
    for (int64_t x = 0; x < to; ++x) {
      const Taps cols = taps_at(x, from, to);
      const float* d = out.data() + (y * to + x) * width;
      for (size_t i = 0; i < 4; ++i) {
        for (size_t j = 0; j < 4; ++j) {
          const float weight = rows.weight[i] * cols.weight[j];
          float* to_row = in.data() + (rows.index[i] * from + cols.index[j]) * width;
          for (int64_t c = 0; c < width; ++c) to_row[c] += weight * d[c];
        }
      }
    }
  }
  return in;
}

namespace {

// `map` of all rows but the first.
template <class Map>
std::vector<float> behind_class_token(std::vector<float> rows, int64_t width, const Map& map) {
  const std::vector<float> grid(rows.begin() + width, rows.end());
  const std::vector<float> mapped = map(grid);
  rows.resize(static_cast<size_t>(width));
  rows.insert(rows.end(), mapped.begin(), mapped.end());
  return rows;
}

}  // namespace

std::vector<float> positions_for_grid(std::vector<float> positions, int64_t trained, int64_t grid, int64_t width) {
  if (trained == grid) return positions;
  return behind_class_token(std::move(positions), width,
                            [&](const auto& rows) { return interpolate_bicubic(rows, trained, grid, width); });
}

std::vector<float> positions_back(const std::vector<float>& d, int64_t trained, int64_t grid, int64_t width) {
  return behind_class_token(d, width, [&](const auto& rows) { return interpolate_bicubic_back(rows, trained, grid, width); });
}

}  // namespace ivl
