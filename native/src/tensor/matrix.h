// A non-owning view of a row-major matrix in a backend's memory. Every activation of the model is one: leading
// dimensions (pictures, tokens) are folded into the rows, so (n, T, C) is n*T rows of C.
#pragma once

#include "tensor/dtype.h"

namespace ivl {

struct Matrix {
  void* data = nullptr;
  DType dtype = DType::F32;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;  // elements from one row to the next; at least cols

  // Rows [begin, begin + count).
  Matrix row_range(int64_t begin, int64_t count) const {
    return {static_cast<char*>(data) + static_cast<size_t>(begin * stride) * size_of(dtype), dtype, count, cols, stride};
  }
  // Columns [begin, begin + count): the stride stays, so this is how q is seen inside a qkv product.
  Matrix col_range(int64_t begin, int64_t count) const {
    return {static_cast<char*>(data) + static_cast<size_t>(begin) * size_of(dtype), dtype, rows, count, stride};
  }
};

}  // namespace ivl
