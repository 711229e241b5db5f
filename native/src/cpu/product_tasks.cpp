#include "cpu/product_tasks.h"

#include "cpu/rows.h"

namespace ivl::cpu {
namespace {

EpilogueKind kind_of(Activation activation) {
  switch (activation) {
    case Activation::None: return EpilogueKind::None;
    case Activation::Gelu: return EpilogueKind::Gelu;
    case Activation::SwiGlu: return EpilogueKind::SwiGlu;
  }
  return EpilogueKind::None;
}

// What one output reads.
int64_t row_bytes_of(const CpuLinear& weights) {
  return weight_bytes(weights.format, weights.parts[0].dtype, 1, weights.in_features);
}

// Where a row of weights begins.
const void* weights_from(const CpuLinear& weights, const CpuLinear::Part& part, int64_t row) {
  switch (weights.format) {
    case WeightFormat::Int8: return part.int8.values + row * part.int8.stride;
    case WeightFormat::Int4: return part.int4.rows.from(row).values;
    case WeightFormat::Plain: break;
  }
  return static_cast<const char*>(part.data) + static_cast<size_t>(row * weights.in_features) * size_of(part.dtype);
}

// A thread's tasks follow each other along the columns, and of gated layers the second part follows the first.
WeightsAhead ahead_of(const CpuLinear& weights, const CpuLinear::Part& part, const ColumnBlock& block, bool gated) {
  if (gated && &part == block.part) return {weights_from(weights, weights.parts[1], block.first), block.cols};
  const int64_t next = block.first + block.cols;
  if (next >= block.part->rows) return {};
  return {weights_from(weights, *block.part, next), block.part->rows - next};
}

// The block's columns of weights in f32, 16 bits or int4, by `rows` rows from `row` on.
void multiply(const KernelTable& kernels, const CpuLinear& weights, const CpuLinear::Part& part, const ColumnBlock& block,
              const WeightsAhead& ahead, const Factor& in, int64_t row, int64_t rows, const TaskMemory& memory, float* sums) {
  ProductArgs product{};
  product.in = in.rows + row * in.row_bytes;
  product.in_type = in.type;
  product.in_stride = in.stride;
  product.rows = rows;
  product.dtype = part.dtype;
  if (weights.format == WeightFormat::Int4) {
    product.int4 = part.int4.rows.from(block.first);
  } else {
    product.weight = weights_from(weights, part, block.first);
  }
  product.cols = block.cols;
  product.runs = block.runs;
  product.ahead = ahead;
  product.k = weights.in_features;
  product.sums = sums;
  product.sums_stride = memory.stride;
  product.packed = memory.packed;
  in.packed ? kernels.packed_products(product) : kernels.products(product);
}

// The same of weights in int8.
void multiply(const KernelTable& kernels, const CpuLinear::Part& part, const ColumnBlock& block, const WeightsAhead& ahead,
              const Int8Activations& in, int64_t row, int64_t rows, bool streams, const TaskMemory& memory, float* sums) {
  const Int8Activations from_row{in.values + row * in.stride, in.stride, in.scales + row, in.outliers + row * kMostOutliers,
                                 in.outlier_counts + row};
  const Int8WeightRows weights{part.int8.values + block.first * in.stride, part.int8.scales + block.first,
                               part.int8.sums + block.first};
  kernels.int8_products(
      {from_row, rows, weights, block.cols, streams, block.runs, ahead, sums, memory.stride, memory.totals, memory.packed});
}

// What an adapter adds to the sums of the block's columns, which are there.
void add_adapter(const KernelTable& kernels, const AddedRows& added, const AdapterSource::Up& up, const ColumnBlock& block,
                 int64_t row, int64_t rows, const TaskMemory& memory, float* sums) {
  const int64_t begin = std::max(row, added.row), end = std::min(row + rows, added.row + added.rows);
  if (up.down < 0 || begin >= end) return;
  const Factor& in = added.inputs[static_cast<size_t>(up.down)];
  const HostTensor weight = up.weight.row_range(block.first, block.cols);
  ProductArgs product{};
  product.in = in.rows + (begin - added.row) * in.row_bytes;
  product.in_type = in.type;
  product.in_stride = in.stride;
  product.rows = end - begin;
  product.weight = weight.data;
  product.dtype = weight.dtype;
  product.cols = block.cols;
  product.runs = block.runs;
  product.k = weight.shape[1];
  product.sums = sums + (begin - row) * memory.stride;
  product.sums_stride = memory.stride;
  product.packed = memory.packed;
  product.adds = true;
  in.packed ? kernels.packed_products(product) : kernels.products(product);
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

StreamTasks stream_tasks(const CpuLinear& weights, int64_t shares, bool gated) {
  constexpr int64_t kTaskBytes = 384 << 10, kWorthAShare = 64 << 10;
  const int64_t row_bytes = row_bytes_of(weights);
  shares = std::clamp<int64_t>(weights.out_features * row_bytes / kWorthAShare, 1, shares);
  StreamTasks tasks{{}, {0}};
  for (int64_t share = 0; share < shares; ++share) {
    int64_t out = 0;
    for (const CpuLinear::Part& part : weights.parts) {
      const int64_t begin = part.rows * share / shares, end = part.rows * (share + 1) / shares;
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

void run_block(const KernelTable& kernels, const PreparedProduct& product, const ColumnBlock& block, int64_t row, int64_t rows,
               const TaskMemory& memory) {
  const CpuLinear& weights = *product.weights;
  const auto multiply_part = [&](const CpuLinear::Part& part, float* sums) {
    const WeightsAhead ahead = product.few ? WeightsAhead{} : ahead_of(weights, part, block, product.gated());
    weights.takes_bytes() ? multiply(kernels, part, block, ahead, product.bytes, row, rows, product.few, memory, sums)
                          : multiply(kernels, weights, part, block, ahead, product.factor, row, rows, memory, sums);
    for (const AddedRows& added : product.added) {
      const auto at = static_cast<size_t>(&part - weights.parts.data());
      add_adapter(kernels, added, added.adapter->source.ups[at], block, row, rows, memory, sums);
    }
  };
  multiply_part(*block.part, memory.sums);
  if (product.gated()) multiply_part(weights.parts[1], memory.up);
  for (int64_t run = 0; run < block.run_count() && block.run_cols(run) > 0; ++run) {
    kernels.epilogue(epilogue_args(product.epilogue, weights, block, run, memory, product.out.row_range(row, rows), row));
  }
}

}  // namespace ivl::cpu
