// Rotary position embedding, and the step into the KV cache.
#pragma once

#include "device/gpu.h"
#include "device/number.h"
#include "device/rows.h"

namespace gpu {

// Where a row's key and value go: those of key/value head h at k + h * kv_head_stride, v alike.
template <class T>
struct CacheSlot {
  T* k = nullptr;
  T* v = nullptr;
  int position = 0;
};

struct RopeShape {
  int heads = 0;
  int kv_heads = 0;
  int head_dim = 0;  // a multiple of 16
  int64_t kv_head_stride = 0;
};

// Rotates the queries of qkv (rows, (heads + 2 kv_heads) * head_dim) in place and writes the rotated keys and the values
// into the slots. Rotate-half form (RoFormer, arXiv:2104.09864, as Llama has it): with c and s of the row's position,
// x[i] * c[i] - x[i + D/2] * s[i] and x[i + D/2] * c[i] + x[i] * s[i].
// table (positions, head_dim) f32: the D/2 cosines, then the sines. Strides are multiples of 8, pointers of 16 bytes.
template <class T>
cudaError_t rope_and_store(Rows<T> qkv, const float* table, const CacheSlot<T>* slots, int64_t rows,
                           const RopeShape& shape, cudaStream_t stream);

}  // namespace gpu
