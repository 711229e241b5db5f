// Attention that keeps what its way back reads, and that way. A task has a query head of a sequence.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/cpu_gradients.h"
#include "cpu/rows.h"

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

// A thread's own, which stay for the next task: large ones would come from the system anew each time, page by page.
class HeadScratch {
 public:
  // (cols, rows), so that the lanes of a product run along what were rows.
  const float* transposed(const Matrix& m) {
    float* out = floats(m.rows * m.cols);
    for (int64_t row = 0; row < m.rows; ++row) {
      for (int64_t c = 0; c < m.cols; ++c) out[c * m.rows + row] = row_of(m, row)[c];
    }
    return out;
  }
  // Rows that lie together.
  const float* dense(const Matrix& m) {
    float* out = floats(m.rows * m.cols);
    for (int64_t row = 0; row < m.rows; ++row) {
      std::memcpy(out + row * m.cols, row_of(m, row), static_cast<size_t>(m.cols) * sizeof(float));
    }
    return out;
  }
  float* floats(int64_t count) {
    if (used_ == blocks_.size()) blocks_.emplace_back();
    std::vector<float>& block = blocks_[used_++];
    if (block.size() < static_cast<size_t>(count)) block.resize(static_cast<size_t>(count));
    return block.data();
  }
  // Of this thread, all of it free.
  static HeadScratch& of_thread() {
    thread_local HeadScratch scratch;
    scratch.used_ = 0;
    return scratch;
  }

 private:
  std::vector<std::vector<float>> blocks_;
  size_t used_ = 0;
};

constexpr int64_t kChains = 16;  // chains that do not wait for each other; the order of a sum is fixed by them

float largest_of(const float* values, int64_t count) {
  float most[kChains];
  std::fill_n(most, kChains, -INFINITY);
  int64_t j = 0;
  for (; j + kChains <= count; j += kChains) {
    for (int64_t lane = 0; lane < kChains; ++lane) most[lane] = most[lane] < values[j + lane] ? values[j + lane] : most[lane];
  }
  for (; j < count; ++j) most[0] = std::max(most[0], values[j]);
  return *std::max_element(most, most + kChains);
}

double sum_of(const float* values, int64_t count) {
  double sums[kChains] = {};
  int64_t j = 0;
  for (; j + kChains <= count; j += kChains) {
    for (int64_t lane = 0; lane < kChains; ++lane) sums[lane] += static_cast<double>(values[j + lane]);
  }
  for (; j < count; ++j) sums[0] += static_cast<double>(values[j]);
  double sum = 0;
  for (const double lane : sums) sum += lane;
  return sum;
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
    const Matrix to = head_of(out, task.sequence, task.head * dim, dim);
    const int64_t rows = task.sequence.rows;
    HeadScratch& scratch = HeadScratch::of_thread();
    const float *keys = scratch.transposed(task.k), *values = scratch.dense(task.v);
    float* scores = scratch.floats(kBlockRows * rows);
    for (int64_t first = 0; first < rows; first += kBlockRows) {
      const int64_t count = std::min(kBlockRows, rows - first), seen = visible(shape, task.sequence, first + count - 1);
      const Matrix q = task.q.row_range(first, count), result = to.row_range(first, count);
      kernels_.small_product({row_of(q, 0), q.stride, 1, keys, rows, scores, rows, count, seen, dim, false});
      for (int64_t row = 0; row < count; ++row) {
        float* weights = scores + row * rows;
        row_of(log_sums, task.sequence.row + first + row)[task.head] =
            softmax(weights, visible(shape, task.sequence, first + row), seen, scale_by);
      }
      kernels_.small_product({scores, rows, 1, values, dim, row_of(result, 0), result.stride, count, dim, seen, false});
    }
  });
}

// Scores, scaled, become their softmax over the first `seen`; those behind, up to `count`, become zeros. Returns the logarithm of the sum.
float CpuGradients::softmax(float* scores, int64_t seen, int64_t count, float scale_by) const {
  const float most = scale_by * largest_of(scores, seen);
  for (int64_t j = 0; j < seen; ++j) scores[j] = scores[j] * scale_by - most;
  kernels_.evaluate(MathFunction::Exp, scores, scores, seen);
  const double sum = sum_of(scores, seen);
  const auto inverse = static_cast<float>(1 / sum);
  for (int64_t j = 0; j < seen; ++j) scores[j] *= inverse;
  std::fill(scores + seen, scores + count, 0.0f);
  return most + static_cast<float>(std::log(sum));
}

// The softmax of the first `seen` scores again, of the logarithm of its sum, and zeros behind, up to `count`; and of the gradients of its
// numbers those of the scores: ds = scale p (dp - along).
void CpuGradients::softmax_back(float* scores, float* d, int64_t seen, int64_t count, const SoftmaxBack& of) const {
  for (int64_t j = 0; j < seen; ++j) scores[j] = scores[j] * of.scale - of.log_sum;
  kernels_.evaluate(MathFunction::Exp, scores, scores, seen);
  for (int64_t j = 0; j < seen; ++j) d[j] = of.scale * scores[j] * (d[j] - of.along);
  std::fill(scores + seen, scores + count, 0.0f);
  std::fill(d + seen, d + count, 0.0f);
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
    HeadScratch& scratch = HeadScratch::of_thread();
    const float *keys = scratch.transposed(task.k), *values = scratch.transposed(task.v);
    const float *k = scratch.dense(task.k), *q = scratch.dense(task.q), *o = scratch.dense(of);
    float *p = scratch.floats(kBlockRows * rows), *ds = scratch.floats(kBlockRows * rows);
    for (int64_t row = 0; row < rows; ++row) {
      std::memset(row_of(dk, row), 0, static_cast<size_t>(dim) * sizeof(float));
      std::memset(row_of(dv, row), 0, static_cast<size_t>(dim) * sizeof(float));
    }
    for (int64_t first = 0; first < rows; first += kBlockRows) {
      const int64_t count = std::min(kBlockRows, rows - first), seen = visible(shape, task.sequence, first + count - 1);
      const float *queries = q + first * dim, *gradients = o + first * dim;
      kernels_.small_product({queries, dim, 1, keys, rows, p, rows, count, seen, dim, false});
      kernels_.small_product({gradients, dim, 1, values, rows, ds, rows, count, seen, dim, false});
      for (int64_t row = 0; row < count; ++row) {
        const float *a = gradients + row * dim, *b = row_of(result, first + row);
        double along = 0;
        for (int64_t c = 0; c < dim; ++c) along += static_cast<double>(a[c]) * static_cast<double>(b[c]);
        const float log_sum = row_of(log_sums, task.sequence.row + first + row)[task.head];
        softmax_back(p + row * rows, ds + row * rows, visible(shape, task.sequence, first + row), seen,
                     {scale_by, log_sum, static_cast<float>(along)});
      }
      kernels_.small_product({p, 1, rows, gradients, dim, row_of(dv, 0), dv.stride, seen, dim, count, true});
      kernels_.small_product({ds, 1, rows, queries, dim, row_of(dk, 0), dk.stride, seen, dim, count, true});
      kernels_.small_product({ds, rows, 1, k, dim, row_of(dq, first), dq.stride, count, dim, seen, false});
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
