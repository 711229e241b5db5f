#include "attention.h"

#include <iterator>

#include "device/number.h"
#include "device/ptx.h"
#include "device/quad.h"
#include "device/quantize.h"
#include "device/reduce.h"
#include "device/vector.h"

namespace gpu {
namespace {

constexpr int kRowsOfWarp = 16;
constexpr int kStages = 2;
constexpr int kChunk = 8;  // elements in 16 bytes
constexpr int kTileBlocks = kTileKeys / 16;

// What a row knows after some of its keys: the largest score (in units of log2), the sum of 2^(score - largest).
struct RowState {
  float largest;
  float sum;
};

struct Merge {
  float keep;  // what the old and the new values are multiplied by
  float take;
};

// One order of operations for the merge of splits, wherever it happens. A row that saw no key of a split takes nothing.
GPU_DEVICE Merge merge(RowState& row, const RowState& split) {
  if (split.largest == -INFINITY) {
    return {1.0f, 0.0f};
  }
  const float largest = fmaxf(row.largest, split.largest);
  const Merge by{exp2_approximate(row.largest - largest), exp2_approximate(split.largest - largest)};
  row.sum = __fmaf_rn(row.sum, by.keep, __fmul_rn(split.sum, by.take));
  row.largest = largest;
  return by;
}

GPU_DEVICE float merged(float old, float split, const Merge& by) {
  return by.take == 0.0f ? old : __fmaf_rn(old, by.keep, __fmul_rn(split, by.take));
}

// Where element (row, column) of a tile of D columns lies in shared memory: 16-byte chunks are exchanged within a row
// so that eight rows' chunks of one column lie in different banks, of which there are 8 chunks. They change places within
// groups of the largest power of two that divides a row's; with an odd number of such groups, rows lie half the banks apart.
template <int D>
GPU_DEVICE int swizzled(int row, int column) {
  constexpr int kPower = D / kChunk & -(D / kChunk);
  constexpr int kChunks = kPower < 8 ? kPower : 8;
  return row * D + ((column / kChunk) ^ (row / (8 / kChunks) % kChunks)) * kChunk + column % kChunk;
}

template <class T>
GPU_DEVICE void mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
template <>
GPU_DEVICE void mma<bf16>(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  mma_m16n8k16_bf16(d, a, b);
}
template <>
GPU_DEVICE void mma<f16>(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  mma_m16n8k16_f16(d, a, b);
}

template <class T>
GPU_DEVICE uint32_t pack(float low, float high) {
  return static_cast<uint32_t>(from_float<T>(low).bits) | static_cast<uint32_t>(from_float<T>(high).bits) << 16;
}

// Keys that a row sees.
template <class T>
GPU_DEVICE int keys_of_row(const AttentionSpan<T>& span, const AttentionShape& shape, int row, int group) {
  return span.past + (shape.causal ? row / group + 1 : span.tokens);
}

// A block works on kRowsOfWarp * Warps rows of one span and one key/value head. Row r is query head r % group of token
// r / group, so all queries that share keys share their loads.
template <class T, int D, int Warps>
struct Block {
  static constexpr int kThreads = kWarp * Warps;
  static constexpr int kRows = kRowsOfWarp * Warps;
  static constexpr int kTile = kTileKeys * D;
  static constexpr size_t kTilesBytes = sizeof(T) * 2 * kStages * kTile;
  // Queries are staged where the tiles come later.
  static_assert(sizeof(T) * kRows * D <= kTilesBytes);

  const AttentionSpan<T>& span;
  const AttentionShape& shape;
  T* tiles;       // [stage][k, v][kTileKeys][D], swizzled
  int first_row;  // of the block
  int group;
  int kv_head;
  float log2_scale;
  const T* keys_of_split;
  const T* values_of_split;

  uint32_t q[D / 16][4];
  float o[D / 8][4];  // of this split
  RowState split[2];  // rows lane / 4 and lane / 4 + 8 of the warp

  GPU_DEVICE Block(const AttentionSpan<T>& span_, const AttentionShape& shape_, T* tiles_)
      : span(span_),
        shape(shape_),
        tiles(tiles_),
        first_row(static_cast<int>(blockIdx.x) * kRows),
        group(shape_.heads / shape_.kv_heads),
        kv_head(static_cast<int>(blockIdx.y) % shape_.kv_heads),
        log2_scale(shape_.scale * 1.44269504f) {}

