// Attention that keeps what its way back reads, and that way. A task has a query head of a sequence.
#include <cmath>
#include <cstring>

#include "cpu/cpu_gradients.h"
#include "cpu/rows.h"

namespace ivl::cpu {
namespace {

// A head of a sequence in the columns of a matrix.
struct Head {
  Matrix rows;
  float* at(int64_t row) const { return row_of(rows, row); }
};

Head head_of(const Matrix& m, const Sequence& sequence, int64_t column, int64_t dim) {
  return {m.row_range(sequence.row, sequence.rows).col_range(column, dim)};
}

struct Task {
  Sequence sequence;
  int64_t head;
  Head q, k, v;
};

Task task_of(const Matrix& qkv, std::span<const Sequence> sequences, const AttentionShape& shape, int64_t number) {
  const Sequence& sequence = sequences[static_cast<size_t>(number / shape.heads)];
  const int64_t head = number % shape.heads, dim = shape.head_dim;
  const int64_t kv_head = head / (shape.heads / shape.kv_heads);
  return {sequence, head, head_of(qkv, sequence, head * dim, dim), head_of(qkv, sequence, (shape.heads + kv_head) * dim, dim),
          head_of(qkv, sequence, (shape.heads + shape.kv_heads + kv_head) * dim, dim)};
}

// (dim, rows): sums over dim then run along rows, which lie together.
std::vector<float> transposed(const Head& head) {
  std::vector<float> out(static_cast<size_t>(head.rows.rows * head.rows.cols));
  for (int64_t row = 0; row < head.rows.rows; ++row) {
    for (int64_t c = 0; c < head.rows.cols; ++c) out[static_cast<size_t>(c * head.rows.rows + row)] = head.at(row)[c];
  }
  return out;
}

// out[j] = the sum over c of a[c] * columns[c][j], j < count.
void products(float* out, const float* a, const std::vector<float>& columns, int64_t dim, int64_t rows, int64_t count) {
  std::memset(out, 0, static_cast<size_t>(count) * sizeof(float));
  for (int64_t c = 0; c < dim; ++c) {
    const float factor = a[c], *from = columns.data() + c * rows;
    for (int64_t j = 0; j < count; ++j) out[j] += factor * from[j];
  }
}

void add_scaled(float* out, float factor, const float* in, int64_t n) {
  for (int64_t c = 0; c < n; ++c) out[c] += factor * in[c];
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
    const Head to = head_of(out, task.sequence, task.head * dim, dim);
    const std::vector<float> keys = transposed(task.k);
    std::vector<float> scores(static_cast<size_t>(task.sequence.rows));
    for (int64_t row = 0; row < task.sequence.rows; ++row) {
      const int64_t seen = visible(shape, task.sequence, row);
      products(scores.data(), task.q.at(row), keys, dim, task.sequence.rows, seen);
      float most = -INFINITY;
      for (int64_t j = 0; j < seen; ++j) most = std::max(most, scores[static_cast<size_t>(j)] *= scale_by);
      for (int64_t j = 0; j < seen; ++j) scores[static_cast<size_t>(j)] -= most;
      kernels_.evaluate(MathFunction::Exp, scores.data(), scores.data(), seen);
      double sum = 0;
      for (int64_t j = 0; j < seen; ++j) sum += static_cast<double>(scores[static_cast<size_t>(j)]);
      std::memset(to.at(row), 0, static_cast<size_t>(dim) * sizeof(float));
      for (int64_t j = 0; j < seen; ++j)
        add_scaled(to.at(row), scores[static_cast<size_t>(j)] / static_cast<float>(sum), task.v.at(j), dim);
      row_of(log_sums, task.sequence.row + row)[task.head] = most + static_cast<float>(std::log(sum));
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
    const Head dq = of_head(d_qkv), dk = of_head(d_keys), dv = of_head(d_values), of = of_head(d), result = of_head(out);
    const std::vector<float> keys = transposed(task.k), values = transposed(task.v);
    const int64_t rows = task.sequence.rows;
    std::vector<float> p(static_cast<size_t>(rows)), dp(static_cast<size_t>(rows));
    for (int64_t row = 0; row < rows; ++row) {
      std::memset(dk.at(row), 0, static_cast<size_t>(dim) * sizeof(float));
      std::memset(dv.at(row), 0, static_cast<size_t>(dim) * sizeof(float));
    }
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t seen = visible(shape, task.sequence, row);
      const float log_sum = row_of(log_sums, task.sequence.row + row)[task.head];
      products(p.data(), task.q.at(row), keys, dim, rows, seen);
      for (int64_t j = 0; j < seen; ++j) p[static_cast<size_t>(j)] = p[static_cast<size_t>(j)] * scale_by - log_sum;
      kernels_.evaluate(MathFunction::Exp, p.data(), p.data(), seen);
      products(dp.data(), of.at(row), values, dim, rows, seen);
      double along = 0;
      for (int64_t c = 0; c < dim; ++c) along += static_cast<double>(of.at(row)[c]) * static_cast<double>(result.at(row)[c]);
      std::memset(dq.at(row), 0, static_cast<size_t>(dim) * sizeof(float));
      for (int64_t j = 0; j < seen; ++j) {
        const float weight = p[static_cast<size_t>(j)];
        const float ds = scale_by * weight * (dp[static_cast<size_t>(j)] - static_cast<float>(along));
        add_scaled(dv.at(j), weight, of.at(row), dim);
        add_scaled(dq.at(row), ds, task.k.at(j), dim);
        add_scaled(dk.at(j), ds, task.q.at(row), dim);
      }
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
