// GPTQ's weights: those of the textbook's own form, and better ones than rounding's.
#include "convert/gptq.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "cpu/cpu_backend.h"

namespace ivl {
namespace {

using Values = std::vector<double>;  // of a matrix, row by row

// Inputs that have to do with each other, a few of them much larger than the others.
std::vector<float> inputs_of(int64_t rows, int64_t n, unsigned seed) {
  constexpr int64_t kCauses = 12;
  std::mt19937 mixing(1), random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> mix(static_cast<size_t>(kCauses * n)), x(static_cast<size_t>(rows * n));
  for (float& value : mix) value = normal(mixing);
  for (int64_t row = 0; row < rows; ++row) {
    float causes[kCauses];
    for (float& cause : causes) cause = normal(random);
    for (int64_t i = 0; i < n; ++i) {
      float& value = x[static_cast<size_t>(row * n + i)];
      value = 0.5f * normal(random);
      for (int64_t c = 0; c < kCauses; ++c) value += 0.3f * causes[c] * mix[static_cast<size_t>(c * n + i)];
      if (i % 50 == 7) value *= 30;
    }
  }
  return x;
}

std::vector<float> weights_of(int64_t rows, int64_t n) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0, 0.02f);
  std::vector<float> w(static_cast<size_t>(rows * n));
  for (float& value : w) value = normal(random);
  return w;
}

struct Problem {
  explicit Problem(int64_t inputs, int threads = 2)
      : n(inputs),
        x(inputs_of(400, n, 3)),
        w(weights_of(kRows, n)),
        backend(cpu::CpuOptions{.threads = threads}),
        pool(threads),
        gptq(backend, pool, gram(), "a test") {}

  static constexpr int64_t kRows = 24;

  // In two pieces.
  Gram gram() {
    Gram gram(backend, n);
    const Matrix rows{x.data(), DType::F32, static_cast<int64_t>(x.size()) / n, n, n};
    gram.add(rows.row_range(0, 150));
    gram.add(rows.row_range(150, rows.rows - 150));
    return gram;
  }
  HostTensor weight() const { return {w.data(), DType::F32, {kRows, n}}; }
  Int4Weights rounded() { return gptq.weights(weight(), DType::BF16, row_codec()); }

  int64_t n;
  std::vector<float> x, w;
  cpu::CpuBackend backend;
  ThreadPool pool;
  Gptq gptq;
};

// Of a positive definite matrix, by Gauss and Jordan.
Values inverse_of(Values a, size_t n) {
  Values b(n * n);
  for (size_t i = 0; i < n; ++i) b[i * n + i] = 1;
  for (size_t i = 0; i < n; ++i) {
    const double pivot = a[i * n + i];
    for (size_t k = 0; k < n; ++k) a[i * n + k] /= pivot, b[i * n + k] /= pivot;
    for (size_t row = 0; row < n; ++row) {
      if (row == i) continue;
      const double factor = a[row * n + i];
      for (size_t k = 0; k < n; ++k) a[row * n + k] -= factor * a[i * n + k], b[row * n + k] -= factor * b[i * n + k];
    }
  }
  return b;
}

float bf16(float value) { return rounded_to(DType::BF16, value); }

float nearest(double wanted, float scale) {
  double best = INFINITY;
  float chosen = 0;
  for (const int8_t level : kInt4Levels) {
    const double off = std::abs(wanted - static_cast<double>(static_cast<float>(level) * scale));
    if (off < best) chosen = bf16(static_cast<float>(level) * scale), best = off;
  }
  return chosen;
}

// The paper's algorithm in double, for the scales and the order of the real one: one input is rounded, and the others are moved by its
// error times the inverse of H, from which the input is then eliminated.
Values textbook(const Problem& problem, const Int4Weights& scales) {
  const auto n = static_cast<size_t>(problem.n), rows = static_cast<size_t>(Problem::kRows);
  const std::vector<int64_t>& order = problem.gptq.order();
  Values h(n * n);
  for (size_t row = 0; row < problem.x.size() / n; ++row) {
    const float* x = problem.x.data() + row * n;
    for (size_t i = 0; i < n; ++i) {
      for (size_t k = 0; k < n; ++k) h[i * n + k] += static_cast<double>(x[order[i]]) * static_cast<double>(x[order[k]]);
    }
  }
  for (size_t i = 0; i < n; ++i) h[i * n + i] *= 1.1;
  Values inverse = inverse_of(h, n), w(rows * n), q(rows * n);
  for (size_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < n; ++i) w[row * n + i] = static_cast<double>(bf16(problem.w[row * n + static_cast<size_t>(order[i])]));
  }
  for (size_t i = 0; i < n; ++i) {
    const auto input = static_cast<size_t>(order[i]);
    for (size_t row = 0; row < rows; ++row) {
      const Int4Rows from = scales.rows.from(static_cast<int64_t>(row));
      q[row * n + input] = static_cast<double>(nearest(w[row * n + i], load_f32(from.scales, from.type, input / kInt4Group)));
      const double error = (w[row * n + i] - q[row * n + input]) / inverse[i * n + i];
      for (size_t k = i + 1; k < n; ++k) w[row * n + k] -= error * inverse[i * n + k];
    }
    for (size_t a = i + 1; a < n; ++a) {
      const double factor = inverse[a * n + i] / inverse[i * n + i];
      for (size_t b = i + 1; b < n; ++b) inverse[a * n + b] -= factor * inverse[i * n + b];
    }
  }
  return q;
}