  GPU_DEVICE int thread() const { return static_cast<int>(threadIdx.x); }
  GPU_DEVICE int lane() const { return thread() % kWarp; }
  GPU_DEVICE int warp() const { return thread() / kWarp; }
  GPU_DEVICE int rows() const { return span.tokens * group; }
  // Row `half` (0 or 1) of this thread, among the span's rows.
  GPU_DEVICE int row(int half) const { return first_row + warp() * kRowsOfWarp + lane() / 4 + 8 * half; }
  GPU_DEVICE int keys_of(int row) const { return keys_of_row(span, shape, row, group); }
  // Keys that some row of the block sees.
  GPU_DEVICE int keys() const {
    const int last = first_row + kRows < rows() ? first_row + kRows - 1 : rows() - 1;
    return keys_of(last);
  }

  GPU_DEVICE void load_queries() {
    for (int chunk = thread(); chunk < kRows * D / kChunk; chunk += kThreads) {
      const int r = chunk / (D / kChunk);
      const int column = chunk % (D / kChunk) * kChunk;
      const bool there = first_row + r < rows();
      const int token = there ? (first_row + r) / group : 0;
      const int head = kv_head * group + (there ? (first_row + r) % group : 0);
      cp_async_16(tiles + swizzled<D>(r, column), span.q + token * span.q_stride + head * D + column, there ? 16 : 0);
    }
    cp_async_commit();
    cp_async_wait<0>();
    __syncthreads();
#pragma unroll
    for (int i = 0; i < D / 16; i++) {
      // Matrices of A: rows 0-7 and 8-15 of columns 0-7, then of columns 8-15.
      const int r = warp() * kRowsOfWarp + lane() % 16;
      ldmatrix_x4(q[i], tiles + swizzled<D>(r, 16 * i + lane() / 16 * 8));
    }
    __syncthreads();
  }

  GPU_DEVICE T* tile(int stage, int value) const { return tiles + (2 * stage + value) * kTile; }

  // Keys [first, first + kTileKeys) of the split, zeros from `end` on.
  GPU_DEVICE void load_tile(int stage, int first, int end) {
    for (int chunk = thread(); chunk < kTile / kChunk; chunk += kThreads) {
      const int r = chunk / (D / kChunk);
      const int column = chunk % (D / kChunk) * kChunk;
      const bool there = first + r < end;
      const int64_t from = (there ? first + r : 0) * span.kv_stride + column;
      cp_async_16(tile(stage, 0) + swizzled<D>(r, column), keys_of_split + from, there ? 16 : 0);
      cp_async_16(tile(stage, 1) + swizzled<D>(r, column), values_of_split + from, there ? 16 : 0);
    }
  }

  GPU_DEVICE void begin_split() {
#pragma unroll
    for (int n = 0; n < D / 8; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        o[n][i] = 0;
      }
    }
    split[0] = split[1] = {-INFINITY, 0};
  }

  // Where the split lies that begins with key `begin`.
  GPU_DEVICE void find_split(int begin) {
    const int64_t head = shape.layer * span.kv_layer_stride + kv_head * span.kv_head_stride;
    if (span.blocks != nullptr) {
      keys_of_split = span.blocks[begin / kSplit] + head;
      values_of_split = keys_of_split + span.values;
    } else {
      keys_of_split = span.k + head + begin * span.kv_stride;
      values_of_split = span.v + head + begin * span.kv_stride;
    }
  }

  // The split's keys [begin, end), at most kSplit.
  GPU_DEVICE void attend(int begin, int end) {
    begin_split();
    find_split(begin);
    load_tile(0, 0, end - begin);
    cp_async_commit();
    for (int first = begin, stage = 0; first < end; first += kTileKeys, stage ^= 1) {
      if (first + kTileKeys < end) {
        load_tile(stage ^ 1, first + kTileKeys - begin, end - begin);
      }
      cp_async_commit();
      cp_async_wait<1>();
      __syncthreads();
      float s[2 * kTileBlocks][4];
      scores(tile(stage, 0), s);
      soften(s, first);
      weigh(tile(stage, 1), s);
      __syncthreads();
    }
    cp_async_wait<0>();
#pragma unroll
    for (int half = 0; half < 2; half++) {
      split[half].sum += __shfl_xor_sync(kAllLanes, split[half].sum, 1);
      split[half].sum += __shfl_xor_sync(kAllLanes, split[half].sum, 2);
    }
  }

