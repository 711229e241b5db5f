// Scratch matrices of a forward pass: each slot keeps the largest buffer it was ever asked for, so that a step of
// decoding allocates nothing.
#pragma once

#include <vector>

#include "backend/backend.h"

namespace ivl {

class Workspace {
 public:
  explicit Workspace(Backend& backend) : backend_(backend) {}

  Matrix matrix(size_t slot, int64_t rows, int64_t cols, DType type) {
    if (slot >= buffers_.size()) buffers_.resize(slot + 1);
    const int64_t stride = backend_.row_stride(cols, type);
    const size_t bytes = static_cast<size_t>(rows * stride) * size_of(type);
    if (buffers_[slot].bytes() < bytes) {
      buffers_[slot] = Buffer();  // give back before taking: never both
      buffers_[slot] = backend_.allocate(bytes);
    }
    return {buffers_[slot].data(), type, rows, cols, stride};
  }
  Matrix matrix(size_t slot, int64_t rows, int64_t cols) { return matrix(slot, rows, cols, backend_.activation_type()); }

 private:
  Backend& backend_;
  std::vector<Buffer> buffers_;
};

}  // namespace ivl
