// Rows of the CPU's activations, which are f32.
#pragma once

#include "tensor/matrix.h"

namespace ivl::cpu {

inline float* row_of(const Matrix& m, int64_t row) { return static_cast<float*>(m.data) + row * m.stride; }

}  // namespace ivl::cpu