  // s = q k^T: 16 rows by kTileKeys keys.
  GPU_DEVICE void scores(const T* k, float (&s)[2 * kTileBlocks][4]) {
#pragma unroll
    for (int n = 0; n < 2 * kTileBlocks; n++) {
      s[n][0] = s[n][1] = s[n][2] = s[n][3] = 0;
    }
#pragma unroll
    for (int i = 0; i < D / 16; i++) {
#pragma unroll
      for (int block = 0; block < kTileBlocks; block++) {
        // Matrices: keys 0-7 of columns 0-7 and 8-15, then keys 8-15.
        const int key = 16 * block + lane() / 16 * 8 + lane() % 8;
        uint32_t b[4];
        ldmatrix_x4(b, k + swizzled<D>(key, 16 * i + lane() / 8 % 2 * 8));
        const uint32_t low[2] = {b[0], b[1]};
        const uint32_t high[2] = {b[2], b[3]};
        mma<T>(s[2 * block], q[i], low);
        mma<T>(s[2 * block + 1], q[i], high);
      }
    }
  }

  // Scores become weights 2^(score - largest), the state and what was weighed before follow the largest.
  GPU_DEVICE void soften(float (&s)[2 * kTileBlocks][4], int first) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int seen = keys_of(row(half)) - first - lane() % 4 * 2;
      float largest = split[half].largest;
#pragma unroll
      for (int n = 0; n < 2 * kTileBlocks; n++) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
          float& score = s[n][2 * half + i];
          score = 8 * n + i < seen ? score * log2_scale : -INFINITY;
          largest = fmaxf(largest, score);
        }
      }
      largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, 1));
      largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, 2));
      const float base = largest == -INFINITY ? 0.0f : largest;
      const float keep = exp2_approximate(split[half].largest - base);
      float sum = split[half].sum * keep;
#pragma unroll
      for (int n = 0; n < 2 * kTileBlocks; n++) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
          float& score = s[n][2 * half + i];
          score = exp2_approximate(score - base);
          sum += score;
        }
      }
      split[half] = {largest, sum};
#pragma unroll
      for (int n = 0; n < D / 8; n++) {
        o[n][2 * half] *= keep;
        o[n][2 * half + 1] *= keep;
      }
    }
  }

  // o += weights v.
  GPU_DEVICE void weigh(const T* v, const float (&p)[2 * kTileBlocks][4]) {
#pragma unroll
    for (int block = 0; block < kTileBlocks; block++) {
      const uint32_t a[4] = {pack<T>(p[2 * block][0], p[2 * block][1]), pack<T>(p[2 * block][2], p[2 * block][3]),
                             pack<T>(p[2 * block + 1][0], p[2 * block + 1][1]), pack<T>(p[2 * block + 1][2], p[2 * block + 1][3])};
#pragma unroll
      for (int n = 0; n < D / 16; n++) {
        // Matrices, transposed: keys 0-7 and 8-15 of columns 0-7, then of columns 8-15.
        const int key = 16 * block + lane() % 16;
        uint32_t b[4];
        ldmatrix_x4_trans(b, v + swizzled<D>(key, 16 * n + lane() / 16 * 8));
        const uint32_t low[2] = {b[0], b[1]};
        const uint32_t high[2] = {b[2], b[3]};
        mma<T>(o[2 * n], a, low);
        mma<T>(o[2 * n + 1], a, high);
      }
    }
  }

  // Where column `column` of row `half` goes.
  GPU_DEVICE T* target(int half, int column) const {
    const int r = row(half);
    return span.out + r / group * span.out_stride + (kv_head * group + r % group) * D + column;
  }
};

// Every key of the rows by one block; splits merged in shared memory, each thread its own elements.
template <class T, int D, int Warps>
__global__ void __launch_bounds__(kWarp* Warps, 2)
    attention_kernel(const AttentionSpan<T>* __restrict__ spans, AttentionShape shape) {
  using B = Block<T, D, Warps>;
  GPU_DYNAMIC_SHARED(unsigned char, memory);
  auto* running = reinterpret_cast<float*>(memory + B::kTilesBytes) + threadIdx.x;
  const AttentionSpan<T> span = spans[blockIdx.y / shape.kv_heads];
  B block(span, shape, reinterpret_cast<T*>(memory));
  if (block.first_row >= block.rows()) {
    return;  // the whole block: the grid is as long as the longest span
  }
  block.load_queries();

  RowState row[2] = {{-INFINITY, 0}, {-INFINITY, 0}};
  const int keys = block.keys();
  for (int begin = 0; begin < keys; begin += kSplit) {
    block.attend(begin, begin + kSplit < keys ? begin + kSplit : keys);
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const bool first = begin == 0;
      const Merge by = merge(row[half], block.split[half]);
#pragma unroll
      for (int n = 0; n < D / 8; n++) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
          float& place = running[(4 * n + 2 * half + i) * B::kThreads];
          place = merged(first ? 0.0f : place, block.o[n][2 * half + i], by);
        }
      }
    }
  }
