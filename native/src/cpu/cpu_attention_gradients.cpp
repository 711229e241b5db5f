// Attention that keeps what its way back reads, and that way. A task has a query head of a sequence.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/cpu_gradients.h"
#include "cpu/rows.h"
#include "cpu/small_product.h"
#include "cpu/thread_scratch.h"

namespace ivl::cpu {
namespace {

constexpr int64_t kBlockRows = 64;  // queries that are multiplied together

// A head of a sequence in the columns of a matrix.
Matrix head_of(const Matrix& m, const Sequence& sequence, int64_t column, int64_t dim) {
  return m.row_range(sequence.row, sequence.rows).col_range(column, dim);
}

struct Task {
  Sequence sequence;
  int64_t head;
  Matrix q, k, v;
};

Task task_of(const Matrix& qkv, std::span<const Sequence> sequences, const AttentionShape& shape, int64_t number) {
  const Sequence& sequence = sequences[static_cast<size_t>(number / shape.heads)];
  const int64_t head = number % shape.heads, dim = shape.head_dim;
  const int64_t kv_head = head / (shape.heads / shape.kv_heads);
  return {sequence, head, head_of(qkv, sequence, head * dim, dim), head_of(qkv, sequence, (shape.heads + kv_head) * dim, dim),
          head_of(qkv, sequence, (shape.heads + shape.kv_heads + kv_head) * dim, dim)};
}

// (cols, rows), so that the lanes of a product run along what were rows.
Matrix transposed(ThreadScratch& scratch, const Matrix& m) {
  const Matrix out = scratch.matrix(m.cols, m.rows);
  transpose_block(row_of(out, 0), out.stride, row_of(m, 0), m.stride, m.rows, m.cols);
  return out;
}

// Rows that lie together.
Matrix dense(ThreadScratch& scratch, const Matrix& m) {
  const Matrix out = scratch.matrix(m.rows, m.cols);
  for (int64_t row = 0; row < m.rows; ++row) {
    std::memcpy(row_of(out, row), row_of(m, row), static_cast<size_t>(m.cols) * sizeof(float));
  }
  return out;
}

int64_t visible(const AttentionShape& shape, const Sequence& sequence, int64_t row) {
  return shape.causal ? row + 1 : sequence.rows;
}

void require_attention(const Matrix& qkv, const Matrix& out, const Matrix& log_sums, std::span<const Sequence> sequences,
                       const AttentionShape& shape) {
  require(shape.kv_heads > 0 && shape.heads % shape.kv_heads == 0, "attention: key and value heads divide the heads");
  require(qkv.cols == shape.columns() && out.cols == shape.heads * shape.head_dim && log_sums.cols == shape.heads,
          "attention: columns fit");
  require(out.rows == qkv.rows && log_sums.rows == qkv.rows, "attention: equal rows");
  int64_t row = 0;
  for (const Sequence& sequence : sequences) {
    require(sequence.row == row && sequence.rows > 0, "attention: sequences lie one behind another");
    row += sequence.rows;
  }
  require(row == qkv.rows, "attention: every row is a sequence's");
}

float score_scale(const AttentionShape& shape) { return 1 / std::sqrt(static_cast<float>(shape.head_dim)); }

// Scores, scaled, become their softmax over the first `seen`; those behind, up to `count`, become zeros. Returns the logarithm of the sum.
float softmax(const KernelTable& kernels, float* scores, int64_t seen, int64_t count, float scale_by) {
  const float most = scale_by * largest_of(scores, seen);
  for (int64_t j = 0; j < seen; ++j) scores[j] = scores[j] * scale_by - most;
  kernels.evaluate(MathFunction::Exp, scores, scores, seen);
  const double sum = sum_of(scores, seen);
  const auto inverse = static_cast<float>(1 / sum);
  for (int64_t j = 0; j < seen; ++j) scores[j] *= inverse;
  std::fill(scores + seen, scores + count, 0.0f);
  return most + static_cast<float>(std::log(sum));
}

// Scores become their softmax again, by the logarithm of its sum, and d, the gradients of its numbers, those of the scores:
// ds = scale p (dp - along). Zeros behind the first `seen` of both.
struct SoftmaxBack {
  float scale, log_sum, along;

