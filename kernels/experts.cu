#include "experts.h"

#include <cstring>

#include "device/number.h"
#include "device/reduce.h"
#include "device/vector.h"

namespace gpu {
namespace {

constexpr int kThreads = 128;

// ---- which experts ---------------------------------------------------------------------------------------------------------------

// Keys are in the order of the choice, no two equal: a larger p first, of equal ones the lower number. NaN comes before all.
GPU_DEVICE uint64_t key_of(float p, int expert) {
  uint32_t bits = 0;
  std::memcpy(&bits, &p, sizeof bits);
  return static_cast<uint64_t>(bits & 0x7fffffffu) << 32 | (0xffffffffu - static_cast<uint32_t>(expert));
}
GPU_DEVICE int expert_of(uint64_t key) { return static_cast<int>(0xffffffffu - static_cast<uint32_t>(key)); }
GPU_DEVICE float p_of(uint64_t key) {
  const auto bits = static_cast<uint32_t>(key >> 32);
  float p = 0;
  std::memcpy(&p, &bits, sizeof p);
  return p;
}

// A lane's share of a row: every 32nd expert. Its p stay in shared memory of its own.
GPU_DEVICE void softmax(float* p, const float* logits, int experts) {
  float largest = -INFINITY;
  for (int e = lane(); e < experts; e += kWarp) {
    largest = fmaxf(largest, logits[e]);
  }
  largest = warp_reduce<Max>(largest);
  float sum = 0;
  for (int e = lane(); e < experts; e += kWarp) {
    p[e] = expf(logits[e] - largest);
    sum += p[e];
  }
  sum = warp_reduce<Sum>(sum);
  for (int e = lane(); e < experts; e += kWarp) {
    p[e] = p[e] / sum;
  }
}

// One warp a row.
template <class T>
__global__ void __launch_bounds__(kThreads) route_kernel(Routes out, Rows<const float> logits, bool normalizes) {
  GPU_DYNAMIC_SHARED(float, memory);
  const int64_t row = static_cast<int64_t>(blockIdx.x) * (kThreads / kWarp) + warp();
  if (row >= out.count) {
    return;
  }
  float* p = memory + warp() * out.experts;
  softmax(p, logits.data + row * logits.stride, out.experts);

  // The largest key below the last one, again and again; lane i keeps the i-th.
  uint64_t last = ~uint64_t{0};
  uint64_t own = 0;
  float chosen = 0;
  for (int i = 0; i < out.chosen; i++) {
    uint64_t best = 0;
    for (int e = lane(); e < out.experts; e += kWarp) {
      const uint64_t key = key_of(p[e], e);
      best = key < last && key > best ? key : best;
    }
    last = warp_reduce<WholeMax>(best);
    own = lane() == i ? last : own;
    chosen += p_of(last);
  }
  int place = 0;
  for (int i = 0; i < out.chosen; i++) {
    const int other = __shfl_sync(kAllLanes, expert_of(own), i);
    place += other < expert_of(own) ? 1 : 0;
  }
  if (lane() < out.chosen) {
    float* to = out.rows.data + row * out.rows.stride;
    to[place] = static_cast<float>(expert_of(own));
    to[out.chosen + place] = to_float(from_float<T>(normalizes ? p_of(own) / chosen : p_of(own)));
  }
}

// ---- rows by expert --------------------------------------------------------------------------------------------------------------

constexpr int kSortThreads = 256;

GPU_DEVICE int expert_at(const Routes& routes, int64_t at) {
  return static_cast<int>(routes.rows.data[at / routes.chosen * routes.rows.stride + at % routes.chosen]);
}

// One block an expert: it counts what comes before its own, so that no block waits for another.
__global__ void __launch_bounds__(kSortThreads) sort_by_expert_kernel(ExpertSlots out, Routes routes) {
  GPU_SHARED(int, scratch, kSortThreads / kWarp);
  const int expert = static_cast<int>(blockIdx.x);
  const int64_t all = routes.count * routes.chosen;
  int lower = 0;
  int own = 0;
  for (int64_t at = threadIdx.x; at < all; at += kSortThreads) {
    const int e = expert_at(routes, at);
    lower += e < expert ? 1 : 0;
    own += e == expert ? 1 : 0;
  }
  int begin = 0;
  int count = 0;
  block_exclusive_sum<kSortThreads>(lower, scratch, begin);
  block_exclusive_sum<kSortThreads>(own, scratch, count);
  if (threadIdx.x == 0) {
    out.offsets[expert] = begin;
    if (expert + 1 == routes.experts) {
      out.offsets[routes.experts] = begin + count;
    }
  }
  const int end = begin + count;
  for (int64_t first = 0; first < all && begin < end; first += kSortThreads) {
    const int64_t at = first + threadIdx.x;
    const bool mine = at < all && expert_at(routes, at) == expert;
    int together = 0;
    const int slot = begin + block_exclusive_sum<kSortThreads>(mine ? 1 : 0, scratch, together);
    if (mine) {
      out.row_of[slot] = static_cast<int>(at / routes.chosen);
      out.slot_of[at] = slot;
    }
    begin += together;
  }
}

constexpr int kChunk = 8;  // elements in 16 bytes

template <class T>
__global__ void __launch_bounds__(kThreads)
    gather_slots_kernel(Rows<T> out, Rows<const T> in, const int* __restrict__ row_of, int cols) {
  const int64_t slot = blockIdx.x;
  T* to = out.data + slot * out.stride;
  const T* from = in.data + row_of[slot] * in.stride;
  for (int c = static_cast<int>(threadIdx.x) * kChunk; c < cols; c += kThreads * kChunk) {
    store(to + c, load_constant<Vector<T, kChunk>>(from + c));
  }
}

// ---- and back --------------------------------------------------------------------------------------------------------------------

constexpr int kFour = 4;

template <class T>
__global__ void __launch_bounds__(kThreads)
    mix_slots_kernel(Rows<T> x, Rows<const float> slots, const int* __restrict__ slot_of, Routes routes, int cols) {
  const int64_t row = blockIdx.x;
  const int c = (static_cast<int>(blockIdx.y) * kThreads + static_cast<int>(threadIdx.x)) * kFour;
  if (c >= cols) {
    return;
  }
  const float* weights = routes.rows.data + row * routes.rows.stride + routes.chosen;
  float sum[kFour] = {};
  for (int i = 0; i < routes.chosen; i++) {
    const auto part = load_constant<Vector<float, kFour>>(slots.data + slot_of[row * routes.chosen + i] * slots.stride + c);
    const float weight = weights[i];
#pragma unroll
    for (int j = 0; j < kFour; j++) {
      sum[j] = __fmaf_rn(weight, part.at[j], sum[j]);
    }
  }
  T* to = x.data + row * x.stride + c;
  auto four = load<Vector<T, kFour>>(to);
#pragma unroll
  for (int j = 0; j < kFour; j++) {
    four.at[j] = from_float<T>(to_float(four.at[j]) + sum[j]);
  }
  store(to, four);
}

}  // namespace

template <class T>
cudaError_t route(const Routes& out, Rows<const float> logits, bool normalizes, cudaStream_t stream) {
  if (out.experts > kMostExperts || out.chosen > kMostChosen || out.chosen > out.experts) {
    return cudaErrorInvalidValue;
  }
  constexpr int kRowsOfBlock = kThreads / kWarp;
  next_launch_costs({static_cast<double>(out.count) * out.experts * sizeof(float),
                     static_cast<double>(out.count) * 2 * out.chosen * sizeof(float)});
  const size_t shared_bytes = sizeof(float) * kRowsOfBlock * static_cast<size_t>(out.experts);
  return launch<route_kernel<T>>("route", dim3(static_cast<unsigned>((out.count + kRowsOfBlock - 1) / kRowsOfBlock)),
                                 dim3(kThreads), shared_bytes, stream, out, logits, normalizes);
}

cudaError_t sort_by_expert(const ExpertSlots& out, const Routes& routes, cudaStream_t stream) {
  const double slots = static_cast<double>(routes.count) * routes.chosen;
  next_launch_costs({slots * sizeof(float), (2 * slots + routes.experts + 1) * sizeof(int)});
  return launch<sort_by_expert_kernel>("sort_by_expert", dim3(static_cast<unsigned>(routes.experts)), dim3(kSortThreads), 0, stream,
                                       out, routes);
}

template <class T>
cudaError_t gather_slots(Rows<T> out, Rows<const T> in, const int* row_of, const Routes& routes, int cols, cudaStream_t stream) {
  const int64_t slots = routes.count * routes.chosen;
  const double bytes = static_cast<double>(routes.count) * cols * sizeof(T);
  next_launch_costs({bytes + static_cast<double>(slots) * sizeof(int), bytes * routes.chosen});
  return launch<gather_slots_kernel<T>>("gather_slots", dim3(static_cast<unsigned>(slots)), dim3(kThreads), 0, stream, out, in,
                                        row_of, cols);
}

template <class T>
cudaError_t mix_slots(Rows<T> x, Rows<const float> slots, const int* slot_of, const Routes& routes, int cols, cudaStream_t stream) {
  const double elements = static_cast<double>(routes.count) * cols;
  next_launch_costs({elements * (sizeof(T) + routes.chosen * sizeof(float)) + static_cast<double>(routes.count) * routes.chosen * 8,
                     elements * sizeof(T)});
  const dim3 grid(static_cast<unsigned>(routes.count), static_cast<unsigned>((cols + kThreads * kFour - 1) / (kThreads * kFour)));
  return launch<mix_slots_kernel<T>>("mix_slots", grid, dim3(kThreads), 0, stream, x, slots, slot_of, routes, cols);
}

#define GPU_INSTANTIATE(T)                                                                                 \
  template cudaError_t route<T>(const Routes&, Rows<const float>, bool, cudaStream_t);                     \
  template cudaError_t gather_slots(Rows<T>, Rows<const T>, const int*, const Routes&, int, cudaStream_t); \
  template cudaError_t mix_slots(Rows<T>, Rows<const float>, const int*, const Routes&, int, cudaStream_t);
GPU_INSTANTIATE(bf16)
GPU_INSTANTIATE(f16)

}  // namespace gpu
