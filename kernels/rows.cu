#include "rows.h"

#include "device/number.h"
#include "device/pixel_shuffle.h"
#include "device/vector.h"

namespace gpu {
namespace {

constexpr int kThreads = 128;
constexpr int kChunk = 8;  // elements in 16 bytes

template <class T>
GPU_DEVICE void copy_row(T* to, const T* from, int cols) {
  for (int c = static_cast<int>(threadIdx.x) * kChunk; c < cols; c += kThreads * kChunk) {
    store(to + c, load<Vector<T, kChunk>>(from + c));
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    gather_kernel(T* __restrict__ out, int64_t stride, const T* const* __restrict__ from, int cols) {
  copy_row(out + blockIdx.x * stride, from[blockIdx.x], cols);
}

// A block for each patch: blockIdx.x is the output row, blockIdx.y the patch's part of it.
template <class T>
__global__ void __launch_bounds__(kThreads) pixel_shuffle_kernel(T* __restrict__ out, int64_t out_stride, const T* __restrict__ in,
                                                                 int64_t in_stride, PixelShuffle shuffle, int cols) {
  const int part = static_cast<int>(blockIdx.y);
  copy_row(out + blockIdx.x * out_stride + static_cast<int64_t>(part) * cols, in + patch_of(shuffle, blockIdx.x, part) * in_stride,
           cols);
}

constexpr int kPatchesOfBlock = 8;

// Of the lines of kPatchesOfBlock patches in shared memory, in elements: a patch's lines, one below the other, lie in
// different banks (of 64 elements).
GPU_ANYWHERE int pitch_of(int patch) { return (kPatchesOfBlock * patch + 63) / 64 * 64 + patch; }

// Lines that fill a row of `cols`: those of all channels, and zeros.
GPU_ANYWHERE int lines_of(int cols, int patch) { return (cols + patch - 1) / patch; }

// Neighbouring patches of one line of patches, through shared memory: lanes read along the picture's lines and write along
// the patches' rows, whole sectors both. blockIdx.x is the place in the line, blockIdx.y the line, blockIdx.z the picture.
template <class T>
__global__ void __launch_bounds__(kThreads) unfold_kernel(T* __restrict__ out, int64_t out_stride, const T* __restrict__ pixels,
                                                          int64_t stride, int channels, int side, int patch, int cols) {
  GPU_DYNAMIC_SHARED(T, tile);  // (lines, pitch)
  const int grid = side / patch;
  const int first = static_cast<int>(blockIdx.x) * kPatchesOfBlock;
  const int count = grid - first < kPatchesOfBlock ? grid - first : kPatchesOfBlock;
  const int width = count * patch;
  const int lines = lines_of(cols, patch);
  const int pitch = pitch_of(patch);
  const T* from = pixels + blockIdx.z * stride + (static_cast<int64_t>(blockIdx.y) * side + first) * patch;
  for (int i = static_cast<int>(threadIdx.x); i < lines * width; i += kThreads) {
    const int line = i / width;
    tile[line * pitch + i % width] =
        line < channels * patch ? from[(static_cast<int64_t>(line / patch) * side + line % patch) * side + i % width] : T{};
  }
  __syncthreads();
  T* rows = out + ((static_cast<int64_t>(blockIdx.z) * grid + blockIdx.y) * grid + first) * out_stride;
  for (int p = 0; p < count; p++) {
    for (int c = static_cast<int>(threadIdx.x); c < cols; c += kThreads) {
      rows[p * out_stride + c] = tile[c / patch * pitch + p * patch + c % patch];
    }
  }
}

// blockIdx.x is the token, blockIdx.y the picture.
template <class T>
__global__ void __launch_bounds__(kThreads)
    class_and_positions_kernel(T* __restrict__ out, int64_t out_stride, const T* __restrict__ patches, int64_t patches_stride,
                               const T* __restrict__ class_embedding, const T* __restrict__ positions, int64_t positions_stride,
                               int cols) {
  const int64_t token = blockIdx.x;
  const T* from = class_embedding;
  if (token > 0) {
    from = patches + (static_cast<int64_t>(blockIdx.y) * (gridDim.x - 1) + token - 1) * patches_stride;
  }
  T* to = out + (static_cast<int64_t>(blockIdx.y) * gridDim.x + token) * out_stride;
  for (int c = static_cast<int>(threadIdx.x) * kChunk; c < cols; c += kThreads * kChunk) {
    auto x = load<Vector<T, kChunk>>(from + c);
    const auto p = load_constant<Vector<T, kChunk>>(positions + token * positions_stride + c);
#pragma unroll
    for (int i = 0; i < kChunk; i++) {
      x.at[i] = from_float<T>(to_float(x.at[i]) + to_float(p.at[i]));
    }
    store(to + c, x);
  }
}

}  // namespace

bool can_unfold(int channels, int patch) {
  constexpr int kShared = 99 << 10;  // of the GPUs that have least
  const int64_t cols = static_cast<int64_t>(channels) * patch * patch + kChunk;
  return patch <= kShared && (cols / patch + 1) * pitch_of(patch) * static_cast<int64_t>(sizeof(bf16)) <= kShared;
}

template <class T>
cudaError_t unfold_patches(Rows<T> out, Rows<const T> pixels, int64_t pictures, int channels, int side, int patch, int cols,
                           cudaStream_t stream) {
  const int grid = side / patch;
  next_launch_costs({static_cast<double>(pictures) * channels * side * side * sizeof(T),
                     static_cast<double>(pictures) * grid * grid * cols * sizeof(T)});
  const dim3 blocks(static_cast<unsigned>((grid + kPatchesOfBlock - 1) / kPatchesOfBlock), static_cast<unsigned>(grid),
                    static_cast<unsigned>(pictures));
  const size_t shared_bytes = sizeof(T) * static_cast<size_t>(lines_of(cols, patch) * pitch_of(patch));
  return launch<unfold_kernel<T>>("unfold_patches", blocks, dim3(kThreads), shared_bytes, stream, out.data, out.stride, pixels.data,
                                  pixels.stride, channels, side, patch, cols);
}

template <class T>
cudaError_t add_class_and_positions(Rows<T> out, Rows<const T> patches, const T* class_embedding, Rows<const T> positions,
                                    int64_t pictures, int tokens, int cols, cudaStream_t stream) {
  const double bytes = static_cast<double>(pictures) * tokens * cols * sizeof(T);
  next_launch_costs({bytes + static_cast<double>(tokens) * cols * sizeof(T), bytes});
  return launch<class_and_positions_kernel<T>>(
      "add_class_and_positions", dim3(static_cast<unsigned>(tokens), static_cast<unsigned>(pictures)), dim3(kThreads), 0, stream,
      out.data, out.stride, patches.data, patches.stride, class_embedding, positions.data, positions.stride, cols);
}

template <class T>
cudaError_t gather_rows(Rows<T> out, const T* const* from, int64_t rows, int cols, cudaStream_t stream) {
  const double bytes = static_cast<double>(rows) * cols * sizeof(T);
  next_launch_costs({bytes, bytes});
  return launch<gather_kernel<T>>("gather_rows", dim3(static_cast<unsigned>(rows)), dim3(kThreads), 0, stream, out.data, out.stride,
                                  from, cols);
}

template <class T>
cudaError_t pixel_shuffle(Rows<T> out, Rows<const T> in, int64_t pictures, const PixelShuffle& shuffle, int cols,
                          cudaStream_t stream) {
  const int side = shuffle.grid / shuffle.factor;
  const double bytes = static_cast<double>(pictures) * shuffle.grid * shuffle.grid * cols * sizeof(T);
  next_launch_costs({bytes, bytes});
  const dim3 blocks(static_cast<unsigned>(pictures * side * side), static_cast<unsigned>(shuffle.factor * shuffle.factor));
  return launch<pixel_shuffle_kernel<T>>("pixel_shuffle", blocks, dim3(kThreads), 0, stream, out.data, out.stride, in.data,
                                         in.stride, shuffle, cols);
}

#define GPU_INSTANTIATE(T)                                                                                                        \
  template cudaError_t unfold_patches(Rows<T>, Rows<const T>, int64_t, int, int, int, int, cudaStream_t);                         \
  template cudaError_t add_class_and_positions(Rows<T>, Rows<const T>, const T*, Rows<const T>, int64_t, int, int, cudaStream_t); \
  template cudaError_t gather_rows(Rows<T>, const T* const*, int64_t, int, cudaStream_t);                                         \
  template cudaError_t pixel_shuffle(Rows<T>, Rows<const T>, int64_t, const PixelShuffle&, int, cudaStream_t);
GPU_INSTANTIATE(bf16)
GPU_INSTANTIATE(f16)

}  // namespace gpu