#pragma unroll
  for (int half = 0; half < 2; half++) {
#pragma unroll
    for (int n = 0; n < D / 8; n += 2) {
      const float* place = running + (4 * n + 2 * half) * B::kThreads;
      const float low[2] = {place[0] / row[half].sum, place[B::kThreads] / row[half].sum};
      const float high[2] = {place[4 * B::kThreads] / row[half].sum, place[5 * B::kThreads] / row[half].sum};
      float four[4];
      four_neighbours(low, high, four);
      if (block.row(half) < block.rows()) {
        const Vector<T, 4> rounded{
            {from_float<T>(four[0]), from_float<T>(four[1]), from_float<T>(four[2]), from_float<T>(four[3])}};
        store(block.target(half, 8 * n + block.lane() % 4 * 4), rounded);
      }
    }
  }
}

// One split of at most kDecodeRows rows by a block of one warp; the result goes to the workspace:
// [span][kv head][split][row][D] sums, then [span][kv head][split][row] states.
template <class T, int D>
__global__ void __launch_bounds__(kWarp)
    attention_split_kernel(const AttentionSpan<T>* __restrict__ spans, AttentionShape shape, float* sums, RowState* states) {
  using B = Block<T, D, 1>;
  GPU_DYNAMIC_SHARED(unsigned char, memory);
  const AttentionSpan<T> span = spans[blockIdx.y / shape.kv_heads];
  B block(span, shape, reinterpret_cast<T*>(memory));
  const int begin = static_cast<int>(blockIdx.z) * kSplit;
  const int keys = block.keys();
  if (begin >= keys) {
    return;  // the whole block; nobody reads this split
  }
  block.load_queries();
  block.attend(begin, begin + kSplit < keys ? begin + kSplit : keys);
  const int64_t at = (static_cast<int64_t>(blockIdx.y) * gridDim.z + blockIdx.z) * kDecodeRows;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int r = block.row(half);
    if (r < block.rows()) {
      if (block.lane() % 4 == 0) {
        states[at + r] = block.split[half];
      }
#pragma unroll
      for (int n = 0; n < D / 8; n++) {
        const Vector<float, 2> pair{{block.o[n][2 * half], block.o[n][2 * half + 1]}};
        store(sums + (at + r) * D + 8 * n + block.lane() % 4 * 2, pair);
      }
    }
  }
}

// Merges the splits of a row in order: a block for each row and query head, a thread for each element.
template <class T, int D>
__global__ void __launch_bounds__(D) attention_merge_kernel(const AttentionSpan<T>* __restrict__ spans, AttentionShape shape,
                                                            const float* sums, const RowState* states, int splits) {
  const AttentionSpan<T> span = spans[blockIdx.y / shape.kv_heads];
  const int group = shape.heads / shape.kv_heads;
  const int kv_head = static_cast<int>(blockIdx.y) % shape.kv_heads;
  const int r = static_cast<int>(blockIdx.x);
  if (r >= span.tokens * group) {
    return;
  }
  const int keys = keys_of_row(span, shape, r, group);
  RowState row{-INFINITY, 0};
  float o = 0;
  for (int split = 0; split * kSplit < keys; split++) {
    const int64_t at = (static_cast<int64_t>(blockIdx.y) * splits + split) * kDecodeRows + r;
    const Merge by = merge(row, states[at]);
    o = merged(o, sums[at * D + threadIdx.x], by);
  }
  const int token = r / group;
  const int column = (kv_head * group + r % group) * D + static_cast<int>(threadIdx.x);
  const T result = from_float<T>(o / row.sum);
  span.out[token * span.out_stride + column] = result;
  if (span.digests != nullptr) {
    Digest all = digest_of(result, column);
#pragma unroll
    for (int step = kDigestColumns / 2; step > 0; step /= 2) {
      all = joined(all, __shfl_xor_sync(kAllLanes, all, step));
    }
    if (column % kDigestColumns == 0) {
      span.digests[(static_cast<int64_t>(token) * shape.heads * D + column) / kDigestColumns] = all;
    }
  }
}

int ceil_div(int a, int b) { return (a + b - 1) / b; }

