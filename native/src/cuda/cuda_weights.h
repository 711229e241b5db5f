// Weights as a GPU keeps them: copies in the model's type, what is in int4 too, or in int8.
#pragma once

#include "backend/backend.h"

namespace ivl::cuda {

// Rows of weights have so many columns, the last of them zeros: kernels read eight at a time.
inline int64_t padded_to_8(int64_t cols) { return (cols + 7) / 8 * 8; }

struct CudaVector final : VectorWeights {
  Buffer values;
};

struct CudaLinear final : LinearWeights {
  Buffer weight;          // (out_features, padded_in), dense: the parts one over the other
  Buffer bias;            // (out_features), or empty
  int64_t padded_in = 0;  // in_features up to a multiple of 8; the columns behind them are zeros
  Buffer int8_scales;     // (out_features) f32, where the layer is int8; then the weight's rows are int8_stride() bytes
};

struct CudaAdapter final : AdapterWeights {
  Buffer down, scales, up, pair_of;  // as gpu::AddedRows has them
  int pairs = 0;
  int rank = 0;  // the widest pair's, up to a multiple of 8
};

struct CudaExperts final : ExpertWeights {
  CudaLinear gate_up, down;  // of all experts, one over the other
};

struct CudaTable final : TableWeights {
  Buffer values;
};

}  // namespace ivl::cuda