  void run(const KernelTable& kernels, float* scores, float* d, int64_t seen, int64_t count) const {
    for (int64_t j = 0; j < seen; ++j) scores[j] = scores[j] * scale - log_sum;
    kernels.evaluate(MathFunction::Exp, scores, scores, seen);
    for (int64_t j = 0; j < seen; ++j) d[j] = scale * scores[j] * (d[j] - along);
    std::fill(scores + seen, scores + count, 0.0f);
    std::fill(d + seen, d + count, 0.0f);
  }
};

}  // namespace

void CpuGradients::turn(const Matrix& rows, std::span<const Sequence> sequences, int64_t heads, int64_t head_dim,
                        const Matrix& rope, bool backwards) {
  require(rows.cols == heads * head_dim && rope.cols == head_dim && head_dim % 2 == 0, "turn: heads fit");
  for (const Sequence& sequence : sequences) {
    require(sequence.rows <= rope.rows, "turn: the table has all positions");
    require(sequence.row >= 0 && sequence.row + sequence.rows <= rows.rows, "turn: sequences are within the rows");
    each_row(sequence.rows, [&](int64_t row) {
      std::vector<float> angles(row_of(rope, row), row_of(rope, row) + head_dim);
      if (backwards) {
        for (auto sine = angles.begin() + head_dim / 2; sine != angles.end(); ++sine) *sine = -*sine;
      }
      kernels_.rotate(row_of(rows, sequence.row + row), angles.data(), heads, head_dim);
    });
  }
}

void CpuGradients::attend(const Matrix& out, const Matrix& log_sums, const Matrix& qkv, std::span<const Sequence> sequences,
                          const AttentionShape& shape) {
  require_attention(qkv, out, log_sums, sequences, shape);
  const float scale_by = score_scale(shape);
  const int64_t dim = shape.head_dim;
  pool_.run(static_cast<int64_t>(sequences.size()) * shape.heads, [&](int64_t number, int) {
    const Task task = task_of(qkv, sequences, shape, number);
    const Matrix to = head_of(out, task.sequence, task.head * dim, dim);
    const int64_t rows = task.sequence.rows;
    ThreadScratch& scratch = ThreadScratch::of_task();
    const Matrix keys = transposed(scratch, task.k), values = dense(scratch, task.v), all = scratch.matrix(kBlockRows, rows);
    for (int64_t first = 0; first < rows; first += kBlockRows) {
      const int64_t count = std::min(kBlockRows, rows - first), seen = visible(shape, task.sequence, first + count - 1);
      const Matrix scores = all.row_range(0, count).col_range(0, seen);
      multiply(kernels_, scores, task.q.row_range(first, count), keys.col_range(0, seen), false);
      for (int64_t row = 0; row < count; ++row) {
        row_of(log_sums, task.sequence.row + first + row)[task.head] =
            softmax(kernels_, row_of(scores, row), visible(shape, task.sequence, first + row), seen, scale_by);
      }
      multiply(kernels_, to.row_range(first, count), scores, values.row_range(0, seen), false);
    }
  });
}

// With p = softmax, o = p v: dv = p^T do, dp = do v^T, ds = p (dp - sum(p dp)), where that sum is do . o, dq = scale ds k,
// dk = scale ds^T q. Each query head has keys' and values' gradients of its own, which are added up in the order of the heads.
void CpuGradients::attend_back(const Matrix& d_qkv, const Matrix& d, const Matrix& out, const Matrix& log_sums, const Matrix& qkv,
                               std::span<const Sequence> sequences, const AttentionShape& shape) {
  require_attention(qkv, out, log_sums, sequences, shape);
  require(d_qkv.rows == qkv.rows && d_qkv.cols == qkv.cols && d.rows == out.rows && d.cols == out.cols,
          "attend_back: equal shapes");
  const float scale_by = score_scale(shape);
  const int64_t dim = shape.head_dim, width = shape.heads * dim;
  // (rows, heads * head_dim) twice.
  auto* memory = static_cast<float*>(grown(attention_, static_cast<size_t>(2 * qkv.rows * width) * sizeof(float), backend_));
  const Matrix d_keys{memory, DType::F32, qkv.rows, width, width},
      d_values{memory + qkv.rows * width, DType::F32, qkv.rows, width, width};
  pool_.run(static_cast<int64_t>(sequences.size()) * shape.heads, [&](int64_t number, int) {
    const Task task = task_of(qkv, sequences, shape, number);
    const auto of_head = [&](const Matrix& m) { return head_of(m, task.sequence, task.head * dim, dim); };
    const Matrix dq = of_head(d_qkv), dk = of_head(d_keys), dv = of_head(d_values), of = of_head(d), result = of_head(out);
    const int64_t rows = task.sequence.rows;
    ThreadScratch& scratch = ThreadScratch::of_task();
    const Matrix keys = transposed(scratch, task.k), values = transposed(scratch, task.v), k = dense(scratch, task.k);
    const Matrix q = dense(scratch, task.q), o = dense(scratch, of);
    const Matrix all_p = scratch.matrix(kBlockRows, rows), all_ds = scratch.matrix(kBlockRows, rows);
    for (int64_t row = 0; row < rows; ++row) {
      std::memset(row_of(dk, row), 0, static_cast<size_t>(dim) * sizeof(float));
      std::memset(row_of(dv, row), 0, static_cast<size_t>(dim) * sizeof(float));
    }
    for (int64_t first = 0; first < rows; first += kBlockRows) {
      const int64_t count = std::min(kBlockRows, rows - first), seen = visible(shape, task.sequence, first + count - 1);
      const Matrix queries = q.row_range(first, count), gradients = o.row_range(first, count);
      const Matrix p = all_p.row_range(0, count).col_range(0, seen), ds = all_ds.row_range(0, count).col_range(0, seen);
      multiply(kernels_, p, queries, keys.col_range(0, seen), false);
      multiply(kernels_, ds, gradients, values.col_range(0, seen), false);
      for (int64_t row = 0; row < count; ++row) {
        const float *a = row_of(gradients, row), *b = row_of(result, first + row);
        double along = 0;
        for (int64_t c = 0; c < dim; ++c) along += static_cast<double>(a[c]) * static_cast<double>(b[c]);
        const float log_sum = row_of(log_sums, task.sequence.row + first + row)[task.head];
        const SoftmaxBack back{scale_by, log_sum, static_cast<float>(along)};
        back.run(kernels_, row_of(p, row), row_of(ds, row), visible(shape, task.sequence, first + row), seen);
      }
      add_transposed_product(kernels_, dv.row_range(0, seen), p, gradients);
      add_transposed_product(kernels_, dk.row_range(0, seen), ds, queries);
      multiply(kernels_, dq.row_range(first, count), ds, k.row_range(0, seen), false);
    }
  });
  const int64_t group = shape.heads / shape.kv_heads;
  each_row(qkv.rows, [&](int64_t row) {
    for (int64_t kv = 0; kv < shape.kv_heads; ++kv) {
      float* to_key = row_of(d_qkv, row) + (shape.heads + kv) * dim;
      float* to_value = to_key + shape.kv_heads * dim;
      for (int64_t c = 0; c < dim; ++c) {
        float key = 0, value = 0;
        for (int64_t head = kv * group; head < (kv + 1) * group; ++head) {
          key += row_of(d_keys, row)[head * dim + c];
          value += row_of(d_values, row)[head * dim + c];
        }
        to_key[c] = key;
        to_value[c] = value;
      }
    }
  });
}

}  // namespace ivl::cpu
