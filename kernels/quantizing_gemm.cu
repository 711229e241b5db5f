#include "device/finish.h"
#include "device/int8_product.h"
#include "device/quantize.h"
#include "int8.h"

namespace gpu {
namespace {

// What a block knows of the rows before it multiplies them, in shared memory. Outliers' values stay where they are.
struct RowsInInt8 {
  RowScale scale[kFewRows];
  int outliers[kFewRows];
  uint16_t columns[kFewRows][kMostOutliers];
};

template <class T>
GPU_DEVICE const T* input_row(const QuantizingGemm<T>& p, int row) {
  return p.in.data + row * p.in.stride;
}

// The outliers of a row in the order of their columns, from its digests, by a warp; gives the lane's share of the largest
// magnitude among those that the list did not hold.
template <class T>
GPU_DEVICE unsigned list_outliers(RowsInInt8& rows, const QuantizingGemm<T>& p, int row, const Digest* digests, int count) {
  int listed = 0;
  unsigned largest = 0;
  for (int first = 0; first < count; first += kWarp) {
    const int at = first + lane();
    const unsigned outliers = at < count ? outliers_in(digests[at]) : 0;
    int own = 0;
    for (int i = 0; i < kDigestColumns; i++) {
      own += static_cast<int>(outliers >> i & 1);
    }
    int all = 0;
    int place = listed + warp_exclusive_sum(own, all);
    for (int i = 0; i < kDigestColumns; i++) {
      if ((outliers >> i & 1) == 0) {
        continue;
      }
      const int column = at * kDigestColumns + i;
      if (place < kMostOutliers) {
        rows.columns[row][place] = static_cast<uint16_t>(column);
        place++;
      } else {
        const unsigned magnitude = magnitude_bits(input_row(p, row)[column]);
        largest = magnitude > largest ? magnitude : largest;
      }
    }
    listed += all;
  }
  if (lane() == 0) {
    rows.outliers[row] = listed < kMostOutliers ? listed : kMostOutliers;
  }
  return largest;
}

// A warp for each row, in turns. Digests are an eighth of the row's bytes, and most rows have no outliers.
template <class T>
GPU_DEVICE void read_digests(RowsInInt8& rows, const QuantizingGemm<T>& p) {
  constexpr int kTogether = 4;
  const int count = p.weights.in_features / kDigestColumns;
  for (int row = static_cast<int>(threadIdx.x) / kWarp; row < p.rows; row += FewRowsOfBytes::kThreads / kWarp) {
    const Digest* digests = p.digests + static_cast<int64_t>(row) * count;
    unsigned largest = 0;
    unsigned outliers = 0;
#pragma unroll 5
    for (int at = lane() * kTogether; at < count; at += kWarp * kTogether) {
      const auto some = load<Vector<Digest, kTogether>>(digests + at);
#pragma unroll
      for (int i = 0; i < kTogether; i++) {
        largest = largest_in(some.at[i]) > largest ? largest_in(some.at[i]) : largest;
        outliers |= outliers_in(some.at[i]);
      }
    }
    if (lane() == 0) {
      rows.outliers[row] = 0;
    }
    if (warp_reduce<Max>(outliers != 0 ? 1.0f : 0.0f) > 0) {
      const unsigned unlisted = list_outliers(rows, p, row, digests, count);
      largest = unlisted > largest ? unlisted : largest;
    }
    largest = largest_of_warp(largest);
    if (lane() == 0) {
      rows.scale[row] = scale_of(from_magnitude<T>(largest));
    }
  }
}

// A TileProduct whose input comes in 16 bits: its copies bring it to shared memory as it is, and a stage before the tensor cores
// need it, its threads make bytes of it.
template <class T>
struct QuantizingProduct : FewRowsOfBytes {
  static constexpr int kStages = 5;
  static constexpr int kInChunks = 2 * kChunks;  // of a row, in a stage
  static constexpr int kInBytes = kRows * kInChunks * kChunkBytes;
  static constexpr int kStageBytes = kInBytes + kColumns * kDepth;
  static constexpr int kQuantizedBytes = kRows * kDepth;
  static constexpr int kSharedBytes = kStages * kStageBytes + 2 * kQuantizedBytes;
  static constexpr int kInCopies = kRows * kInChunks / kThreads;
  static constexpr int kWeightCopies = kColumns * kChunks / kThreads;
  static constexpr int kThreadsOfRow = kThreads / kRows;  // they quantize its chunks by turns
  static_assert(kThreads % kRows == 0 && kChunks % kThreadsOfRow == 0);

