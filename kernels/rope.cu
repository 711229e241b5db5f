#include "rope.h"

#include "device/vector.h"

namespace gpu {
namespace {

constexpr int kThreads = 128;
constexpr int kChunk = 8;  // elements in 16 bytes

// One block a row. A piece of work is 8 elements of a head's lower half with the 8 of its upper half that they turn with.
template <class T>
__global__ void __launch_bounds__(kThreads)
    rope_kernel(T* __restrict__ qkv, int64_t stride, const float* __restrict__ table,
                const CacheSlot<T>* __restrict__ slots, RopeShape shape) {
  const int half = shape.head_dim / 2;
  const int pieces = half / kChunk;  // of a head
  T* row = qkv + blockIdx.x * stride;
  const CacheSlot<T> slot = slots[blockIdx.x];
  const float* cosines = table + static_cast<int64_t>(slot.position) * shape.head_dim;
  const int turning = (shape.heads + shape.kv_heads) * pieces;
  for (int piece = static_cast<int>(threadIdx.x); piece < turning + shape.kv_heads * pieces; piece += kThreads) {
    const int head = piece / pieces;
    const int at = piece % pieces * kChunk;
    const T* from = row + head * shape.head_dim + at;
    auto low = load<Vector<T, kChunk>>(from);
    auto high = load<Vector<T, kChunk>>(from + half);
    if (piece < turning) {
#pragma unroll
      for (int i = 0; i < kChunk; i++) {
        const float c = cosines[at + i];
        const float s = cosines[half + at + i];
        const float x = to_float(low.at[i]);
        const float y = to_float(high.at[i]);
        low.at[i] = from_float<T>(__fmaf_rn(x, c, -__fmul_rn(y, s)));
        high.at[i] = from_float<T>(__fmaf_rn(y, c, __fmul_rn(x, s)));
      }
    }
    T* to = row + head * shape.head_dim;
    if (head >= shape.heads + shape.kv_heads) {
      to = slot.v + (head - shape.heads - shape.kv_heads) * shape.kv_head_stride;
    } else if (head >= shape.heads) {
      to = slot.k + (head - shape.heads) * shape.kv_head_stride;
    }
    store(to + at, low);
    store(to + half + at, high);
  }
}

}  // namespace

template <class T>
cudaError_t rope_and_store(Rows<T> qkv, const float* table, const CacheSlot<T>* slots, int64_t rows,
                           const RopeShape& shape, cudaStream_t stream) {
  return launch("rope_and_store", rope_kernel<T>, dim3(static_cast<unsigned>(rows)), dim3(kThreads), 0, stream, qkv.data,
                qkv.stride, table, slots, shape);
}

template cudaError_t rope_and_store(Rows<bf16>, const float*, const CacheSlot<bf16>*, int64_t, const RopeShape&,
                                    cudaStream_t);
template cudaError_t rope_and_store(Rows<f16>, const float*, const CacheSlot<f16>*, int64_t, const RopeShape&,
                                    cudaStream_t);

}  // namespace gpu
