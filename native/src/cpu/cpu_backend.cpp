// Products, norms and what is done row by row.
#include "cpu/cpu_backend.h"

#include <algorithm>
#include <cstring>

#include "cpu/cpu_weights.h"

namespace ivl::cpu {
namespace {

float* row_of(const Matrix& m, int64_t row) { return static_cast<float*>(m.data) + row * m.stride; }

const char* bytes_of_row(const Matrix& m, int64_t row) {
  return static_cast<const char*>(m.data) + static_cast<size_t>(row * m.stride) * size_of(m.dtype);
}

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

EpilogueKind kind_of(Activation activation) {
  switch (activation) {
    case Activation::None: return EpilogueKind::None;
    case Activation::Gelu: return EpilogueKind::Gelu;
    case Activation::SwiGlu: return EpilogueKind::SwiGlu;
  }
  return EpilogueKind::None;
}

// A range of output columns that lie in one part of stacked weights.
struct ColumnBlock {
  const CpuLinear::Part* part;
  int64_t first;  // row of the part's weight
  int64_t cols;
  int64_t out;  // column of the output
};

std::vector<ColumnBlock> column_blocks(const CpuLinear& weights, int64_t block, bool gated) {
  std::vector<ColumnBlock> blocks;
  int64_t out = 0;
  for (const CpuLinear::Part& part : weights.parts) {
    for (int64_t first = 0; first < part.rows; first += block) {
      blocks.push_back({&part, first, std::min(block, part.rows - first), out + first});
    }
    out += part.rows;
    if (gated) break;  // the second part goes along with the first
  }
  return blocks;
}

// What follows a block's sums, of the rows from `row` on that `out` is.
EpilogueArgs epilogue_args(const Epilogue& epilogue, const CpuLinear& weights, const ColumnBlock& block, const Matrix& out,
                           int64_t row, const float* sums, const float* up, int64_t sums_stride) {
  const auto from = [](const VectorWeights* vector, int64_t first) {
    const float* values = values_of(vector);
    return values == nullptr ? nullptr : values + first;
  };
  EpilogueArgs e{};
  e.kind = kind_of(epilogue.activation);
  e.rows = out.rows;
  e.cols = block.cols;
  e.sums = sums;
  e.up = up;
  e.sums_stride = sums_stride;
  e.bias = from(block.part->bias.get(), block.first);
  if (e.kind == EpilogueKind::SwiGlu) e.up_bias = from(weights.parts[1].bias.get(), block.first);
  e.scale = from(epilogue.scale, block.out);
  if (epilogue.residual != nullptr) {
    e.residual = row_of(*epilogue.residual, row) + block.out;
    e.residual_stride = epilogue.residual->stride;
  }
  e.out = row_of(out, 0) + block.out;
  e.out_stride = out.stride;
  return e;
}

// What one output reads.
int64_t row_bytes_of(const CpuLinear& weights) {
  return weights.int8 ? int8_stride(weights.in_features)
                      : weights.in_features * static_cast<int64_t>(size_of(weights.parts[0].dtype));
}

}  // namespace

CpuBackend::CpuBackend(const CpuOptions& options)
    : kernels_(options.kernels != nullptr ? *options.kernels : kernels_of(chosen_isa())),
      pool_(threads_from(options.threads, options.affinity)),
      bf16_activations_(options.bf16_activations),
      scratch_(static_cast<size_t>(pool_.threads())) {
  for (Scratch& scratch : scratch_) {
    scratch.sums = allocate(kSumFloats * sizeof(float));
    scratch.up = allocate(kSumFloats * sizeof(float));
    scratch.totals = allocate(kSumFloats * sizeof(int32_t));
    scratch.packed = allocate(kPackedFloats * sizeof(float));
    scratch.attention = allocate(kAttentionScratchFloats * sizeof(float));
  }
}

std::string CpuBackend::description() const {
  return cat("cpu: ", kernels_.name, ", ", threads(), threads() == 1 ? " thread" : " threads",
             bf16_activations_ ? ", bf16 activations" : "");
}

void CpuBackend::norm(const Matrix& out, const Matrix& in, const NormWeights& weights) {
  require(out.rows == in.rows && out.cols == in.cols && weights.weight->size == in.cols, "norm: equal shapes");
  const float* weight = values_of(weights.weight.get());
  const float* bias = values_of(weights.bias.get());
  for_rows(in.rows, in.cols, [&](int64_t row) {
    if (weights.kind == NormKind::RmsNorm) {
      kernels_.rms_norm(row_of(out, row), row_of(in, row), weight, weights.eps, in.cols);
    } else {
      kernels_.layer_norm(row_of(out, row), row_of(in, row), weight, bias, weights.eps, in.cols);
    }
  });
}

void* CpuBackend::grown(Buffer& buffer, size_t bytes) {
  if (buffer.bytes() < bytes) {
    buffer = Buffer();
    buffer = allocate(bytes);
  }
  return buffer.data();
}

CpuBackend::Factor CpuBackend::factor_of(const Matrix& in, DType weights) {
  const DType type = bf16_activations_ && weights == DType::BF16 ? DType::BF16 : DType::F32;
  const bool few = in.rows <= kFewRows;
  if (few && type == DType::F32) return {bytes_of_row(in, 0), type, in.stride, in.stride * static_cast<int64_t>(sizeof(float))};

  const int64_t whole = ceil_div(in.cols, kPairStep) * kPairStep;
  const DType unit = few ? DType::BF16 : DType::F32;
  const int64_t stride = row_stride(few ? whole : packed_row_units(in.cols, type), unit);
  const int64_t row_bytes = stride * static_cast<int64_t>(size_of(unit));
  auto* rows = static_cast<char*>(grown(factor_, static_cast<size_t>(in.rows * row_bytes)));
  for_rows(in.rows, in.cols, [&](int64_t row) {
    char* to = rows + row * row_bytes;
    if (!few) return kernels_.pack_row(to, type, row_of(in, row), in.cols);
    kernels_.narrow(to, DType::BF16, row_of(in, row), in.cols);
    auto* halves = reinterpret_cast<uint16_t*>(to);
    std::fill(halves + in.cols, halves + whole, uint16_t{0});
  });
  return {rows, type, stride, row_bytes};
}

Int8Activations CpuBackend::quantized(const Matrix& in) {
  const auto rows = static_cast<size_t>(in.rows);
  const int64_t stride = int8_stride(in.cols);
  auto* values = static_cast<uint8_t*>(grown(quantized_.values, rows * static_cast<size_t>(stride)));
  auto* scales = static_cast<float*>(grown(quantized_.scales, rows * sizeof(float)));
  auto* outliers = static_cast<Int8Outlier*>(grown(quantized_.outliers, rows * kMostOutliers * sizeof(Int8Outlier)));
  auto* counts = static_cast<int32_t*>(grown(quantized_.outlier_counts, rows * sizeof(int32_t)));
  for_rows(in.rows, in.cols, [&](int64_t row) {
    kernels_.int8_quantize({values + row * stride, scales + row, outliers + row * kMostOutliers, counts + row},
                           row_of(in, row), in.cols, stride);
  });
  return {values, stride, scales, outliers, counts};
}

// Weights of few rows stream past: tasks are as long as a stream needs to get going, and as many for each thread.
int64_t CpuBackend::cols_of_few_rows(int64_t cols, int64_t row_bytes) const {
  constexpr int64_t kStreamedBytes = 384 << 10, kEven = 4;
  const int64_t wanted = std::max(ceil_div(cols * row_bytes, kStreamedBytes), ceil_div(cols, kFewRowsCols));
  const int64_t tasks = ceil_div(wanted, threads()) * threads();
  return std::clamp(ceil_div(ceil_div(cols, tasks), kEven) * kEven, kFewRowsCols / 4, kFewRowsCols);
}

// kMostTaskCols columns, or fewer where there would be too few tasks for the threads.
int64_t CpuBackend::cols_of_task(int64_t rows, int64_t cols) const {
  const int64_t wanted = std::max(8 * threads() / ceil_div(rows, kMostTaskRows), ceil_div(cols, kMostTaskCols));
  const int64_t tasks = ceil_div(wanted, threads()) * threads();
  return std::min(ceil_div(ceil_div(cols, tasks), kTaskCols) * kTaskCols, kMostTaskCols);
}

// Even parts of at most kMostTaskRows rows, in whole tiles; smaller ones where there would be too few tasks for the threads.
int64_t CpuBackend::rows_of_task(int64_t rows, int64_t column_blocks) const {
  constexpr int64_t kFewestRows = 4 * kTaskRows;
  int64_t parts = ceil_div(rows, kMostTaskRows);
  while (parts * column_blocks < 4 * threads() && rows > parts * kFewestRows) ++parts;
  return ceil_div(ceil_div(rows, parts), kTaskRows) * kTaskRows;
}

void CpuBackend::matmul(const Matrix& out, const Matrix& in, const LinearWeights& opaque, const Epilogue& epilogue) {
  const auto& weights = static_cast<const CpuLinear&>(opaque);
  const bool gated = epilogue.activation == Activation::SwiGlu;
  require(in.cols == weights.in_features && out.rows == in.rows, "matmul: the input fits the weights");
  require(out.cols == (gated ? weights.out_features / 2 : weights.out_features), "matmul: the output fits the weights");
  require(!gated || (weights.parts.size() == 2 && weights.parts[0].rows == weights.parts[1].rows),
          "matmul: a gate and an up part of equal size");
  const bool few = in.rows <= kFewRows;
  const int64_t most_cols = few ? cols_of_few_rows(out.cols, row_bytes_of(weights)) : cols_of_task(in.rows, out.cols);
  const std::vector<ColumnBlock> blocks = column_blocks(weights, most_cols, gated);
  const auto block_count = static_cast<int64_t>(blocks.size());
  const Int8Activations bytes = weights.int8 ? quantized(in) : Int8Activations{};
  const Factor factor = weights.int8 ? Factor{} : factor_of(in, weights.parts[0].dtype);

  const int64_t most_rows = few ? kFewRows : rows_of_task(in.rows, block_count);
  const int64_t sums_stride = few ? kFewRowsCols : kMostTaskCols;
  // Neighbouring tasks share their input rows, which then stay in a cache that threads share.
  pool_.run(ceil_div(in.rows, most_rows) * block_count, [&](int64_t task, int thread) {
    const ColumnBlock& block = blocks[static_cast<size_t>(task % block_count)];
    const int64_t row = task / block_count * most_rows;
    const int64_t rows = std::min(most_rows, in.rows - row);
    Scratch& scratch = scratch_[static_cast<size_t>(thread)];
    auto* sums = static_cast<float*>(scratch.sums.data());
    auto* up = static_cast<float*>(scratch.up.data());
    auto* packed = static_cast<float*>(scratch.packed.data());
    const auto multiply = [&](const CpuLinear::Part& part, float* to) {
      if (weights.int8) {
        const Int8Activations own{bytes.values + row * bytes.stride, bytes.stride, bytes.scales + row,
                                  bytes.outliers + row * kMostOutliers, bytes.outlier_counts + row};
        const Int8WeightRows part_rows{part.int8.values + block.first * bytes.stride, part.int8.scales + block.first,
                                       part.int8.sums + block.first};
        auto* totals = static_cast<int32_t*>(scratch.totals.data());
        kernels_.int8_products({own, rows, part_rows, block.cols, to, sums_stride, totals, packed});
        return;
      }
      const char* first = static_cast<const char*>(part.data) +
                          static_cast<size_t>(block.first * weights.in_features) * size_of(part.dtype);
      const ProductArgs product{factor.rows + row * factor.row_bytes, factor.type, factor.stride, rows, first, part.dtype,
                                block.cols, weights.in_features, to, sums_stride, packed};
      few ? kernels_.products(product) : kernels_.packed_products(product);
    };
    multiply(*block.part, sums);
    if (gated) multiply(weights.parts[1], up);

    kernels_.epilogue(epilogue_args(epilogue, weights, block, out.row_range(row, rows), row, sums, up, sums_stride));
  });
}

void CpuBackend::patch_embed(const Matrix& out, const Matrix& pixels, const LinearWeights& weights,
                             const PatchGeometry& geometry) {
  const int64_t grid = geometry.grid();
  const int64_t patch = geometry.patch;
  const int64_t depth = geometry.channels * patch * patch;
  const int64_t rows = geometry.pictures * grid * grid;
  const int64_t stride = row_stride(depth, DType::F32);
  const Buffer memory = allocate(static_cast<size_t>(rows * stride) * sizeof(float));
  const Matrix columns{memory.data(), DType::F32, rows, depth, stride};
  for_rows(rows, depth, [&](int64_t row) {
    const float* picture = row_of(pixels, row / (grid * grid));
    const int64_t y = row / grid % grid * patch;
    const int64_t x = row % grid * patch;
    float* to = row_of(columns, row);
    for (int64_t c = 0; c < geometry.channels; ++c) {
      for (int64_t line = 0; line < patch; ++line, to += patch) {
        const float* from = picture + (c * geometry.image_size + y + line) * geometry.image_size + x;
        std::memcpy(to, from, static_cast<size_t>(patch) * sizeof(float));
      }
    }
  });
  matmul(out, columns, weights, {});
}

void CpuBackend::add_class_and_positions(const Matrix& out, const Matrix& patches,
                                         const VectorWeights& class_embedding, const Matrix& positions,
                                         int64_t pictures) {
  const int64_t tokens = positions.rows;
  require(out.rows == pictures * tokens && patches.rows == pictures * (tokens - 1), "vision embeddings: tokens fit");
  for_rows(out.rows, out.cols, [&](int64_t row) {
    const int64_t token = row % tokens;
    const float* from = token == 0 ? values_of(&class_embedding) : row_of(patches, row / tokens * (tokens - 1) + token - 1);
    kernels_.add(row_of(out, row), from, row_of(positions, token), out.cols);
  });
}

void CpuBackend::pixel_shuffle(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor,
                               bool swap_back) {
  const int64_t side = grid / factor;
  const int64_t width = in.cols;
  require(out.rows == pictures * side * side && out.cols == width * factor * factor, "pixel shuffle: shapes fit");
  for_rows(out.rows, out.cols, [&](int64_t row) {
    const int64_t picture = row / (side * side);
    // The original leaves the map transposed: its first axis walks along the picture's rows of patches (x).
    const int64_t first = row / side % side;
    const int64_t second = row % side;
    const int64_t x = (swap_back ? second : first) * factor;
    const int64_t y = (swap_back ? first : second) * factor;
    float* to = row_of(out, row);
    for (int64_t dy = 0; dy < factor; ++dy) {
      for (int64_t dx = 0; dx < factor; ++dx, to += width) {
        const int64_t token = picture * (grid * grid + 1) + 1 + (y + dy) * grid + x + dx;
        std::memcpy(to, row_of(in, token), static_cast<size_t>(width) * sizeof(float));
      }
    }
  });
}

void CpuBackend::embed(const Matrix& out, const TableWeights& opaque, std::span<const int32_t> ids,
                       std::span<const Splice> splices) {
  const auto& table = static_cast<const CpuTable&>(opaque);
  require(out.rows == static_cast<int64_t>(ids.size()) && out.cols == table.cols, "embed: shapes fit");
  const size_t row_bytes = static_cast<size_t>(table.cols) * size_of(table.dtype);
  for (int64_t row = 0; row < out.rows; ++row) {
    const int32_t id = ids[static_cast<size_t>(row)];
    require(id >= 0 && id < table.rows, "embed: ids are in the vocabulary");
    kernels_.widen(row_of(out, row), static_cast<const char*>(table.data) + static_cast<size_t>(id) * row_bytes,
                   table.dtype, table.cols);
  }
  for (const Splice& splice : splices) copy(out.row_range(splice.row, splice.features.rows), splice.features);
}

void CpuBackend::gather_rows(const Matrix& out, const Matrix& in, std::span<const int32_t> rows) {
  require(out.rows == static_cast<int64_t>(rows.size()) && out.cols == in.cols, "gather_rows: shapes fit");
  for (int64_t row = 0; row < out.rows; ++row) {
    std::memcpy(row_of(out, row), row_of(in, rows[static_cast<size_t>(row)]), static_cast<size_t>(in.cols) * sizeof(float));
  }
}

std::vector<Sampled> CpuBackend::sample(const Matrix& logits, std::span<const Draw> draws) {
  require(logits.rows == static_cast<int64_t>(draws.size()), "sample: a draw for each row");
  std::vector<Sampled> sampled(draws.size());
  pool_.run(logits.rows, [&](int64_t row, int) {
    const auto at = static_cast<size_t>(row);
    sampled[at] = ivl::sample({row_of(logits, row), static_cast<size_t>(logits.cols)}, draws[at]);
  });
  return sampled;
}

}  // namespace ivl::cpu
