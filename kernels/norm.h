// Normalization of rows.
#pragma once

#include "device/types.h"

namespace gpu {

// out[r] = round(x / sqrt(mean(x^2) + eps)) * weight, with x = in[r] in f32 and the round to T (RMSNorm of Llama and
// InternViT). `cols` and the strides are multiples of 8, the pointers of 16 bytes. In place is allowed.
template <class T>
cudaError_t rms_norm(Rows<T> out, Rows<const T> in, const T* weight, int64_t rows, int cols, float eps,
                     cudaStream_t stream);

// out[r] = round((x - mean) / sqrt(var + eps)) * weight + bias.
template <class T>
cudaError_t layer_norm(Rows<T> out, Rows<const T> in, const T* weight, const T* bias, int64_t rows, int cols, float eps,
                       cudaStream_t stream);

}  // namespace gpu
