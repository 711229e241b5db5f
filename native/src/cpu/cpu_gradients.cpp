#include "cpu/cpu_gradients.h"

#include <cmath>
#include <cstring>

#include "cpu/cpu_weights.h"
#include "cpu/rows.h"
#include "cpu/thread_scratch.h"

namespace ivl::cpu {
namespace {

void require_like(const Matrix& a, const Matrix& b, const char* what) { require(a.rows == b.rows && a.cols == b.cols, what); }

constexpr double kInverseRootTwo = 0.70710678118654752440, kInverseRootTwoPi = 0.39894228040143267794;

}  // namespace

// ---- sums over rows ----------------------------------------------------------------------------------------------

void CpuGradients::sum_rows(const Matrix& out, const Matrix& d) {
  require(out.rows == 1 && out.cols == d.cols, "sum_rows: the sums fit");
  sum_columns(out, d.rows, [&](double* sums, int64_t row, int64_t first, int64_t count) {
    const float* from = row_of(d, row) + first;
    for (int64_t c = 0; c < count; ++c) sums[c] += static_cast<double>(from[c]);
  });
}

void CpuGradients::sum_products(const Matrix& out, const Matrix& d, const Matrix& in) {
  require_like(d, in, "sum_products: equal shapes");
  require(out.rows == 1 && out.cols == d.cols, "sum_products: the sums fit");
  sum_columns(out, d.rows, [&](double* sums, int64_t row, int64_t first, int64_t count) {
    const float *a = row_of(d, row) + first, *b = row_of(in, row) + first;
    for (int64_t c = 0; c < count; ++c) sums[c] += static_cast<double>(a[c]) * static_cast<double>(b[c]);
  });
}

void CpuGradients::add_to_table(const Matrix& out, std::span<const int32_t> ids, const Matrix& d) {
  require(static_cast<int64_t>(ids.size()) == d.rows && out.cols == d.cols, "add_to_table: a row for each id");
  each_block(d.cols, [&](int64_t first, int64_t count) {
    for (int64_t row = 0; row < d.rows; ++row) {
      const int32_t id = ids[static_cast<size_t>(row)];
      if (id < 0) continue;
      require(id < out.rows, "add_to_table: ids are in the table");
      float* to = row_of(out, id) + first;
      const float* from = row_of(d, row) + first;
      for (int64_t c = 0; c < count; ++c) to[c] += from[c];
    }
  });
}

// ---- elementwise -------------------------------------------------------------------------------------------------

void CpuGradients::clear(const Matrix& out) {
  each_row(out.rows, [&](int64_t row) { std::memset(row_of(out, row), 0, static_cast<size_t>(out.cols) * sizeof(float)); });
}

void CpuGradients::scale(const Matrix& out, const Matrix& in, float factor) {
  require_like(out, in, "scale: equal shapes");
  each_row(in.rows, [&](int64_t row) {
    for (int64_t c = 0; c < in.cols; ++c) row_of(out, row)[c] = factor * row_of(in, row)[c];
  });
}

void CpuGradients::scale_columns(const Matrix& out, const Matrix& in, const VectorWeights& factors) {
  require_like(out, in, "scale_columns: equal shapes");
  require(factors.size == in.cols, "scale_columns: a factor for each column");
  const float* values = values_of(&factors);
  each_row(in.rows, [&](int64_t row) {
    for (int64_t c = 0; c < in.cols; ++c) row_of(out, row)[c] = values[c] * row_of(in, row)[c];
  });
}

void CpuGradients::add(const Matrix& out, const Matrix& in) {
  require_like(out, in, "add: equal shapes");
  each_row(in.rows, [&](int64_t row) { kernels_.add(row_of(out, row), row_of(out, row), row_of(in, row), in.cols); });
}

void CpuGradients::activate(const Matrix& out, const Matrix& in, Activation activation) {
  require(activation != Activation::None, "activate: an activation");
  const bool gated = activation == Activation::SwiGlu;
  require(out.rows == in.rows && in.cols == (gated ? 2 : 1) * out.cols, "activate: shapes fit");
  each_row(in.rows, [&](int64_t row) {
    float* to = row_of(out, row);
    const float* from = row_of(in, row);
    kernels_.evaluate(gated ? MathFunction::Silu : MathFunction::Gelu, to, from, out.cols);
    for (int64_t c = 0; gated && c < out.cols; ++c) to[c] *= from[out.cols + c];
  });
}

void CpuGradients::activate_back(const Matrix& d_in, const Matrix& in, const Matrix& d, Activation activation) {
  require(activation != Activation::None, "activate_back: an activation");
  require_like(d_in, in, "activate_back: equal shapes");
  const int64_t n = d.cols;
  require(d.rows == in.rows && in.cols == (activation == Activation::SwiGlu ? 2 : 1) * n, "activate_back: shapes fit");
  each_row(in.rows, [&](int64_t row) {
    ThreadScratch& scratch = ThreadScratch::of_task();
    float *a = scratch.floats(n), *b = scratch.floats(n), *to = row_of(d_in, row);
    const float *x = row_of(in, row), *of = row_of(d, row);
    if (activation == Activation::SwiGlu) {
      for (int64_t c = 0; c < n; ++c) a[c] = -x[c];
      kernels_.evaluate(MathFunction::Exp, b, a, n);
      for (int64_t c = 0; c < n; ++c) {
        const float gate = x[c], up = x[n + c], sigmoid = 1 / (1 + b[c]), from = of[c];
        to[c] = from * up * sigmoid * (1 + gate * (1 - sigmoid));
        to[n + c] = from * gate * sigmoid;
      }
      return;
    }
    for (int64_t c = 0; c < n; ++c) a[c] = x[c] * static_cast<float>(kInverseRootTwo);
    kernels_.evaluate(MathFunction::Erf, b, a, n);
    for (int64_t c = 0; c < n; ++c) a[c] = -0.5f * x[c] * x[c];
    kernels_.evaluate(MathFunction::Exp, a, a, n);
    for (int64_t c = 0; c < n; ++c) {
      to[c] = of[c] * (0.5f * (1 + b[c]) + x[c] * static_cast<float>(kInverseRootTwoPi) * a[c]);
    }
  });
}

// ---- norms -------------------------------------------------------------------------------------------------------

// With x' = (x - mean) * inverse (RmsNorm: without the mean) and g = d * weight: the gradient is inverse * (g - mean(g) - x' mean(g x')),
// RmsNorm without mean(g). That of the weight is the sum of d x', of the bias that of d.
void CpuGradients::norm_back(const Matrix& d_in, const Matrix& d, const Matrix& in, const NormWeights& weights, bool adds,
                             const Matrix* d_weight, const Matrix* d_bias) {
  require_like(d_in, d, "norm_back: equal shapes");
  require_like(d, in, "norm_back: equal shapes");
  require(weights.weight->size == in.cols, "norm_back: a factor for each column");
  for (const Matrix* sums : {d_weight, d_bias}) {
    require(sums == nullptr || (sums->rows == 1 && sums->cols == in.cols), "norm_back: the sums fit");
  }
  const bool centers = weights.kind == NormKind::LayerNorm;
  const auto cols = static_cast<double>(in.cols);
  std::vector<double> means(static_cast<size_t>(in.rows)), inverses(static_cast<size_t>(in.rows));
  each_row(in.rows, [&](int64_t row) {
    const float* x = row_of(in, row);
    double mean = 0, squares = 0;
    for (int64_t c = 0; centers && c < in.cols; ++c) mean += static_cast<double>(x[c]) / cols;
    for (int64_t c = 0; c < in.cols; ++c) squares += (static_cast<double>(x[c]) - mean) * (static_cast<double>(x[c]) - mean);
    means[static_cast<size_t>(row)] = mean;
    inverses[static_cast<size_t>(row)] = 1 / std::sqrt(squares / cols + static_cast<double>(weights.eps));
  });
  const auto normed = [&](int64_t row, int64_t c) {
    return (static_cast<double>(row_of(in, row)[c]) - means[static_cast<size_t>(row)]) * inverses[static_cast<size_t>(row)];
  };
  if (d_bias != nullptr) sum_rows(*d_bias, d);
  if (d_weight != nullptr) {
    sum_columns(*d_weight, in.rows, [&](double* sums, int64_t row, int64_t first, int64_t count) {
      const float* a = row_of(d, row) + first;
      for (int64_t c = 0; c < count; ++c) sums[c] += static_cast<double>(a[c]) * normed(row, first + c);
    });
  }
  const float* weight = values_of(weights.weight.get());
  each_row(in.rows, [&](int64_t row) {
    const float* of = row_of(d, row);
    double mean = 0, along = 0;
    for (int64_t c = 0; c < in.cols; ++c) {
      const double g = static_cast<double>(of[c]) * static_cast<double>(weight[c]);
      if (centers) mean += g / cols;
      along += g * normed(row, c) / cols;
    }
    float* to = row_of(d_in, row);
    for (int64_t c = 0; c < in.cols; ++c) {
      const double g = static_cast<double>(of[c]) * static_cast<double>(weight[c]);
      const auto gradient = static_cast<float>(inverses[static_cast<size_t>(row)] * (g - mean - normed(row, c) * along));
      to[c] = adds ? to[c] + gradient : gradient;
    }
  });
}

// ---- vision tower ------------------------------------------------------------------------------------------------

void CpuGradients::unfold_patches(const Matrix& out, const Matrix& pixels, const PatchGeometry& geometry) {
  backend_.unfold(out, pixels, geometry);
}

void CpuGradients::pixel_shuffle_back(const Matrix& out, const Matrix& d, int64_t pictures, int64_t grid, int64_t factor,
                                      bool swap_back) {
  require(factor > 0 && grid % factor == 0, "pixel shuffle: the factor divides the grid");
  const int64_t side = grid / factor, width = out.cols, tokens = grid * grid + 1;
  require(d.rows == pictures * side * side && d.cols == width * factor * factor && out.rows == pictures * tokens,
          "pixel shuffle: shapes fit");
  for (int64_t picture = 0; picture < pictures; ++picture) clear(out.row_range(picture * tokens, 1));
  each_row(d.rows, [&](int64_t row) {
    const int64_t first = row / side % side, second = row % side;
    const int64_t x = (swap_back ? second : first) * factor, y = (swap_back ? first : second) * factor;
    const float* from = row_of(d, row);
    for (int64_t dy = 0; dy < factor; ++dy) {
      for (int64_t dx = 0; dx < factor; ++dx, from += width) {
        const int64_t token = row / (side * side) * tokens + 1 + (y + dy) * grid + x + dx;
        std::memcpy(row_of(out, token), from, static_cast<size_t>(width) * sizeof(float));
      }
    }
  });
}

// ---- loss --------------------------------------------------------------------------------------------------------

void CpuGradients::cross_entropy(const Matrix& logits, std::span<const int32_t> labels, float factor, std::span<float> losses) {
  require(static_cast<int64_t>(labels.size()) == logits.rows && losses.size() == labels.size(), "cross_entropy: a label a row");
  for (const int32_t label : labels) require(label >= 0 && label < logits.cols, "cross_entropy: labels are in the vocabulary");
  each_row(logits.rows, [&](int64_t row) {
    float* x = row_of(logits, row);
    const int32_t label = labels[static_cast<size_t>(row)];
    const float most = largest_of(x, logits.cols);
    const double chosen = static_cast<double>(x[label]) - static_cast<double>(most);
    for (int64_t c = 0; c < logits.cols; ++c) x[c] -= most;
    kernels_.evaluate(MathFunction::Exp, x, x, logits.cols);
    const double sum = sum_of(x, logits.cols);
    losses[static_cast<size_t>(row)] = static_cast<float>(std::log(sum) - chosen);
    const auto scale_by = static_cast<float>(static_cast<double>(factor) / sum);
    for (int64_t c = 0; c < logits.cols; ++c) x[c] *= scale_by;
    x[label] -= factor;
  });
}

// ---- optimizer ---------------------------------------------------------------------------------------------------

double CpuGradients::sum_of_squares(const Matrix& in) {
  std::vector<double> rows(static_cast<size_t>(in.rows));
  each_row(in.rows, [&](int64_t row) {
    double sum = 0;
    for (int64_t c = 0; c < in.cols; ++c) sum += static_cast<double>(row_of(in, row)[c]) * static_cast<double>(row_of(in, row)[c]);
    rows[static_cast<size_t>(row)] = sum;
  });
  double sum = 0;
  for (const double row : rows) sum += row;
  return sum;
}

void CpuGradients::adamw(const Matrix& value, const Matrix& first, const Matrix& second, const Matrix& gradient,
                         const AdamW& step) {
  for (const Matrix* other : {&first, &second, &gradient}) require_like(value, *other, "adamw: equal shapes");
  const double rate = step.rate, power = static_cast<double>(step.step);
  const double bias1 = 1 - std::pow(step.beta1, power);
  const double bias2 = 1 - std::pow(step.beta2, power);
  const auto kept = static_cast<float>(1 - rate * step.decay);
  const auto size = static_cast<float>(rate / bias1), root = static_cast<float>(std::sqrt(bias2));
  const auto beta2 = static_cast<float>(step.beta2), eps = static_cast<float>(step.eps);
  const auto some1 = static_cast<float>(1 - step.beta1), some2 = static_cast<float>(1 - step.beta2);
  each_row(value.rows, [&](int64_t row) {
    float *p = row_of(value, row), *m = row_of(first, row), *v = row_of(second, row);
    const float* g = row_of(gradient, row);
    for (int64_t c = 0; c < value.cols; ++c) {
      const float clipped = g[c] * step.gradient_factor;
      m[c] += some1 * (clipped - m[c]);
      v[c] = v[c] * beta2 + some2 * clipped * clipped;
      p[c] = p[c] * kept - size * m[c] / (std::sqrt(v[c]) / root + eps);
    }
  });
}

}  // namespace ivl::cpu
