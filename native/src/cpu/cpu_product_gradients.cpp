// Gradients of products: products themselves, of transposed matrices.
#include <cstring>

#include "cpu/cpu_gradients.h"
#include "cpu/cpu_weights.h"
#include "cpu/rows.h"
#include "cpu/small_product.h"

namespace ivl::cpu {
namespace {

constexpr int64_t kBlock = 32;   // rows and columns that are transposed together
constexpr int64_t kNarrow = 64;  // pairs' inner rows

bool is_narrow(const CpuLinear& layer) {
  return layer.parts.size() == 1 && layer.format == WeightFormat::Plain && layer.parts[0].dtype == DType::F32 &&
         (layer.in_features <= kNarrow || layer.out_features <= kNarrow);
}

// The type in which a layer's transposed weights are multiplied.
DType type_of(const CpuLinear& layer) {
  for (const CpuLinear::Part& part : layer.parts) {
    if (part.dtype != layer.parts[0].dtype) return DType::F32;
  }
  return layer.format == WeightFormat::Int8 ? DType::F32 : layer.parts[0].dtype;
}

// One weight as it is meant.
float weight_at(const CpuLinear& layer, const CpuLinear::Part& part, int64_t row, int64_t col) {
  if (layer.format == WeightFormat::Int8)
    return part.int8.scales[row] * static_cast<float>(part.int8.values[row * part.int8.stride + col]);
  if (layer.format == WeightFormat::Int4) return int4_weight(part.int4.rows, row, col);
  return load_f32(part.data, part.dtype, static_cast<size_t>(row * layer.in_features + col));
}

// Columns [first, first + count) of rows [row, row + rows) of a part, into columns of `to`, (count, stride).
void transpose_part(void* to, DType type, int64_t stride, const CpuLinear& layer, const CpuLinear::Part& part, int64_t row,
                    int64_t rows, int64_t first, int64_t count) {
  if (layer.format == WeightFormat::Plain && part.dtype == type) {
    const int64_t from = row * layer.in_features + first;
    if (type == DType::F32) {
      return transpose_block(static_cast<float*>(to), stride, static_cast<const float*>(part.data) + from, layer.in_features, rows,
                             count);
    }
    return transpose_block(static_cast<uint16_t*>(to), stride, static_cast<const uint16_t*>(part.data) + from, layer.in_features,
                           rows, count);
  }
  for (int64_t c = 0; c < count; ++c) {
    for (int64_t r = 0; r < rows; ++r) {
      store_f32(to, type, static_cast<size_t>(c * stride + r), weight_at(layer, part, row + r, first + c));
    }
  }
}

CpuLinear dense(const void* data, DType type, int64_t rows, int64_t cols) {
  CpuLinear linear;
  linear.in_features = cols;
  linear.out_features = rows;
  CpuLinear::Part& part = linear.parts.emplace_back();
  part.data = data;
  part.dtype = type;
  part.rows = rows;
  return linear;
}

}  // namespace

void* CpuGradients::grown(Buffer& buffer, size_t bytes, CpuBackend& backend) {
  if (buffer.bytes() < bytes) {
    buffer = Buffer();
    buffer = backend.allocate(bytes);
  }
  return buffer.data();
}

// Of pairs, whose one side is narrow: nothing is turned, nothing is rounded. A task has some rows.
void CpuGradients::narrow_product_input(const Matrix& out, const Matrix& d, const Matrix& weights, bool add) {
  each_block(d.rows, [&](int64_t row, int64_t count) {
    multiply(kernels_, out.row_range(row, count), d.row_range(row, count), weights, add);
  });
}

// A task has some rows of out; where these are few, some columns.
void CpuGradients::narrow_product_weight(const Matrix& out, const Matrix& d, const Matrix& in) {
  const bool wide = out.cols > kNarrow;
  each_block(wide ? out.cols : out.rows, [&](int64_t at, int64_t count) {
    if (wide) {
      add_transposed_product(kernels_, out.col_range(at, count), d, in.col_range(at, count));
    } else {
      add_transposed_product(kernels_, out.row_range(at, count), d.col_range(at, count), in);
    }
  });
}

void CpuGradients::product_input(const Matrix& out, const Matrix& d, const LinearWeights& opaque, bool add) {
  const auto& layer = static_cast<const CpuLinear&>(opaque);
  require(d.cols == layer.out_features && out.cols == layer.in_features && out.rows == d.rows, "product_input: shapes fit");
  if (d.rows == 0) return;
  if (is_narrow(layer)) {
    void* weights = const_cast<void*>(layer.parts[0].data);  // which are read
    return narrow_product_input(out, d, {weights, DType::F32, layer.out_features, layer.in_features, layer.in_features}, add);
  }
  const DType type = type_of(layer);
  const size_t column_bytes = static_cast<size_t>(layer.out_features) * size_of(type);
  const auto most = std::max<int64_t>(kBlock, kMostCopied / static_cast<int64_t>(column_bytes) / kBlock * kBlock);
  for (int64_t first = 0; first < layer.in_features; first += most) {
    const int64_t count = std::min(most, layer.in_features - first);
    auto* memory = static_cast<char*>(grown(transposed_weights_, static_cast<size_t>(count) * column_bytes, backend_));
    int64_t column = 0;
    for (const CpuLinear::Part& part : layer.parts) {
      pool_.run((count + kBlock - 1) / kBlock, [&](int64_t task, int) {
        const int64_t begin = task * kBlock, cols = std::min(kBlock, count - begin);
        for (int64_t row = 0; row < part.rows; row += kBlock) {
          char* to = memory + static_cast<size_t>(begin * layer.out_features + column + row) * size_of(type);
          transpose_part(to, type, layer.out_features, layer, part, row, std::min(kBlock, part.rows - row), first + begin, cols);
        }
      });
      column += part.rows;
    }
    const Matrix some = out.col_range(first, count);
    const CpuLinear transposed = dense(memory, type, count, layer.out_features);
    backend_.matmul(some, {d, transposed}, {Activation::None, nullptr, add ? &some : nullptr});
  }
}

void CpuGradients::product_weight(const Matrix& out, const Matrix& d, const Matrix& in) {
  require(d.rows == in.rows && out.rows == d.cols && out.cols == in.cols, "product_weight: shapes fit");
  if (d.rows == 0) return;
  if (d.cols <= kNarrow || in.cols <= kNarrow) return narrow_product_weight(out, d, in);
  const int64_t rows = d.rows;
  const bool rounds = backend_.bf16_activations();
  const DType type = rounds ? DType::BF16 : DType::F32;
  const int64_t stride = backend_.row_stride(rows, DType::F32);
  auto* left = static_cast<float*>(grown(transposed_, static_cast<size_t>(d.cols * stride) * sizeof(float), backend_));
  void* right = grown(transposed_weights_, static_cast<size_t>(in.cols * rows) * size_of(type), backend_);
  const auto transpose = [&](const Matrix& from, const auto& put) {
    pool_.run((from.cols + kBlock - 1) / kBlock, [&](int64_t task, int) {
      const int64_t begin = task * kBlock, end = std::min(begin + kBlock, from.cols);
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t c = begin; c < end; ++c) put(c, row, row_of(from, row)[c]);
      }
    });
  };
  transpose(d, [&](int64_t c, int64_t row, float value) { left[c * stride + row] = value; });
  if (rounds) {
    transpose(in, [&](int64_t c, int64_t row, float value) { static_cast<uint16_t*>(right)[c * rows + row] = f32_to_bf16(value); });
  } else {
    transpose(in, [&](int64_t c, int64_t row, float value) { static_cast<float*>(right)[c * rows + row] = value; });
  }
  const CpuLinear weights = dense(right, type, in.cols, rows);
  backend_.matmul(out, {Matrix{left, DType::F32, d.cols, rows, stride}, weights}, {Activation::None, nullptr, &out});
}

}  // namespace ivl::cpu
