// Random operands that live on both sides of a comparison.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "backend/backend.h"

namespace ivl::testing {

// A matrix in memory of its own, with a gap between its rows that must stay untouched.
class Operand {
 public:
  Operand(int64_t rows, int64_t cols, int64_t gap = 0, uint32_t seed = 1, float spread = 1)
      : rows_(rows), cols_(cols), stride_(cols + gap), values_(static_cast<size_t>(rows * stride_)) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-spread, spread);
    for (float& value : values_) value = uniform(random);
  }
  Matrix matrix() { return {values_.data(), DType::F32, rows_, cols_, stride_}; }
  float& at(int64_t row, int64_t col) { return values_[static_cast<size_t>(row * stride_ + col)]; }
  std::vector<float>& values() { return values_; }

 private:
  int64_t rows_, cols_, stride_;
  std::vector<float> values_;
};

// Weights in a type, kept as a checkpoint would hold them.
class HostValues {
 public:
  HostValues(std::vector<int64_t> shape, DType type, uint32_t seed, float spread = 1) : shape_(std::move(shape)), type_(type) {
    size_t size = 1;
    for (const int64_t dim : shape_) size *= static_cast<size_t>(dim);
    bytes_.resize(size * size_of(type));
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-spread, spread);
    for (size_t i = 0; i < size; ++i) store_f32(bytes_.data(), type, i, uniform(random));
  }
  HostTensor tensor() const { return {bytes_.data(), type_, shape_}; }

 private:
  std::vector<int64_t> shape_;
  DType type_;
  std::vector<char> bytes_;
};

inline double relative_error(const Matrix& actual, const Matrix& expected) {
  double difference = 0;
  double norm = 0;
  for (int64_t r = 0; r < actual.rows; ++r) {
    for (int64_t c = 0; c < actual.cols; ++c) {
      const double a = static_cast<const float*>(actual.data)[r * actual.stride + c];
      const double e = static_cast<const float*>(expected.data)[r * expected.stride + c];
      difference += (a - e) * (a - e);
      norm += e * e;
    }
  }
  return norm == 0 ? std::sqrt(difference) : std::sqrt(difference / norm);
}

// The same bits in every element.
inline bool same_bits(const Matrix& a, const Matrix& b) {
  for (int64_t r = 0; r < a.rows; ++r) {
    const auto* x = static_cast<const float*>(a.data) + r * a.stride;
    const auto* y = static_cast<const float*>(b.data) + r * b.stride;
    if (std::memcmp(x, y, static_cast<size_t>(a.cols) * sizeof(float)) != 0) return false;
  }
  return true;
}

}  // namespace ivl::testing
