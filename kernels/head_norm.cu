#include "head_norm.h"

#include "device/finish.h"
#include "device/number.h"
#include "device/reduce.h"
#include "device/vector.h"

namespace gpu {
namespace {

constexpr int kThreads = 128;
constexpr int kChunk = 4;  // elements of a head's either half that a lane holds, as put_turned() takes them

// How many neighbouring lanes have a head: a power of two, of which the last may have nothing to hold.
int lanes_of(int head_dim) {
  int lanes = 1;
  while (lanes * 2 * kChunk < head_dim) {
    lanes *= 2;
  }
  return lanes;
}

template <class T>
GPU_DEVICE void normalize(float (&x)[kChunk], const T* weight, float scale) {
  const auto w = load_constant<Vector<T, kChunk>>(weight);
#pragma unroll
  for (int i = 0; i < kChunk; i++) {
    const float normal = to_float(from_float<T>(x[i] * scale));
    x[i] = to_float(from_float<T>(normal * to_float(w.at[i])));
  }
}

// head_dim alone decides which lane adds what, so a head's sum never depends on the others.
template <class T>
__global__ void __launch_bounds__(kThreads) head_norm_kernel(HeadNorm<T> p, int lanes) {
  const RopeTarget<T>& r = p.rope;
  const int half = r.head_dim / 2;
  const int all = r.heads + 2 * r.kv_heads;
  const int64_t item = static_cast<int64_t>(blockIdx.x) * (kThreads / lanes) + static_cast<int>(threadIdx.x) / lanes;
  const int64_t row = item / all;
  const int head = static_cast<int>(item % all);
  const int at = static_cast<int>(threadIdx.x) % lanes * kChunk;
  const bool holds = row < p.rows && at < half;

  float low[kChunk]{}, high[kChunk]{};
  float squares = 0;
  if (holds) {
    const T* from = p.qkv.data + row * p.qkv.stride + head * r.head_dim + at;
    const auto first = load<Vector<T, kChunk>>(from);
    const auto second = load<Vector<T, kChunk>>(from + half);
#pragma unroll
    for (int i = 0; i < kChunk; i++) {
      low[i] = to_float(first.at[i]);
      high[i] = to_float(second.at[i]);
      squares += low[i] * low[i] + high[i] * high[i];
    }
  }
  for (int step = lanes / 2; step > 0; step /= 2) {
    squares += __shfl_xor_sync(kAllLanes, squares, step);
  }
  if (!holds) {
    return;
  }
  if (head < r.heads + r.kv_heads) {
    const float scale = rsqrtf(squares / static_cast<float>(r.head_dim) + p.eps);
    const T* weight = (head < r.heads ? p.q_weight : p.k_weight) + at;
    normalize(low, weight, scale);
    normalize(high, weight + half, scale);
  }
  Epilogue<T> then;
  then.out = p.qkv;
  then.rope = r;
  put_turned(then, row, head * half + at, low, high);
}

// As if every row had a position of its own.
template <class T>
Cost cost_of(const HeadNorm<T>& p) {
  const RopeTarget<T>& r = p.rope;
  const double results = static_cast<double>(p.rows) * (r.heads + 2 * r.kv_heads) * r.head_dim * sizeof(T);
  const double positions = static_cast<double>(p.rows) * (sizeof(CacheSlot<T>) + r.head_dim * sizeof(float));
  return {results + positions + 2.0 * r.head_dim * sizeof(T), results};
}

}  // namespace

template <class T>
cudaError_t normalize_and_turn(const HeadNorm<T>& heads, cudaStream_t stream) {
  const int lanes = lanes_of(heads.rope.head_dim);
  const int64_t items = heads.rows * (heads.rope.heads + 2 * heads.rope.kv_heads);
  const int64_t of_block = kThreads / lanes;
  next_launch_costs(cost_of(heads));
  return launch<head_norm_kernel<T>>("head_norm", dim3(static_cast<unsigned>((items + of_block - 1) / of_block)), dim3(kThreads), 0,
                                     stream, heads, lanes);
}

template cudaError_t normalize_and_turn(const HeadNorm<bf16>&, cudaStream_t);
template cudaError_t normalize_and_turn(const HeadNorm<f16>&, cudaStream_t);

}  // namespace gpu
