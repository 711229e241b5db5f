// Products of a few rows with a weight matrix, for decode: the weights pass once, whatever the number of rows, so their
// bytes are the floor. With the norm before and what follows after, a decoder layer is few launches.
#pragma once

#include "device/gpu.h"
#include "device/number.h"
#include "device/rows.h"

namespace gpu {

constexpr int kGemvRows = 8;  // at most, in one pass

enum class GemvEpilogue {
  None,
  Residual,  // out = residual + round(sum), as a separate addition would give
  SwiGlu,    // weights are gate over up, 2 * out_features rows: out = round(silu(round(gate))) * round(up)
};

template <class T>
struct Gemv {
  Rows<const T> in;            // (rows, in_features)
  const T* weight = nullptr;   // (out_features or twice as many, in_features), dense
  const T* bias = nullptr;     // one for each weight row, or null
  const T* norm = nullptr;     // (in_features): the input is RMS-normalized first, as rms_norm does; or null
  float eps = 0;
  Rows<T> out;                 // (rows, out_features); f32 instead if out_f32.data is set
  Rows<float> out_f32;
  Rows<const T> residual;
  GemvEpilogue epilogue = GemvEpilogue::None;
  int rows = 0;                // 1 to kGemvRows
  int in_features = 0;         // a multiple of 8
  int out_features = 0;
};

// Strides are multiples of 8, pointers of 16 bytes. A row's result is the same bits for every number of rows.
template <class T>
cudaError_t gemv(const Gemv<T>& product, cudaStream_t stream);

}  // namespace gpu
