#include "convert/triangle.h"

#include <algorithm>
#include <cmath>

namespace ivl {
namespace {

constexpr int64_t kFactoredRows = 128;  // rows that are factored together
constexpr int64_t kStrip = 1024;        // columns of the triangle that are one product

float* row_of(const Matrix& matrix, int64_t row) { return static_cast<float*>(matrix.data) + row * matrix.stride; }

// Columns [begin, end) of the block's rows [first, last): L's, once those of the block's own triangle are.
void finish_columns(const Matrix& h, int64_t first, int64_t last, int64_t begin, int64_t end) {
  for (int64_t k = last - 1; k >= first; --k) {
    const float* l = row_of(h, k);
    float* row = row_of(h, k);
    for (int64_t m = k + 1; m < last; ++m) {
      const float* done = row_of(h, m);
      const float factor = done[k];
      for (int64_t i = begin; i < end; ++i) row[i] -= factor * done[i];
    }
    for (int64_t i = begin; i < end; ++i) row[i] /= l[k];
  }
}

// The block's own triangle.
void factor_block(const Matrix& h, int64_t first, int64_t last) {
  for (int64_t k = last - 1; k >= first; --k) {
    float* row = row_of(h, k);
    row[k] = std::sqrt(row[k]);
    for (int64_t i = first; i < k; ++i) row[i] /= row[k];
    for (int64_t j = first; j < k; ++j) {
      float* left = row_of(h, j);
      for (int64_t i = first; i <= j; ++i) left[i] -= row[j] * row[i];
    }
  }
}

}  // namespace

void add_product(Backend& backend, const Matrix& out, const Matrix& in, const float* factor) {
  LinearSource source;
  source.weights.push_back({factor, DType::F32, {out.cols, in.cols}});
  const auto weights = backend.linear(source, DType::F32);
  backend.matmul(out, LayerInput{in, *weights}, {Activation::None, nullptr, &out});
}

void add_to_triangle(Backend& backend, const Matrix& sums, const Matrix& left, const Matrix& right) {
  for (int64_t begin = 0; begin < sums.cols; begin += kStrip) {
    const int64_t count = std::min(kStrip, sums.cols - begin), rows = sums.rows - begin;
    add_product(backend, sums.row_range(begin, rows).col_range(begin, count), left.row_range(begin, rows), row_of(right, begin));
  }
}

void factor_triangle(Backend& backend, ThreadPool& pool, const Matrix& h) {
  const Buffer memory = backend.allocate(static_cast<size_t>(2 * h.rows * kFactoredRows) * sizeof(float));
  for (int64_t last = h.rows; last > 0; last -= std::min(last, kFactoredRows)) {
    const int64_t count = std::min(last, kFactoredRows), first = last - count;
    factor_block(h, first, last);
    pool.run((first + kStrip - 1) / kStrip,
             [&](int64_t strip, int) { finish_columns(h, first, last, strip * kStrip, std::min(first, (strip + 1) * kStrip)); });
    const Matrix turned = memory.matrix(DType::F32, first, count);
    const Matrix negative{row_of(turned, first), DType::F32, first, count, count};
    pool.run(first, [&](int64_t i, int) {
      for (int64_t k = 0; k < count; ++k) {
        row_of(turned, i)[k] = row_of(h, first + k)[i];
        row_of(negative, i)[k] = -row_of(turned, i)[k];
      }
    });
    if (first > 0) add_to_triangle(backend, {h.data, DType::F32, first, first, h.stride}, turned, negative);
  }
}

}  // namespace ivl
