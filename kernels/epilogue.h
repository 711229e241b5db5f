// What follows a product while its sums are still in registers: out = residual + scale * activation(sum + bias), in f32
// up to the one rounding of the result; or the step of queries, keys and values into their heads' places.
#pragma once

#include "adapters.h"
#include "device/types.h"

namespace gpu {

enum class Activation {
  None,
  Gelu,    // x * (1 + erf(x / sqrt 2)) / 2, the exact form (arXiv:1606.08415)
  SwiGlu,  // silu(gate) * up, silu(x) = x / (1 + e^-x) (arXiv:2002.05202); the weights are gate over up
  Rope,    // queries and keys turn, and keys and values go to the cache; see RopeTarget
};

// Where a row's key and value go: those of key/value head h at k + layer * layer_stride + h * head_stride, v alike.
template <class T>
struct CacheSlot {
  T* k = nullptr;
  T* v = nullptr;
  int64_t head_stride = 0;
  int64_t layer_stride = 0;
  int turn = 0;  // the row of RopeTarget::table that its query and key turn by
};

// For Activation::Rope: the product's results are the queries, keys and values of a row's heads, one after the other.
// Queries turn and go to out, keys turn and go with the values to the row's slot. Rotate-half form (RoFormer,
// arXiv:2104.09864, as Llama has it): with c and s of the row's turn, x[i] * c[i] - x[i + D/2] * s[i] and
// x[i + D/2] * c[i] + x[i] * s[i].
template <class T>
struct RopeTarget {
  const CacheSlot<T>* slots = nullptr;  // one a row
  const float* table = nullptr;         // (turns, head_dim): the D/2 cosines, then the sines; aligned to 16 bytes
  int heads = 0;
  int kv_heads = 0;
  int head_dim = 0;  // a multiple of 16
  int layer = 0;     // slots stay the same for all layers of a pass
};

// Columns are the product's out_features. Vectors and rows may be missing (null) except one of the outputs. residual may
// be out.
template <class T>
struct Epilogue {
  Activation activation = Activation::None;
  const T* bias = nullptr;   // one for each row of the weights
  const T* scale = nullptr;  // one for each column
  Rows<const T> residual;
  Rows<T> out;
  Rows<float> out_f32;  // instead of out
  RopeTarget<T> rope;
  Added<T> added;  // to the sums, before all else
};

}  // namespace gpu