// Of the layer's results for these inputs, in the root mean square beside the results themselves.
double loss(const Problem& problem, const Int4Weights& weights, const std::vector<float>& inputs) {
  const auto n = static_cast<size_t>(problem.n);
  double lost = 0, all = 0;
  for (size_t x = 0; x < inputs.size(); x += n) {
    for (int64_t row = 0; row < Problem::kRows; ++row) {
      double exact = 0, got = 0;
      for (size_t i = 0; i < n; ++i) {
        const auto value = static_cast<double>(inputs[x + i]);
        exact += value * static_cast<double>(problem.w[static_cast<size_t>(row) * n + i]);
        got += value * static_cast<double>(int4_weight(weights.rows, row, static_cast<int64_t>(i)));
      }
      lost += (got - exact) * (got - exact);
      all += exact * exact;
    }
  }
  return std::sqrt(lost / all);
}

bool same_bytes(const Int4Weights& a, const Int4Weights& b) {
  const auto bytes = [](const Int4Weights& w) { return static_cast<size_t>(w.count * (w.rows.stride() + w.rows.groups() * 2)); };
  return bytes(a) == bytes(b) && std::memcmp(a.rows.values, b.rows.values, bytes(a)) == 0;
}

// More inputs than a block of the factor, and fewer; not a multiple of a group.
class GptqOf : public ::testing::TestWithParam<int64_t> {};
INSTANTIATE_TEST_SUITE_P(Inputs, GptqOf, ::testing::Values(40, 200, 300));

TEST_P(GptqOf, WeightsAreTheTextbooks) {
  Problem problem(GetParam());
  const Int4Weights got = problem.rounded();
  const Values want = textbook(problem, got);
  int64_t other = 0;  // where f32 and double fall on two sides of a middle, and what follows
  for (int64_t row = 0; row < Problem::kRows; ++row) {
    for (int64_t i = 0; i < problem.n; ++i) {
      other += static_cast<double>(int4_weight(got.rows, row, i)) != want[static_cast<size_t>(row * problem.n + i)];
    }
  }
  EXPECT_LE(other, Problem::kRows * problem.n / 50);
}

TEST_P(GptqOf, LosesLessForInputsThatItHasNotSeen) {
  Problem problem(GetParam());
  const std::vector<float> held = inputs_of(200, problem.n, 77);
  const double without = loss(problem, int4_weights(problem.weight(), DType::BF16, row_codec(), problem.pool), held);
  EXPECT_LT(loss(problem, problem.rounded(), held), 0.6 * without);
}

TEST_P(GptqOf, BitsAreTheSameWithAnyNumberOfThreads) {
  Problem one(GetParam(), 1), three(GetParam(), 3);
  EXPECT_TRUE(same_bytes(one.rounded(), three.rounded()));
}

TEST(Gptq, InputsThatAreAlwaysZeroAreRoundedByThemselves) {
  cpu::CpuBackend backend;
  ThreadPool pool(1);
  const std::vector<float> w = weights_of(Problem::kRows, 64);
  const HostTensor weight{w.data(), DType::F32, {Problem::kRows, 64}};
  const Gptq gptq(backend, pool, Gram(backend, 64), "a test");
  const Int4Weights alone = int4_weights(weight, DType::BF16, row_codec(), pool, gptq.importance().data());
  EXPECT_TRUE(same_bytes(gptq.weights(weight, DType::BF16, row_codec()), alone));
}

TEST(Gptq, InputsThatAreNoNumbersAreRefused) {
  cpu::CpuBackend backend;
  ThreadPool pool(1);
  std::vector<float> x(64, 1.0f);
  x[5] = INFINITY;
  Gram gram(backend, 64);
  gram.add({x.data(), DType::F32, 1, 64, 64});
  try {
    const Gptq gptq(backend, pool, std::move(gram), "decoder layer 3");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::NotFinite);
    EXPECT_EQ(std::string(error.what()).find("decoder layer 3: inputs that are not finite"), 0u) << error.what();
  }
}

}  // namespace
}  // namespace ivl