  const QuantizingGemm<T>& p;
  char* memory;
  const RowsInInt8& rows;

  GPU_DEVICE QuantizingProduct(const QuantizingGemm<T>& p_, char* memory_, const RowsInInt8& rows_)
      : p(p_), memory(memory_), rows(rows_) {}

  // prepare() fills `rows` while the first copies are on their way.
  template <class WeightRow, class Prepare>
  GPU_DEVICE void run(const WeightRow& weight_row, const Prepare& prepare) {
    const char* weights[kWeightCopies];  // null where there is none
#pragma unroll
    for (int i = 0; i < kWeightCopies; i++) {
      const int64_t row = weight_row(weight_of_copy(i));
      weights[i] = row < 0 ? nullptr : reinterpret_cast<const char*>(p.weights.values) + row * p.weights.in_features;
    }
    const int stages = (p.weights.in_features + kDepth - 1) / kDepth;
    for (int stage = 0; stage < kStages - 1; stage++) {
      copy(weights, stage);
    }
    prepare();
    cp_async_wait<kStages - 2>();
    __syncthreads();  // the rows are known to all, and the first stage has come
    const OwnRow own = own_row();
    quantize(own, 0);
    for (int stage = 0; stage < stages; stage++) {
      cp_async_wait<kStages - 3>();
      __syncthreads();  // the next stage has come for all, this one's bytes are made, and the stage before it is free
      copy(weights, stage + kStages - 1);
      if (stage + 1 < stages) {
        quantize(own, stage + 1);
      }
      multiply(bytes(stage), memory_of(stage) + kInBytes);
    }
    cp_async_wait<0>();
  }

 private:
  // The row that this thread quantizes a part of.
  struct OwnRow {
    int row;
    float inverse;
    bool exists;
    int outliers_until;  // up to this column they are apart
  };
  GPU_DEVICE OwnRow own_row() const {
    const int row = static_cast<int>(threadIdx.x) % kRows;
    OwnRow own{row, 0, row < p.rows, -1};
    if (own.exists) {
      own.inverse = rows.scale[row].inverse;
      const int count = rows.outliers[row];
      own.outliers_until = count == kMostOutliers ? rows.columns[row][count - 1] : count > 0 ? p.weights.in_features : -1;
    }
    return own;
  }

  GPU_DEVICE char* memory_of(int stage) const { return memory + stage % kStages * kStageBytes; }
  GPU_DEVICE char* bytes(int stage) const { return memory + kStages * kStageBytes + stage % 2 * kQuantizedBytes; }
  // Where a chunk of the input lies in its stage: eight rows' chunks of one column in different banks.
  GPU_DEVICE static int swizzled_input(int row, int chunk) { return (row * kInChunks + (chunk ^ row % kInChunks)) * kChunkBytes; }
  GPU_DEVICE static int weight_of_copy(int i) { return (i * kThreads + static_cast<int>(threadIdx.x)) / kChunks; }

  // The stage's chunks of all rows, as one group; an empty group if there is no such stage.
  GPU_DEVICE void copy(const char* const (&weights)[kWeightCopies], int stage) const {
    const int first = stage * kDepth;
    if (first < p.weights.in_features) {
      const int thread = static_cast<int>(threadIdx.x);
#pragma unroll
      for (int i = 0; i < kInCopies; i++) {
        const int row = (i * kThreads + thread) / kInChunks;
        const int chunk = thread % kInChunks;
        const int column = first + chunk * static_cast<int>(kChunkBytes / sizeof(T));
        const bool exists = row < p.rows && column < p.weights.in_features;
        cp_async_16(memory_of(stage) + swizzled_input(row, chunk), exists ? input_row(p, row) + column : p.in.data,
                    exists ? kChunkBytes : 0);
      }
      const int chunk = thread % kChunks;
      const int column = first + chunk * kChunkBytes;
#pragma unroll
      for (int i = 0; i < kWeightCopies; i++) {
        const bool exists = weights[i] != nullptr && column < p.weights.in_features;
        const void* from = exists ? static_cast<const void*>(weights[i] + column) : p.weights.values;
        cp_async_16(memory_of(stage) + kInBytes + swizzled<kChunks>(weight_of_copy(i), chunk), from, exists ? kChunkBytes : 0);
      }
    }
    cp_async_commit();
  }

