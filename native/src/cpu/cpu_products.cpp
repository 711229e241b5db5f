// Products: their input as the kernels want it, and the tasks they are cut into.
#include <algorithm>
#include <cstring>

#include "cpu/cpu_backend.h"
#include "cpu/cpu_weights.h"
#include "cpu/rows.h"

namespace ivl::cpu {

void* CpuBackend::grown(Buffer& buffer, size_t bytes) {
  if (buffer.bytes() < bytes) {
    buffer = Buffer();
    buffer = allocate(bytes);
  }
  return buffer.data();
}

DType CpuBackend::factor_type(DType weights) const {
  return bf16_activations_ && weights == DType::BF16 ? DType::BF16 : DType::F32;
}

FactorRows CpuBackend::factor_rows(int64_t rows, int64_t cols, DType type) {
  const int64_t row_bytes = row_stride(packed_row_units(cols, type), DType::F32) * static_cast<int64_t>(sizeof(float));
  return {static_cast<char*>(grown(factor_, static_cast<size_t>(rows * row_bytes))), type, row_bytes};
}

void CpuBackend::put_factor(const FactorRows& to, int64_t at, const float* in, int64_t cols, bool few) const {
  char* row = to.rows + at * to.row_bytes;
  if (!few) return kernels_.pack_row(row, to.type, in, cols);
  kernels_.narrow(row, to.type, in, cols);
  if (to.type == DType::F32) return;
  auto* halves = reinterpret_cast<uint16_t*>(row);
  std::fill(halves + cols, halves + ceil_div(cols, kPairStep) * kPairStep, uint16_t{0});
}

Factor CpuBackend::factor_of(const Matrix& in, DType weights) {
  const DType type = factor_type(weights);
  const bool few = in.rows <= kFewRows;
  if (few && type == DType::F32)
    return {static_cast<const char*>(in.data), type, in.stride, in.stride * static_cast<int64_t>(sizeof(float)), false};
  const FactorRows rows = factor_rows(in.rows, in.cols, type);
  for_rows(in.rows, in.cols, [&](int64_t row) { put_factor(rows, row, row_of(in, row), in.cols, few); });
  return rows.factor(0, few);
}

// As put_factor() would, each pair's columns by themselves.
void CpuBackend::put_added(const AddedRows& to, const AdaptedRows& of, const Matrix& u, bool few) {
  for_rows(u.rows, u.cols, [&](int64_t row) {
    float* from = row_of(u, row);
    for (size_t i = 0; i < to.inputs.size(); ++i) {
      const AdapterSource::Down& pair = to.adapter->source.downs[i];
      const int64_t rank = pair.weight.shape[0];
      for (int64_t k = 0; k < rank; ++k) from[k] *= pair.scale * of.weight;
      put_factor({const_cast<char*>(to.inputs[i].rows), DType::F32, to.inputs[i].row_bytes}, row, from, rank, few);
      from += rank;
    }
  });
}

std::vector<AddedRows> CpuBackend::added_rows(const LayerInput& in, bool few) {
  std::vector<AddedRows> added;
  size_t all = 0;  // numbers
  const auto width = [](const CpuAdapter& adapter) {
    int64_t units = 0;
    for (const AdapterSource::Down& pair : adapter.source.downs) units += packed_row_units(pair.weight.shape[0], DType::F32);
    return units;
  };
  for (const AdaptedRows& rows : in.adapted) {
    const auto& adapter = static_cast<const CpuAdapter&>(*rows.adapter);
    all += static_cast<size_t>(rows.rows * width(adapter));
  }
  auto* memory = in.adapted.empty() ? nullptr : static_cast<char*>(grown(added_, all * sizeof(float)));
  for (const AdaptedRows& rows : in.adapted) {
    const auto& adapter = static_cast<const CpuAdapter&>(*rows.adapter);
    const int64_t stride = width(adapter), row_bytes = stride * static_cast<int64_t>(sizeof(float));
    AddedRows& to = added.emplace_back(AddedRows{rows.row, rows.rows, &adapter, {}});
    char* column = memory;
    for (const AdapterSource::Down& pair : adapter.source.downs) {
      to.inputs.push_back({column, DType::F32, stride, row_bytes, !few});
      column += packed_row_units(pair.weight.shape[0], DType::F32) * static_cast<int64_t>(sizeof(float));
    }
    memory += rows.rows * row_bytes;
    const int64_t rank = adapter.down->out_features;
    const Matrix u{grown(low_rank_, static_cast<size_t>(rows.rows * rank) * sizeof(float)), DType::F32, rows.rows, rank, rank};
    matmul(u, {in.rows.row_range(rows.row, rows.rows), *adapter.down}, {});
    put_added(to, rows, u, few);
  }
  return added;
}

Int8Rows CpuBackend::int8_rows(int64_t rows, int64_t cols) {
  const auto count = static_cast<size_t>(rows);
  const int64_t stride = int8_stride(cols);
  return {static_cast<uint8_t*>(grown(quantized_.values, count * static_cast<size_t>(stride))), stride,
          static_cast<float*>(grown(quantized_.scales, count * sizeof(float))),
          static_cast<Int8Outlier*>(grown(quantized_.outliers, count * kMostOutliers * sizeof(Int8Outlier))),
          static_cast<int32_t*>(grown(quantized_.outlier_counts, count * sizeof(int32_t)))};
}

Int8Activations CpuBackend::quantized(const Matrix& in) {
  const Int8Rows rows = int8_rows(in.rows, in.cols);
  for_rows(in.rows, in.cols, [&](int64_t row) { kernels_.int8_quantize(rows.row(row), row_of(in, row), in.cols, rows.stride); });
  return rows.from(0);
}

TaskMemory CpuBackend::task_memory(int thread, bool few) const {
  const Scratch& scratch = scratch_[static_cast<size_t>(thread)];
  return {static_cast<float*>(scratch.sums.data()), static_cast<float*>(scratch.up.data()), few ? kFewRowsCols : kMostTaskCols,
          static_cast<int32_t*>(scratch.totals.data()), static_cast<float*>(scratch.packed.data())};
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

void CpuBackend::matmul(const Output& to, const LayerInput& from, const Epilogue& epilogue) {
  const Matrix &out = to.rows, &in = from.rows;
  const auto& weights = static_cast<const CpuLinear&>(from.layer);
  PreparedProduct product{&weights, out, epilogue, in.rows <= kFewRows};
  const bool gated = product.gated();
  require(in.cols == weights.in_features && out.rows == in.rows, "matmul: the input fits the weights");
  require(out.cols == (gated ? weights.out_features / 2 : weights.out_features), "matmul: the output fits the weights");
  require(!gated || (weights.parts.size() == 2 && weights.parts[0].rows == weights.parts[1].rows),
          "matmul: a gate and an up part of equal size");
  if (in.rows == 0) return;
  product.added = added_rows(from, product.few);
  if (weights.takes_bytes()) {
    product.bytes = quantized(in);
  } else {
    product.factor = factor_of(in, weights.parts[0].dtype);
  }
  const auto run = [&](const ColumnBlock& block, int64_t row, int64_t rows, int thread) {
    run_block(kernels_, product, block, row, rows, task_memory(thread, product.few));
  };

  if (product.few) {
    const StreamTasks tasks = stream_tasks(weights, threads(), gated);
    return pool_.run_apart(tasks.bounds,
                           [&](int64_t task, int thread) { run(tasks.blocks[static_cast<size_t>(task)], 0, in.rows, thread); });
  }
  const std::vector<ColumnBlock> blocks = column_blocks(weights, cols_of_task(in.rows, out.cols), gated);
  const auto block_count = static_cast<int64_t>(blocks.size());
  const int64_t most_rows = rows_of_task(in.rows, block_count);
  // Neighbouring tasks share their input rows, which then stay in a cache that threads share.
  pool_.run(ceil_div(in.rows, most_rows) * block_count, [&](int64_t task, int thread) {
    const int64_t row = task / block_count * most_rows;
    run(blocks[static_cast<size_t>(task % block_count)], row, std::min(most_rows, in.rows - row), thread);
  });
}

}  // namespace ivl::cpu
