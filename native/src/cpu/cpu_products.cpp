// Products: their input as the kernels want it, cut into tasks, and what follows their sums.
#include <algorithm>

#include "cpu/cpu_backend.h"
#include "cpu/cpu_weights.h"
#include "cpu/rows.h"

namespace ivl::cpu {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

EpilogueKind kind_of(Activation activation) {
  switch (activation) {
    case Activation::None: return EpilogueKind::None;
    case Activation::Gelu: return EpilogueKind::Gelu;
    case Activation::SwiGlu: return EpilogueKind::SwiGlu;
  }
  return EpilogueKind::None;
}

// A task's output columns, which lie in one part of stacked weights.
struct ColumnBlock {
  const CpuLinear::Part* part;
  int64_t first;    // row of the part's weight
  int64_t out;      // column of the output
  int64_t cols;
  ColumnRuns runs;  // beginning with these

  // Runs that touch are one to what follows the sums.
  bool touch() const { return runs.each == runs.apart; }
  int64_t run_count() const { return touch() ? 1 : kColumnRuns; }
  int64_t run_cols(int64_t run) const { return std::min(touch() ? cols : runs.each, cols - run * runs.apart); }
};

// Tasks of `block` columns.
std::vector<ColumnBlock> column_blocks(const CpuLinear& weights, int64_t block, bool gated) {
  std::vector<ColumnBlock> blocks;
  int64_t out = 0;
  for (const CpuLinear::Part& part : weights.parts) {
    for (int64_t first = 0; first < part.rows; first += block) {
      const int64_t cols = std::min(block, part.rows - first), each = ceil_div(cols, kColumnRuns);
      blocks.push_back({&part, first, out + first, cols, {each, each}});
    }
    out += part.rows;
    if (gated) break;  // the second part goes along with the first
  }
  return blocks;
}

// What one output reads.
int64_t row_bytes_of(const CpuLinear& weights) {
  return weights.int8 ? int8_stride(weights.in_features)
                      : weights.in_features * static_cast<int64_t>(size_of(weights.parts[0].dtype));
}

// Tasks of a product of few rows, those of each thread together.
struct StreamTasks {
  std::vector<ColumnBlock> blocks;
  std::vector<int64_t> bounds;  // of threads
};

// A thread has a part of every part's columns, in kColumnRuns runs that go on from one of its tasks to the next: memory gives long
// streams faster. Tasks are short enough for threads to end together.
StreamTasks stream_tasks(const CpuLinear& weights, int64_t threads, bool gated) {
  constexpr int64_t kTaskBytes = 384 << 10, kWorthAThread = 64 << 10;
  const int64_t row_bytes = row_bytes_of(weights);
  threads = std::clamp<int64_t>(weights.out_features * row_bytes / kWorthAThread, 1, threads);
  StreamTasks tasks{{}, {0}};
  for (int64_t thread = 0; thread < threads; ++thread) {
    int64_t out = 0;
    for (const CpuLinear::Part& part : weights.parts) {
      const int64_t begin = part.rows * thread / threads, end = part.rows * (thread + 1) / threads;
      const int64_t apart = ceil_div(end - begin, kColumnRuns);
      const int64_t pieces = std::max(ceil_div((end - begin) * row_bytes, kTaskBytes), ceil_div(kColumnRuns * apart, kFewRowsCols));
      for (int64_t piece = 0; piece < pieces; ++piece) {
        const int64_t at = apart * piece / pieces, each = apart * (piece + 1) / pieces - at;
        if (each > 0) tasks.blocks.push_back({&part, begin + at, out + begin + at, end - begin - at, {each, apart}});
      }
      out += part.rows;
      if (gated) break;
    }
    tasks.bounds.push_back(static_cast<int64_t>(tasks.blocks.size()));
  }
  return tasks;
}

// A thread's memory for the sums of a task: each run's columns together, runs one behind another.
struct TaskMemory {
  float *sums, *up;  // up: SwiGlu only
  int64_t stride;
  int32_t* totals;
  float* packed;
};

// The block's columns of weights in f32 or 16 bits, by `rows` rows from `row` on.
void multiply(const KernelTable& kernels, const CpuLinear& weights, const CpuLinear::Part& part, const ColumnBlock& block,
              const Factor& in, int64_t row, int64_t rows, const TaskMemory& memory, float* sums) {
  const char* first = static_cast<const char*>(part.data) +
                      static_cast<size_t>(block.first * weights.in_features) * size_of(part.dtype);
  const ProductArgs product{in.rows + row * in.row_bytes, in.type, in.stride, rows, first, part.dtype, block.cols, block.runs,
                            weights.in_features, sums, memory.stride, memory.packed};
  in.packed ? kernels.packed_products(product) : kernels.products(product);
}

// The same of weights in int8.
void multiply(const KernelTable& kernels, const CpuLinear::Part& part, const ColumnBlock& block, const Int8Activations& in, int64_t row,
              int64_t rows, const TaskMemory& memory, float* sums) {
  const Int8Activations from_row{in.values + row * in.stride, in.stride, in.scales + row, in.outliers + row * kMostOutliers,
                                 in.outlier_counts + row};
  const Int8WeightRows weights{part.int8.values + block.first * in.stride, part.int8.scales + block.first, part.int8.sums + block.first};
  kernels.int8_products({from_row, rows, weights, block.cols, block.runs, sums, memory.stride, memory.totals, memory.packed});
}

// What follows the sums of one run, of the rows from `row` on that `out` is.
EpilogueArgs epilogue_args(const Epilogue& epilogue, const CpuLinear& weights, const ColumnBlock& block, int64_t run,
                           const TaskMemory& sums, const Matrix& out, int64_t row) {
  const int64_t begin = run * block.runs.apart, first = block.first + begin, col = block.out + begin;
  const auto from = [](const VectorWeights* vector, int64_t at) {
    const float* values = values_of(vector);
    return values == nullptr ? nullptr : values + at;
  };
  EpilogueArgs e{};
  e.kind = kind_of(epilogue.activation);
  e.rows = out.rows;
  e.cols = block.run_cols(run);
  e.sums = sums.sums + run * block.runs.each;
  e.up = sums.up + run * block.runs.each;
  e.sums_stride = sums.stride;
  e.bias = from(block.part->bias.get(), first);
  if (e.kind == EpilogueKind::SwiGlu) e.up_bias = from(weights.parts[1].bias.get(), first);
  e.scale = from(epilogue.scale, col);
  if (epilogue.residual != nullptr) {
    e.residual = row_of(*epilogue.residual, row) + col;
    e.residual_stride = epilogue.residual->stride;
  }
  e.out = row_of(out, 0) + col;
  e.out_stride = out.stride;
  return e;
}

}  // namespace

