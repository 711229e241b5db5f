// The rules of int8 activations (quantize.h), for every kernel that quantizes: they give the same bits.
#pragma once

#include "device/number.h"
#include "device/reduce.h"
#include "device/vector.h"
#include "quantize.h"

namespace gpu {

// A number without its sign. Such bits are in the order of the magnitudes, NaN above all.
template <class T>
GPU_DEVICE unsigned magnitude_bits(T x) {
  return x.bits & 0x7fffu;
}
template <class T>
GPU_DEVICE float from_magnitude(unsigned bits) {
  return to_float(T{static_cast<uint16_t>(bits)});
}
// Over a block or a warp, by a reduction of floats, which hold such bits exactly as numbers.
template <int Threads>
GPU_DEVICE unsigned largest_of_block(unsigned magnitude, float* scratch) {
  return static_cast<unsigned>(block_reduce<Threads, Max>(static_cast<float>(magnitude), scratch));
}
GPU_DEVICE unsigned largest_of_warp(unsigned magnitude) {
  return static_cast<unsigned>(warp_reduce<Max>(static_cast<float>(magnitude)));
}

// NaN is one, so that it reaches the result.
template <class T>
GPU_DEVICE bool is_outlier(T x) {
  return !(fabsf(to_float(x)) < kOutlier);
}

struct RowScale {
  float scale;    // value = scale * int8
  float inverse;  // what values are multiplied by
};
GPU_DEVICE RowScale scale_of(float largest) { return {largest / 127.0f, largest > 0 ? 127.0f / largest : 0.0f}; }

template <class T>
GPU_DEVICE int8_t quantized(T x, float inverse) {
  return static_cast<int8_t>(__float2int_rn(to_float(x) * inverse));
}

// Shared memory for quantize_row().
struct QuantizeScratch {
  int counts[kWarp];
  float largest[kWarp];
};

// Row `index` of `out` from `row`, by a block of Threads threads: one pass for the outliers and the largest of the rest, one for
// the values. A thread reads the same chunks of 8 columns as one that goes through the row in steps of a block, from chunk
// threadIdx.x on: those it may have written itself just before. Every thread of the block calls it.
template <int Threads, class T>
GPU_DEVICE void quantize_row(const QuantizedRows& out, int64_t index, const T* row, int cols, QuantizeScratch& scratch) {
  constexpr int kChunk = 8;  // elements in 16 bytes
  Outlier* list = out.outliers + index * kMostOutliers;
  int8_t* target = out.values.data + index * out.values.stride;
  const int sweeps = (cols + Threads * kChunk - 1) / (Threads * kChunk);

  // Sweep by sweep, so that the list is in the order of the columns.
  int listed = 0;
  unsigned largest = 0;
#pragma unroll 1
  for (int sweep = 0; sweep < sweeps; sweep++) {
    const int c = (sweep * Threads + static_cast<int>(threadIdx.x)) * kChunk;
    Vector<T, kChunk> x{};
    int own = 0;
    if (c < cols) {
      x = load<Vector<T, kChunk>>(row + c);
#pragma unroll
      for (int i = 0; i < kChunk; i++) {
        own += is_outlier(x.at[i]) ? 1 : 0;
      }
    }
    int all = 0;
    int place = listed + block_exclusive_sum<Threads>(own, scratch.counts, all);
#pragma unroll
    for (int i = 0; i < kChunk; i++) {
      if (is_outlier(x.at[i]) && place < kMostOutliers) {
        list[place] = {c + i, to_float(x.at[i])};
        place++;
      } else {
        largest = magnitude_bits(x.at[i]) > largest ? magnitude_bits(x.at[i]) : largest;
      }
    }
    listed += all;
  }
  const int count = listed < kMostOutliers ? listed : kMostOutliers;
  const RowScale scale = scale_of(from_magnitude<T>(largest_of_block<Threads>(largest, scratch.largest)));
  const int last_listed = count == kMostOutliers ? list[count - 1].column : cols;  // up to it outliers are apart
  if (threadIdx.x == 0) {
    out.scales[index] = scale.scale;
    out.outlier_counts[index] = count;
  }
  for (int c = static_cast<int>(threadIdx.x) * kChunk; c < cols; c += Threads * kChunk) {
    const auto x = load<Vector<T, kChunk>>(row + c);
    Vector<int8_t, kChunk> q;
#pragma unroll
    for (int i = 0; i < kChunk; i++) {
      const bool apart = is_outlier(x.at[i]) && c + i <= last_listed;
      q.at[i] = apart ? static_cast<int8_t>(0) : quantized(x.at[i], scale.inverse);
    }
    store(target + c, q);
  }
}

// ---- digests -------------------------------------------------------------------------------------------------------------

// Of the element in this column alone.
template <class T>
GPU_DEVICE Digest digest_of(T x, int column) {
  return is_outlier(x) ? Digest{1} << (16 + column % kDigestColumns) : magnitude_bits(x);
}
GPU_DEVICE unsigned largest_in(Digest digest) { return digest & 0xffffu; }
GPU_DEVICE unsigned outliers_in(Digest digest) { return digest >> 16; }
// Of elements of the same kDigestColumns columns.
GPU_DEVICE Digest joined(Digest a, Digest b) {
  const unsigned largest = largest_in(a) > largest_in(b) ? largest_in(a) : largest_in(b);
  return largest | ((a | b) & 0xffff0000u);
}

}  // namespace gpu
