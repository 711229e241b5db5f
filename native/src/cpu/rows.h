// Rows of the CPU's activations, which are f32.
#pragma once

#include <algorithm>
#include <cmath>

#include "tensor/matrix.h"

namespace ivl::cpu {

inline float* row_of(const Matrix& m, int64_t row) { return static_cast<float*>(m.data) + row * m.stride; }

// to[c][r] = from[r][c].
template <class T>
void transpose_block(T* to, int64_t to_stride, const T* from, int64_t from_stride, int64_t rows, int64_t cols) {
  for (int64_t c = 0; c < cols; ++c) {
    for (int64_t r = 0; r < rows; ++r) to[c * to_stride + r] = from[r * from_stride + c];
  }
}

inline constexpr int64_t kChains = 16;  // of a row, which do not wait for each other; they fix the order of a sum

inline float largest_of(const float* row, int64_t count) {
  float most[kChains];
  std::fill_n(most, kChains, -INFINITY);
  int64_t c = 0;
  for (; c + kChains <= count; c += kChains) {
    for (int64_t lane = 0; lane < kChains; ++lane) most[lane] = most[lane] < row[c + lane] ? row[c + lane] : most[lane];
  }
  for (; c < count; ++c) most[0] = std::max(most[0], row[c]);
  return *std::max_element(most, most + kChains);
}

inline double sum_of(const float* row, int64_t count) {
  double sums[kChains] = {};
  int64_t c = 0;
  for (; c + kChains <= count; c += kChains) {
    for (int64_t lane = 0; lane < kChains; ++lane) sums[lane] += static_cast<double>(row[c + lane]);
  }
  for (; c < count; ++c) sums[0] += static_cast<double>(row[c]);
  double sum = 0;
  for (const double lane : sums) sum += lane;
  return sum;
}

}  // namespace ivl::cpu
