// What a layer's inputs have in common: H, the sum of x x^T over the rows x that came by.
#pragma once

#include <algorithm>

#include "backend/backend.h"

namespace ivl {

class Gram {
 public:
  // The backend's memory must be the host's.
  Gram(Backend& backend, int64_t inputs);
  void add(const Matrix& rows);

  // (inputs, inputs) in f32, of which the lower triangle counts.
  Matrix sums() const { return memory_.matrix(DType::F32, inputs_, inputs_); }
  float at(int64_t row, int64_t column) const {
    return static_cast<const float*>(memory_.data())[std::max(row, column) * inputs_ + std::min(row, column)];
  }
  int64_t inputs() const { return inputs_; }

 private:
  Backend* backend_;
  int64_t inputs_;
  Buffer memory_;
};

}  // namespace ivl
