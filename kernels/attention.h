// Softmax(q k^T * scale) v for many queries at once, by tensor cores, in tiles that never leave the multiprocessor
// (FlashAttention-2, arXiv:2307.08691), with grouped queries packed into the rows of a tile.
//
// A row's keys are taken in splits of kSplit from key 0 on; within a split the softmax is online over tiles of kTileKeys,
// and the splits' results are merged in order. That order does not depend on how many rows there are or which blocks
// work on them: a token attends bit for bit the same in a prompt, alone, and in any batch.
#pragma once

#include "device/types.h"
#include "quantize.h"

namespace gpu {

// Of a head; attention() takes no other.
constexpr int kHeadDims[] = {32, 64, 96, 128};
constexpr int kTileKeys = 32;
constexpr int kSplit = 256;
// At most this many rows (tokens times query heads of a key/value head) take the path that works on splits in parallel.
constexpr int kDecodeRows = 16;
// Of a span: a grid has no more splits.
constexpr int kMostKeys = 65535 * kSplit;

// The queries of one sequence or picture, with its keys and values. Strides are in elements and multiples of 8, the
// pointers of 16 bytes.
template <class T>
struct AttentionSpan {
  const T* q = nullptr;  // (tokens, heads * D)
  T* out = nullptr;      // (tokens, heads * D)
  // Key t of key/value head h at k + layer * kv_layer_stride + h * kv_head_stride + t * kv_stride; v alike. Or see `blocks`.
  const T* k = nullptr;
  const T* v = nullptr;
  int64_t q_stride = 0;
  int64_t out_stride = 0;
  int64_t kv_stride = 0;
  int64_t kv_head_stride = 0;
  int64_t kv_layer_stride = 0;
  int tokens = 0;
  int past = 0;  // keys before the first token's own; token i sees keys [0, past + i] if causal, else all past + tokens
  // (tokens, heads * D / kDigestColumns) of out, dense, or null. Only where works_by_splits() says so they are written.
  Digest* digests = nullptr;
  // Not null: k and v are null, and this is a table of blocks of kSplit keys each, in device memory. Key t is then key t % kSplit, as
  // above, with blocks[t / kSplit] for k, and for v `values` elements behind it.
  const T* const* blocks = nullptr;
  int64_t values = 0;
};

struct AttentionShape {
  int heads = 0;
  int kv_heads = 0;
  int head_dim = 0;  // one of kHeadDims
  int layer = 0;     // spans stay the same for all layers of a pass
  bool causal = false;
  float scale = 0;
};

// Whether attention() works on splits in parallel: causal, and at most kDecodeRows rows in the span with the most tokens.
bool works_by_splits(const AttentionShape& shape, int most_tokens);

// Floats that attention() needs in `workspace` for spans of at most kDecodeRows rows.
size_t attention_workspace(const AttentionShape& shape, int spans, int most_keys);

// `spans` lies in device memory. `most_tokens` and `most_keys` are the largest `tokens` and `past + tokens` among them.
template <class T>
cudaError_t attention(const AttentionSpan<T>* spans, int count, const AttentionShape& shape, int most_tokens, int most_keys,
                      float* workspace, cudaStream_t stream);

}  // namespace gpu
