// Queries, keys and values of a decoder that normalizes each head's query and key before they turn (Qwen3): what Activation::Rope
// does behind a product, where the product cannot, because none of its threads holds a whole head.
#pragma once

#include "epilogue.h"

namespace gpu {

template <class T>
struct HeadNorm {
  Rows<T> qkv;                  // (rows, (heads + 2 kv_heads) * head_dim), the product's results; queries come out in place
  const T* q_weight = nullptr;  // (head_dim)
  const T* k_weight = nullptr;
  float eps = 0;
  RopeTarget<T> rope;  // head_dim up to 256
  int64_t rows = 0;
};

// Of each query and key x in f32: round(x / sqrt(mean(x^2) + eps)) * weight, rounded (RMSNorm of Qwen3), then turned and put where
// RopeTarget says, values as they are. qkv.stride is a multiple of 8; pointers of 16 bytes.
template <class T>
cudaError_t normalize_and_turn(const HeadNorm<T>& heads, cudaStream_t stream);

}  // namespace gpu