void* CpuBackend::grown(Buffer& buffer, size_t bytes) {
  if (buffer.bytes() < bytes) {
    buffer = Buffer();
    buffer = allocate(bytes);
  }
  return buffer.data();
}

Factor CpuBackend::factor_of(const Matrix& in, DType weights) {
  const DType type = bf16_activations_ && weights == DType::BF16 ? DType::BF16 : DType::F32;
  const bool few = in.rows <= kFewRows;
  if (few && type == DType::F32) return {static_cast<const char*>(in.data), type, in.stride, in.stride * static_cast<int64_t>(sizeof(float)), false};

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
  return {rows, type, stride, row_bytes, !few};
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
  const bool gated = epilogue.activation == Activation::SwiGlu;
  require(in.cols == weights.in_features && out.rows == in.rows, "matmul: the input fits the weights");
  require(out.cols == (gated ? weights.out_features / 2 : weights.out_features), "matmul: the output fits the weights");
  require(!gated || (weights.parts.size() == 2 && weights.parts[0].rows == weights.parts[1].rows),
          "matmul: a gate and an up part of equal size");
  if (in.rows == 0) return;
  const bool few = in.rows <= kFewRows;
  const Int8Activations bytes = weights.int8 ? quantized(in) : Int8Activations{};
  const Factor factor = weights.int8 ? Factor{} : factor_of(in, weights.parts[0].dtype);
  const auto run_block = [&](const ColumnBlock& block, int64_t row, int64_t rows, int thread) {
    const Scratch& scratch = scratch_[static_cast<size_t>(thread)];
    const TaskMemory memory{static_cast<float*>(scratch.sums.data()), static_cast<float*>(scratch.up.data()),
                            few ? kFewRowsCols : kMostTaskCols, static_cast<int32_t*>(scratch.totals.data()),
                            static_cast<float*>(scratch.packed.data())};
    const auto multiply_part = [&](const CpuLinear::Part& part, float* sums) {
      weights.int8 ? multiply(kernels_, part, block, bytes, row, rows, memory, sums)
                   : multiply(kernels_, weights, part, block, factor, row, rows, memory, sums);
    };
    multiply_part(*block.part, memory.sums);
    if (gated) multiply_part(weights.parts[1], memory.up);
    for (int64_t run = 0; run < block.run_count() && block.run_cols(run) > 0; ++run) {
      kernels_.epilogue(epilogue_args(epilogue, weights, block, run, memory, out.row_range(row, rows), row));
    }
  };

  if (few) {
    const StreamTasks tasks = stream_tasks(weights, threads(), gated);
    return pool_.run_apart(tasks.bounds, [&](int64_t task, int thread) {
      run_block(tasks.blocks[static_cast<size_t>(task)], 0, in.rows, thread);
    });
  }
  const std::vector<ColumnBlock> blocks = column_blocks(weights, cols_of_task(in.rows, out.cols), gated);
  const auto block_count = static_cast<int64_t>(blocks.size());
  const int64_t most_rows = rows_of_task(in.rows, block_count);
  // Neighbouring tasks share their input rows, which then stay in a cache that threads share.
  pool_.run(ceil_div(in.rows, most_rows) * block_count, [&](int64_t task, int thread) {
    const int64_t row = task / block_count * most_rows;
    run_block(blocks[static_cast<size_t>(task % block_count)], row, std::min(most_rows, in.rows - row), thread);
  });
}

}  // namespace ivl::cpu
