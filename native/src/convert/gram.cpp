#include "convert/gram.h"

#include "convert/triangle.h"

namespace ivl {

Gram::Gram(Backend& backend, int64_t inputs)
    : backend_(&backend), inputs_(inputs), memory_(backend.allocate(static_cast<size_t>(inputs * inputs) * sizeof(float))) {}

void Gram::add(const Matrix& rows) {
  require(rows.cols == inputs_ && rows.dtype == DType::F32, "gram: the layer's inputs, in f32");
  const Buffer memory = backend_->allocate(static_cast<size_t>(rows.rows * inputs_) * sizeof(float));
  const Matrix columns = memory.matrix(DType::F32, inputs_, rows.rows);
  for (int64_t row = 0; row < rows.rows; ++row) {
    const float* from = static_cast<const float*>(rows.data) + row * rows.stride;
    for (int64_t i = 0; i < inputs_; ++i) static_cast<float*>(columns.data)[i * rows.rows + row] = from[i];
  }
  add_to_triangle(*backend_, sums(), columns, columns);
}

}  // namespace ivl
