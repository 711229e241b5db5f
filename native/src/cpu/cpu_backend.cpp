// Norms and what is done row by row.
#include "cpu/cpu_backend.h"

#include "cpu/cpu_gradients.h"

#include <algorithm>
#include <cstring>

#include "cpu/cpu_weights.h"
#include "cpu/kernels.h"
#include "cpu/rows.h"

namespace ivl::cpu {
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

void CpuBackend::norm(const Output& to, const Matrix& in, const NormWeights& weights) {
  const Matrix& out = to.rows;
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

Gradients* CpuBackend::gradients() {
  if (gradients_ == nullptr) gradients_ = std::make_unique<CpuGradients>(*this);
  return gradients_.get();
}

void CpuBackend::unfold(const Matrix& out, const Matrix& pixels, const PatchGeometry& geometry) {
  const int64_t grid = geometry.grid();
  const int64_t patch = geometry.patch;
  require(out.rows == geometry.pictures * grid * grid && out.cols == geometry.channels * patch * patch, "unfold: shapes fit");
  for_rows(out.rows, out.cols, [&](int64_t row) {
    const float* picture = row_of(pixels, row / (grid * grid));
    const int64_t y = row / grid % grid * patch;
    const int64_t x = row % grid * patch;
    float* to = row_of(out, row);
    for (int64_t c = 0; c < geometry.channels; ++c) {
      for (int64_t line = 0; line < patch; ++line, to += patch) {
        const float* from = picture + (c * geometry.image_size + y + line) * geometry.image_size + x;
        std::memcpy(to, from, static_cast<size_t>(patch) * sizeof(float));
      }
    }
  });
}

void CpuBackend::patch_embed(const Matrix& out, const Matrix& pixels, const LinearWeights& weights, const PatchGeometry& geometry) {
  const int64_t depth = geometry.channels * geometry.patch * geometry.patch;
  const int64_t rows = geometry.pictures * geometry.grid() * geometry.grid();
  const int64_t stride = row_stride(depth, DType::F32);
  const Buffer memory = allocate(static_cast<size_t>(rows * stride) * sizeof(float));
  const Matrix columns{memory.data(), DType::F32, rows, depth, stride};
  unfold(columns, pixels, geometry);
  matmul(out, {columns, weights}, {});
}

void CpuBackend::add_class_and_positions(const Matrix& out, const Matrix& patches, const VectorWeights& class_embedding,
                                         const Matrix& positions, int64_t pictures) {
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
    kernels_.widen(row_of(out, row), static_cast<const char*>(table.data) + static_cast<size_t>(id) * row_bytes, table.dtype,
                   table.cols);
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
    const std::span<const float> values(row_of(logits, row), static_cast<size_t>(logits.cols));
    sampled[at] = sampled_or_failure([&] { return ivl::sample(values, draws[at]); });
  });
  return sampled;
}

}  // namespace ivl::cpu