  GPU_DEVICE void quantize(const OwnRow& own, int stage) const {
#pragma unroll
    for (int i = 0; i < kChunks / kThreadsOfRow; i++) {
      quantize_chunk(own, stage, static_cast<int>(threadIdx.x) / kRows + i * kThreadsOfRow);
    }
  }

  GPU_DEVICE void quantize_chunk(const OwnRow& own, int stage, int chunk) const {
    constexpr int kHalf = kChunkBytes / 2;
    Vector<int8_t, kChunkBytes> q{};
    if (own.exists) {
#pragma unroll
      for (int part = 0; part < 2; part++) {
        const auto x = load<Vector<T, kHalf>>(memory_of(stage) + swizzled_input(own.row, 2 * chunk + part));
        const int column = stage * kDepth + chunk * kChunkBytes + part * kHalf;
#pragma unroll
        for (int i = 0; i < kHalf; i++) {
          const bool apart = column + i <= own.outliers_until && is_outlier(x.at[i]);
          q.at[part * kHalf + i] = apart ? static_cast<int8_t>(0) : quantized(x.at[i], own.inverse);
        }
      }
    }
    store(bytes(stage) + swizzled<kChunks>(own.row, chunk), q);
  }
};

template <class T>
__global__ void __launch_bounds__(FewRowsOfBytes::kThreads, FewRowsOfBytes::kBlocks) quantizing_gemm_kernel(QuantizingGemm<T> p, bool by_four) {
  GPU_DYNAMIC_SHARED(char, memory);
  GPU_SHARED(RowsInInt8, rows, 1);
  const TilePlace place = place_of_tile<FewRowsOfBytes>(p.epilogue.activation, p.rows, p.out_features, by_four);
  QuantizingProduct<T> product(p, memory, *rows);
  product.run([&](int c) { return weight_row_of(p.epilogue, c, place.first_column, p.out_features); },
              [&] { read_digests(*rows, p); });
  finish(product, p.epilogue, place, [&](int64_t row, int column, int sum) {
    const uint16_t* columns = rows->columns[row];
    const T* values = input_row(p, static_cast<int>(row));
    return dequantized(p.weights, column, sum, rows->scale[row].scale, rows->outliers[row],
                       [&](int i) { return Outlier{columns[i], to_float(values[columns[i]])}; });
  });
}

}  // namespace

template <class T>
cudaError_t quantizing_gemm(const QuantizingGemm<T>& product, cudaStream_t stream) {
  using Product = QuantizingProduct<T>;
  const Int8Weights& weights = product.weights;
  constexpr int kMostColumns = 1 << 16;  // as RowsInInt8 counts them
  if (product.rows > kFewRows || weights.in_features % kDigestColumns != 0 || weights.in_features > kMostColumns) {
    return cudaErrorInvalidValue;
  }
  Cost cost = cost_of(product.epilogue, product.rows, weights.in_features, product.out_features, 1);
  const double elements = static_cast<double>(product.rows) * weights.in_features;
  cost.read += elements * (sizeof(T) - 1) + elements / kDigestColumns * sizeof(Digest);
  cost.int8 = true;
  next_launch_costs(cost);
  const dim3 grid = grid_of_tiles<FewRowsOfBytes>(product.epilogue.activation, product.rows, product.out_features);
  return launch("quantizing_gemm", quantizing_gemm_kernel<T>, grid, dim3(Product::kThreads), Product::kSharedBytes, stream,
                product, moves_by_four(product.epilogue, product.out_features));
}

template cudaError_t quantizing_gemm(const QuantizingGemm<bf16>&, cudaStream_t);
template cudaError_t quantizing_gemm(const QuantizingGemm<f16>&, cudaStream_t);

}  // namespace gpu
