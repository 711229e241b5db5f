// Products of small matrices of activations, as they lie: KernelTable::small_product of matrices.
#pragma once

#include "cpu/isa/kernel_table.h"
#include "cpu/rows.h"
#include "tensor/error.h"

namespace ivl::cpu {

// out = a b; with `adds` that is added to out.
inline void multiply(const KernelTable& kernels, const Matrix& out, const Matrix& a, const Matrix& b, bool adds) {
  require(out.rows == a.rows && a.cols == b.rows && out.cols == b.cols, "multiply: shapes fit");
  kernels.small_product(
      {row_of(a, 0), a.stride, 1, row_of(b, 0), b.stride, row_of(out, 0), out.stride, out.rows, out.cols, a.cols, adds});
}

// out += a^T b.
inline void add_transposed_product(const KernelTable& kernels, const Matrix& out, const Matrix& a, const Matrix& b) {
  require(out.rows == a.cols && a.rows == b.rows && out.cols == b.cols, "add_transposed_product: shapes fit");
  kernels.small_product(
      {row_of(a, 0), 1, a.stride, row_of(b, 0), b.stride, row_of(out, 0), out.stride, out.rows, out.cols, a.rows, true});
}

}  // namespace ivl::cpu
