#include "device/finish.h"
#include "device/int8_product.h"
#include "device/quantize.h"
#include "int8.h"

namespace gpu {
namespace {

// Of a block's rows: one of the 40B model's widest layer.
constexpr int kMostQuantizedBytes = 20480;

// What a block knows of the rows before it multiplies them, in shared memory. Outliers' values stay where they are.
struct RowsInInt8 {
  RowScale scale[kFewRows];
  int outliers[kFewRows];
  int outliers_until[kFewRows];  // up to this column they are apart
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
    __syncwarp();  // the list is there
    if (lane() == 0) {
      const int listed = rows.outliers[row];
      rows.outliers_until[row] = listed == kMostOutliers ? rows.columns[row][listed - 1] : listed > 0 ? p.weights.in_features : -1;
      rows.scale[row] = scale_of(from_magnitude<T>(largest));
    }
  }
}

// A TileProduct for few rows that come in 16 bits. While the first weights are on their way, the block makes bytes of the whole
// rows, which stay in shared memory; that is work that every block repeats, hence the bound on how much there may be.
template <class T>
struct QuantizingProduct : FewRowsOfBytes {
  using Copies = TileCopies<0, kColumns, kDepth, kStages, kThreads>;  // of the weights alone
  static constexpr int kWeightBytes = Copies::kSharedBytes;
  static constexpr int kHalf = kChunkBytes / 2;
  static constexpr int kZeroBytes = kDepth;  // in the place of rows that do not exist
  static constexpr int kSharedBytes = kWeightBytes + kMostQuantizedBytes + kZeroBytes;
  static constexpr int kBlocks = 3;
  static_assert(kRows == 16, "each warp has all rows");

  const QuantizingGemm<T>& p;
  char* memory;
  const RowsInInt8& rows;

  GPU_DEVICE QuantizingProduct(const QuantizingGemm<T>& p_, char* memory_, const RowsInInt8& rows_)
      : p(p_), memory(memory_), rows(rows_) {}

  // prepare() fills `rows` while the first copies are on their way.
  template <class WeightRow, class Prepare>
  GPU_DEVICE void run(const WeightRow& weight_row, const Prepare& prepare) {
    TileOperands operands;
    operands.in = operands.weight = p.weights.values;
    operands.row_bytes = p.weights.in_features;
    const Copies copies(operands, weight_row);
    copies.begin_first(memory);
    prepare();
    __syncthreads();  // all know the rows' scales
    quantize();
    multiply_stages<Fragments, kSteps>(
        copies, memory, [&](Fragments& f, int stage, int step) { load(f, stage, step); }, [&](const Fragments& f) { multiply(f); });
  }

 private:
  using typename FewRowsOfBytes::Fragments;

  // A row's bytes, in whole stages.
  GPU_DEVICE int row_pitch() const { return (p.weights.in_features + kDepth - 1) / kDepth * kDepth; }
  GPU_DEVICE char* bytes() const { return memory + kWeightBytes; }
  GPU_DEVICE char* zeros() const { return bytes() + kMostQuantizedBytes; }
  // Rows' chunks of one column lie in different banks, zeros among them.
  GPU_DEVICE char* chunk_of(int row, int chunk) const {
    return bytes() + row * row_pitch() + (chunk ^ row % kChunks) * kChunkBytes;
  }
  GPU_DEVICE char* zeros_for(int row, int chunk) const { return zeros() + (chunk ^ row) % kChunks * kChunkBytes; }

  GPU_DEVICE void load(Fragments& f, int stage, int step) const {
    const int row = lane() % 16;
    const int chunk = 2 * step + lane() / 16;
    ldmatrix_x4(f.a[0], row < p.rows ? chunk_of(row, stage * kChunks + chunk) : zeros_for(row, chunk));
    f.load_weights(Copies::stage_of(memory, stage), step);
  }

  // Half a chunk at a time, so that what a warp loads lies side by side.
  GPU_DEVICE void quantize() const {
    const int halves_of_row = row_pitch() / kHalf;
    const int halves = static_cast<int>(p.rows) * halves_of_row;
#pragma unroll 8
    for (int i = static_cast<int>(threadIdx.x); i < halves; i += kThreads) {
      quantize_half(i / halves_of_row, i % halves_of_row);
    }
    if (threadIdx.x < kChunks) {
      store(zeros() + threadIdx.x * kChunkBytes, Vector<int8_t, kChunkBytes>{});
    }
  }

  GPU_DEVICE void quantize_half(int row, int half) const {
    const int first = half * kHalf;
    Vector<int8_t, kHalf> q{};
    if (first < p.weights.in_features) {
      const auto x = load_constant<Vector<T, kHalf>>(input_row(p, row) + first);
      const float inverse = rows.scale[row].inverse;
      const int outliers_until = rows.outliers_until[row];
#pragma unroll
      for (int i = 0; i < kHalf; i++) {
        const bool apart = first + i <= outliers_until && is_outlier(x.at[i]);
        q.at[i] = apart ? static_cast<int8_t>(0) : quantized(x.at[i], inverse);
      }
    }
    store(chunk_of(row, half / 2) + half % 2 * kHalf, q);
  }
};

template <class T>
__global__ void __launch_bounds__(QuantizingProduct<T>::kThreads, QuantizingProduct<T>::kBlocks)
    quantizing_gemm_kernel(QuantizingGemm<T> p, bool by_four) {
  GPU_DYNAMIC_SHARED(char, memory);
  GPU_SHARED(RowsInInt8, rows, 1);
  const TilePlace place = place_of_tile<FewRowsOfBytes>(p.epilogue.activation, p.rows, p.out_features, by_four);
  QuantizingProduct<T> product(p, memory, *rows);
  product.run([&](int c) { return weight_row_of(p.epilogue, c, place.first_column, p.out_features); },
              [&] { read_digests(*rows, p); });
  finish(product, p.epilogue, place, [&](int64_t row, int column, int sum) {
    const uint16_t* columns = rows->columns[row];
    const T* values = input_row(p, static_cast<int>(row));
    return dequantized(p.weights, column, sum, rows->scale[row].scale, rows->outliers[row], [&](int i) {
      return Outlier{columns[i], to_float(values[columns[i]])};
    });
  });
}

}  // namespace

bool can_quantize(int64_t rows, int in_features) {
  constexpr int kDepth = FewRowsOfBytes::kDepth;
  const int64_t padded = (in_features + kDepth - 1) / kDepth * kDepth;
  return rows <= kFewRows && in_features % kDigestColumns == 0 && rows * padded <= kMostQuantizedBytes;
}

template <class T>
Cost cost_of(const QuantizingGemm<T>& p) {
  Cost cost = cost_of(p.epilogue, p.rows, p.weights.in_features, p.out_features, 1);
  const double elements = static_cast<double>(p.rows) * p.weights.in_features;
  cost.read += elements * (sizeof(T) - 1) + elements / kDigestColumns * sizeof(Digest);
  cost.int8 = true;
  return cost;
}

template <class T>
cudaError_t quantizing_gemm(const QuantizingGemm<T>& product, cudaStream_t stream) {
  if (!can_quantize(product.rows, product.weights.in_features)) {
    return cudaErrorInvalidValue;
  }
  return launch_tiles<QuantizingProduct<T>, quantizing_gemm_kernel<T>>("quantizing_gemm", product, stream);
}

template cudaError_t quantizing_gemm(const QuantizingGemm<bf16>&, cudaStream_t);
template cudaError_t quantizing_gemm(const QuantizingGemm<f16>&, cudaStream_t);

}  // namespace gpu
