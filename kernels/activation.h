// What follows a product where the product itself cannot do it.
#pragma once

#include "device/gpu.h"
#include "device/number.h"
#include "device/rows.h"

namespace gpu {

// out = gelu(in + bias), gelu(x) = x * (1 + erf(x / sqrt 2)) / 2, the exact form (arXiv:1606.08415). `bias` may be null.
// In place is allowed. For all three: cols and strides are multiples of 8, pointers of 16 bytes; f32 between the
// roundings of load and store.
template <class T>
cudaError_t gelu(Rows<T> out, Rows<const T> in, const T* bias, int64_t rows, int cols, cudaStream_t stream);

// out (rows, cols) = silu(gate) * up from gate_up (rows, 2 * cols), gate first; silu(x) = x / (1 + e^-x), rounded to T
// before the product, as the original does (SwiGLU, arXiv:2002.05202).
template <class T>
cudaError_t swiglu(Rows<T> out, Rows<const T> gate_up, int64_t rows, int cols, cudaStream_t stream);

// out = residual + scale * (in + bias): InternViT's layer scale. `scale` and `bias` (cols) may be null. out may be any
// of the inputs.
template <class T>
cudaError_t add_residual(Rows<T> out, Rows<const T> in, const T* bias, const T* scale, Rows<const T> residual,
                         int64_t rows, int cols, cudaStream_t stream);

}  // namespace gpu
