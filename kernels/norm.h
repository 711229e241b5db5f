// Normalization of rows.
#pragma once

#include "device/types.h"
#include "quantize.h"
#include "rows.h"

namespace gpu {

// out[r] = round(x / sqrt(mean(x^2) + eps)) * weight, with x = in[r] in f32 and the round to T (RMSNorm of Llama and
// InternViT). `cols` and the strides are multiples of 8, the pointers of 16 bytes. In place is allowed.
// `quantized`, if not null, gets what quantize_rows() would make of out: the row is at hand here, which saves a launch and a
// pass.
template <class T>
cudaError_t rms_norm(Rows<T> out, Rows<const T> in, const T* weight, int64_t rows, int cols, float eps, cudaStream_t stream,
                     const QuantizedRows* quantized = nullptr);

// out[r] = round((x - mean) / sqrt(var + eps)) * weight + bias.
template <class T>
cudaError_t layer_norm(Rows<T> out, Rows<const T> in, const T* weight, const T* bias, int64_t rows, int cols, float eps,
                       cudaStream_t stream, const QuantizedRows* quantized = nullptr);

// layer_norm() of what pixel_shuffle() makes of in (rows.h), which is nowhere written: a row is gathered from its patches. `cols`
// is the width of a patch.
template <class T>
cudaError_t pixel_shuffle_norm(Rows<T> out, Rows<const T> in, const T* weight, const T* bias, int64_t pictures,
                               const PixelShuffle& shuffle, int cols, float eps, cudaStream_t stream);

}  // namespace gpu