// As if every span were as long as the longest. `sums` are those that wait for the merge.
template <class T>
Cost cost_of(int count, const AttentionShape& shape, int most_tokens, int most_keys, double sums) {
  const double queries = static_cast<double>(count) * most_tokens * shape.heads * shape.head_dim;
  const double past = most_keys - most_tokens;
  const double seen = shape.causal ? past + (most_tokens + 1) / 2.0 : most_keys;
  Cost cost;
  cost.read = (queries + 2.0 * count * most_keys * shape.kv_heads * shape.head_dim) * sizeof(T);
  cost.written = sums > 0 ? sums * sizeof(float) : queries * sizeof(T);
  cost.operations = 4 * queries * seen;
  return cost;
}

template <class T, int D>
cudaError_t by_rows(const AttentionSpan<T>* spans, int count, const AttentionShape& shape, int most_tokens, int most_keys,
                    cudaStream_t stream) {
  using B = Block<T, D, 4>;
  const int rows = most_tokens * (shape.heads / shape.kv_heads);
  constexpr size_t running_bytes = sizeof(float) * B::kRows * D;
  const dim3 grid(static_cast<unsigned>(ceil_div(rows, B::kRows)), static_cast<unsigned>(count * shape.kv_heads));
  next_launch_costs(cost_of<T>(count, shape, most_tokens, most_keys, 0));
  return launch<attention_kernel<T, D, 4>>("attention", grid, dim3(B::kThreads), B::kTilesBytes + running_bytes, stream, spans,
                                           shape);
}

template <class T, int D>
cudaError_t by_splits(const AttentionSpan<T>* spans, int count, const AttentionShape& shape, int most_tokens, int most_keys,
                      float* workspace, cudaStream_t stream) {
  using B = Block<T, D, 1>;
  const int splits = ceil_div(most_keys, kSplit);
  const auto groups = static_cast<unsigned>(count * shape.kv_heads);
  auto* states = reinterpret_cast<RowState*>(workspace + static_cast<int64_t>(groups) * splits * kDecodeRows * D);
  const double rows_of_splits = static_cast<double>(groups) * splits * most_tokens * (shape.heads / shape.kv_heads);
  const double sums = rows_of_splits * (D + 2);
  next_launch_costs(cost_of<T>(count, shape, most_tokens, most_keys, sums));
  const cudaError_t error =
      launch<attention_split_kernel<T, D>>("attention_split", dim3(1, groups, static_cast<unsigned>(splits)), dim3(kWarp),
                                           B::kTilesBytes, stream, spans, shape, workspace, states);
  if (error != cudaSuccess) {
    return error;
  }
  const auto rows = static_cast<unsigned>(most_tokens * (shape.heads / shape.kv_heads));
  next_launch_costs({sums * sizeof(float), static_cast<double>(count) * most_tokens * shape.heads * D * sizeof(T)});
  return launch<attention_merge_kernel<T, D>>("attention_merge", dim3(rows, groups), dim3(D), 0, stream, spans, shape, workspace,
                                              states, splits);
}

// The shape's head size is one from kHeadDims[Which] on, or none.
template <class T, size_t Which = 0>
cudaError_t of_head_dim(const AttentionSpan<T>* spans, int count, const AttentionShape& shape, int most_tokens, int most_keys,
                        float* workspace, cudaStream_t stream) {
  if constexpr (Which == std::size(kHeadDims)) {
    return cudaErrorInvalidValue;
  } else if (constexpr int D = kHeadDims[Which]; shape.head_dim != D) {
    return of_head_dim<T, Which + 1>(spans, count, shape, most_tokens, most_keys, workspace, stream);
  } else {
    return works_by_splits(shape, most_tokens) ? by_splits<T, D>(spans, count, shape, most_tokens, most_keys, workspace, stream)
                                               : by_rows<T, D>(spans, count, shape, most_tokens, most_keys, stream);
  }
}

}  // namespace

bool works_by_splits(const AttentionShape& shape, int most_tokens) {
  return shape.causal && most_tokens * (shape.heads / shape.kv_heads) <= kDecodeRows;
}

size_t attention_workspace(const AttentionShape& shape, int spans, int most_keys) {
  const auto rows = static_cast<size_t>(spans) * shape.kv_heads * ceil_div(most_keys, kSplit) * kDecodeRows;
  return rows * (shape.head_dim + 2);
}

template <class T>
cudaError_t attention(const AttentionSpan<T>* spans, int count, const AttentionShape& shape, int most_tokens, int most_keys,
                      float* workspace, cudaStream_t stream) {
  return of_head_dim(spans, count, shape, most_tokens, most_keys, workspace, stream);
}

template cudaError_t attention(const AttentionSpan<bf16>*, int, const AttentionShape&, int, int, float*, cudaStream_t);
template cudaError_t attention(const AttentionSpan<f16>*, int, const AttentionShape&, int, int, float*, cudaStream_t);

}  // namespace gpu
