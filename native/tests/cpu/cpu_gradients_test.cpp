// The operations of training: gradients against differences of the operation itself in double precision, sums and the optimizer against
// plain loops, and the same bits on any number of threads.
#include <functional>
#include <numeric>

#include "cpu/cpu_gradients.h"
#include "cpu/variant_test.h"

namespace ivl::cpu {
namespace {

using Values = std::vector<double>;
using Function = std::function<Values(const Values&)>;

class CpuGradientsTest : public VariantTest {};
INSTANTIATE_TEST_SUITE_P(Variants, CpuGradientsTest, ::testing::ValuesIn(kernel_variants()), variant_name);

constexpr double kSlopeTolerance = 1e-5;  // relative, of f32 against central differences in double

Values doubles(const Matrix& m) {
  Values values;
  for (int64_t r = 0; r < m.rows; ++r) {
    for (int64_t c = 0; c < m.cols; ++c) values.push_back(static_cast<double>(static_cast<const float*>(m.data)[r * m.stride + c]));
  }
  return values;
}

double along(const Values& a, const Values& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

// The gradient of d . f(x) for x.
Values slope(const Function& f, Values x, const Values& d) {
  constexpr double kStep = 1e-5;
  Values slopes;
  for (double& value : x) {
    const double before = value;
    value = before + kStep;
    const double above = along(d, f(x));
    value = before - kStep;
    slopes.push_back((above - along(d, f(x))) / (2 * kStep));
    value = before;
  }
  return slopes;
}

double distance(const Matrix& actual, const Values& expected) {
  const Values values = doubles(actual);
  double difference = 0, size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += (values.at(i) - expected[i]) * (values.at(i) - expected[i]);
    size += expected[i] * expected[i];
  }
  return std::sqrt(difference / size);
}

// ---- operations in double --------------------------------------------------------------------------------------------

double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }
double silu(double x) { return x / (1 + std::exp(-x)); }

Values activated(const Values& in, size_t cols, Activation activation) {
  Values out;
  const bool gated = activation == Activation::SwiGlu;
  const size_t width = gated ? 2 * cols : cols;
  for (size_t row = 0; row * width < in.size(); ++row) {
    const double* x = in.data() + row * width;
    for (size_t c = 0; c < cols; ++c) out.push_back(gated ? silu(x[c]) * x[cols + c] : gelu(x[c]));
  }
  return out;
}

Values normed(const Values& in, size_t cols, const Values& weight, const Values& bias, double eps, NormKind kind) {
  Values out;
  for (size_t at = 0; at < in.size(); at += cols) {
    double mean = 0, squares = 0;
    for (size_t c = 0; c < cols && kind == NormKind::LayerNorm; ++c) mean += in[at + c] / static_cast<double>(cols);
    for (size_t c = 0; c < cols; ++c) squares += (in[at + c] - mean) * (in[at + c] - mean) / static_cast<double>(cols);
    for (size_t c = 0; c < cols; ++c) {
      out.push_back((in[at + c] - mean) / std::sqrt(squares + eps) * weight[c] + (bias.empty() ? 0 : bias[c]));
    }
  }
  return out;
}

Values attended(const Values& qkv, std::span<const Sequence> sequences, const AttentionShape& shape) {
  const auto width = static_cast<size_t>(shape.columns()), dim = static_cast<size_t>(shape.head_dim);
  Values out(qkv.size() / width * static_cast<size_t>(shape.heads) * dim);
  for (const Sequence& sequence : sequences) {
    for (int64_t head = 0; head < shape.heads; ++head) {
      const int64_t kv = head / (shape.heads / shape.kv_heads);
      const auto at = [&](int64_t row, int64_t slot) {
        return qkv.data() + static_cast<size_t>(sequence.row + row) * width + static_cast<size_t>(slot) * dim;
      };
      for (int64_t row = 0; row < sequence.rows; ++row) {
        const int64_t seen = shape.causal ? row + 1 : sequence.rows;
        Values weights;
        double sum = 0;
        for (int64_t j = 0; j < seen; ++j) {
          double score = 0;
          for (size_t c = 0; c < dim; ++c) score += at(row, head)[c] * at(j, shape.heads + kv)[c];
          weights.push_back(std::exp(score / std::sqrt(static_cast<double>(dim))));
          sum += weights.back();
        }
        double* to = out.data() + (static_cast<size_t>((sequence.row + row) * shape.heads + head)) * dim;
        for (int64_t j = 0; j < seen; ++j) {
          for (size_t c = 0; c < dim; ++c)
            to[c] += weights[static_cast<size_t>(j)] / sum * at(j, shape.heads + shape.kv_heads + kv)[c];
        }
      }
    }
  }
  return out;
}

// ---- elementwise -----------------------------------------------------------------------------------------------------

TEST_P(CpuGradientsTest, Activations) {
  CpuBackend cpu = backend();
  Gradients& gradients = *cpu.gradients();
  for (const Activation activation : {Activation::Gelu, Activation::SwiGlu}) {
    for (const int64_t cols : {1, 17, 40}) {
      const int64_t width = activation == Activation::SwiGlu ? 2 * cols : cols;
      Operand in(5, width, 3, 2, 4), d(5, cols, 1, 3), out(5, cols, 2), d_in(5, width, 4);
      const Function f = [&](const Values& x) { return activated(x, static_cast<size_t>(cols), activation); };
      gradients.activate(out.matrix(), in.matrix(), activation);
      EXPECT_LT(distance(out.matrix(), f(doubles(in.matrix()))), kTolerance);
      gradients.activate_back(d_in.matrix(), in.matrix(), d.matrix(), activation);
      EXPECT_LT(distance(d_in.matrix(), slope(f, doubles(in.matrix()), doubles(d.matrix()))), kSlopeTolerance) << cols;
    }
  }
}

TEST_P(CpuGradientsTest, ActivationsInPlace) {
  CpuBackend cpu = backend();
  Operand in(4, 33, 0, 2, 4), d(4, 33, 0, 3), expected(4, 33);
  cpu.gradients()->activate_back(expected.matrix(), in.matrix(), d.matrix(), Activation::Gelu);
  cpu.gradients()->activate_back(d.matrix(), in.matrix(), d.matrix(), Activation::Gelu);
  EXPECT_TRUE(same_bits(d.matrix(), expected.matrix()));
}

// ---- norms -----------------------------------------------------------------------------------------------------------

TEST_P(CpuGradientsTest, Norms) {
  CpuBackend cpu = backend();
  constexpr int64_t kRows = 6, kCols = 27;
  for (const NormKind kind : {NormKind::RmsNorm, NormKind::LayerNorm}) {
    const HostValues weight({kCols}, DType::F32, 4), bias({kCols}, DType::F32, 5);
    NormWeights weights{kind, 1e-5f, cpu.vector(weight.tensor(), DType::F32), nullptr};
    if (kind == NormKind::LayerNorm) weights.bias = cpu.vector(bias.tensor(), DType::F32);
    const auto of = [&](const HostValues& values) {
      return doubles({const_cast<void*>(values.tensor().data), DType::F32, 1, kCols, kCols});
    };
    const Values w = of(weight), b = kind == NormKind::LayerNorm ? of(bias) : Values{};
    Operand in(kRows, kCols, 3, 2), d(kRows, kCols, 1, 3), d_in(kRows, kCols, 2, 6), d_weight(1, kCols, 0, 7),
        d_bias(1, kCols, 0, 8);
    const Values x = doubles(in.matrix()), dv = doubles(d.matrix());
    Values by_in = slope([&](const Values& v) { return normed(v, kCols, w, b, 1e-5, kind); }, x, dv);
    Values by_weight = slope([&](const Values& v) { return normed(x, kCols, v, b, 1e-5, kind); }, w, dv);
    const Values before = doubles(d_in.matrix()), weight_before = doubles(d_weight.matrix()),
                 bias_before = doubles(d_bias.matrix());
    for (size_t i = 0; i < by_in.size(); ++i) by_in[i] += before[i];
    for (size_t i = 0; i < by_weight.size(); ++i) by_weight[i] += weight_before[i];
    const Matrix to_weight = d_weight.matrix(), to_bias = d_bias.matrix();
    cpu.gradients()->norm_back(d_in.matrix(), d.matrix(), in.matrix(), weights, true, &to_weight, b.empty() ? nullptr : &to_bias);
    EXPECT_LT(distance(d_in.matrix(), by_in), kSlopeTolerance);
    EXPECT_LT(distance(to_weight, by_weight), kSlopeTolerance);
    if (b.empty()) continue;
    Values by_bias = slope([&](const Values& v) { return normed(x, kCols, w, v, 1e-5, kind); }, b, dv);
    for (size_t i = 0; i < by_bias.size(); ++i) by_bias[i] += bias_before[i];
    EXPECT_LT(distance(to_bias, by_bias), kSlopeTolerance);
  }
}

// ---- attention -------------------------------------------------------------------------------------------------------

TEST_P(CpuGradientsTest, Attention) {
  const Sequence sequences[] = {{0, 5}, {5, 1}, {6, 7}};
  for (const AttentionShape& shape :
       {AttentionShape{4, 2, 6, true}, AttentionShape{3, 3, 4, false}, AttentionShape{7, 1, 2, true}}) {
    CpuBackend cpu = backend();
    Operand qkv(13, shape.columns(), 3, 2, 2), d(13, shape.heads * shape.head_dim, 1, 3);
    Operand out(13, shape.heads * shape.head_dim, 2), log_sums(13, shape.heads), d_qkv(13, shape.columns(), 5);
    const Function f = [&](const Values& x) { return attended(x, sequences, shape); };
    cpu.gradients()->attend(out.matrix(), log_sums.matrix(), qkv.matrix(), sequences, shape);
    EXPECT_LT(distance(out.matrix(), f(doubles(qkv.matrix()))), kTolerance);
    cpu.gradients()->attend_back(d_qkv.matrix(), d.matrix(), out.matrix(), log_sums.matrix(), qkv.matrix(), sequences, shape);
    EXPECT_LT(distance(d_qkv.matrix(), slope(f, doubles(qkv.matrix()), doubles(d.matrix()))), kSlopeTolerance)
        << shape.heads << " heads";
  }
}

// Backwards is the transpose, and undoes it.
// Blocks of queries end within a sequence and with it. As many numbers have a slope along one direction at a time.
TEST_P(CpuGradientsTest, AttentionOfManyRows) {
  const Sequence sequences[] = {{0, 70}, {70, 1}, {71, 64}, {135, 130}};
  constexpr int64_t kRows = 265;
  for (const AttentionShape& shape : {AttentionShape{4, 2, 24, true}, AttentionShape{2, 2, 17, false}}) {
    CpuBackend cpu = backend();
    Operand qkv(kRows, shape.columns(), 3, 2, 2), d(kRows, shape.heads * shape.head_dim, 1, 3);
    Operand out(kRows, shape.heads * shape.head_dim, 2), log_sums(kRows, shape.heads), d_qkv(kRows, shape.columns(), 5);
    cpu.gradients()->attend(out.matrix(), log_sums.matrix(), qkv.matrix(), sequences, shape);
    EXPECT_LT(distance(out.matrix(), attended(doubles(qkv.matrix()), sequences, shape)), kTolerance);
    cpu.gradients()->attend_back(d_qkv.matrix(), d.matrix(), out.matrix(), log_sums.matrix(), qkv.matrix(), sequences, shape);
    // A row alone at a time, of the first, a middle and the last block.
    for (const int64_t row : {0, 63, 64, 69, 70, 71, 134, 135, 198, 199, 264}) {
      Values towards(static_cast<size_t>(kRows * shape.columns()));
      Operand direction(1, shape.columns(), 0, static_cast<uint32_t>(row + 5));
      double expected = 0;
      for (int64_t c = 0; c < shape.columns(); ++c) {
        towards[static_cast<size_t>(row * shape.columns() + c)] = static_cast<double>(direction.at(0, c));
        expected += static_cast<double>(direction.at(0, c)) * static_cast<double>(d_qkv.at(row, c));
      }
      const auto at = [&](double step) {
        Values x = doubles(qkv.matrix());
        for (size_t i = 0; i < x.size(); ++i) x[i] += step * towards[i];
        return along(doubles(d.matrix()), attended(x, sequences, shape));
      };
      const double found = (at(1e-5) - at(-1e-5)) / 2e-5;
      EXPECT_NEAR(expected, found, 1e-4 * std::max(1.0, std::abs(found))) << "row " << row << ", head_dim " << shape.head_dim;
    }
  }
}

TEST_P(CpuGradientsTest, Rotation) {
  CpuBackend cpu = backend();
  const Sequence sequences[] = {{0, 4}, {4, 3}};
  Operand rope(5, 8), rows(7, 3 * 8, 2, 3);
  for (int64_t position = 0; position < 5; ++position) {
    for (int64_t i = 0; i < 4; ++i) {
      rope.at(position, i) = std::cos(static_cast<float>(position * (i + 1)));
      rope.at(position, 4 + i) = std::sin(static_cast<float>(position * (i + 1)));
    }
  }
  const Values before = doubles(rows.matrix());
  cpu.gradients()->turn(rows.matrix(), sequences, 3, 8, rope.matrix(), false);
  EXPECT_GT(distance(rows.matrix(), before), 0.1);
  // Row 2 of the second sequence by two positions: (x, y) -> (x cos - y sin, y cos + x sin).
  const double c = std::cos(2.0), s = std::sin(2.0), x = before[6 * 24], y = before[6 * 24 + 4];
  EXPECT_NEAR(static_cast<double>(rows.at(6, 0)), x * c - y * s, 1e-6);
  EXPECT_NEAR(static_cast<double>(rows.at(6, 4)), y * c + x * s, 1e-6);
  cpu.gradients()->turn(rows.matrix(), sequences, 3, 8, rope.matrix(), true);
  EXPECT_LT(distance(rows.matrix(), before), 1e-6);
}

// ---- products --------------------------------------------------------------------------------------------------------

TEST_P(CpuGradientsTest, ProductsInputs) {
  CpuBackend cpu = backend();
  for (const auto& [format, type] : {std::pair(WeightFormat::Plain, DType::F32), std::pair(WeightFormat::Plain, DType::BF16),
                                     std::pair(WeightFormat::Plain, DType::F16), std::pair(WeightFormat::Int8, DType::BF16),
                                     std::pair(WeightFormat::Int4, DType::BF16)}) {
    constexpr int64_t kIn = 96, kFirst = 70, kSecond = 33, kOut = kFirst + kSecond;
    const HostValues first({kFirst, kIn}, type, 2, 0.2f), second({kSecond, kIn}, type, 3, 0.2f);
    const auto weights =
        cpu.linear({{first.tensor(), second.tensor()}, {}, format}, format == WeightFormat::Plain ? DType::F32 : type);
    // What the weights mean: the product of the unit matrix.
    Operand unit(kIn, kIn), meant(kIn, kOut);
    for (int64_t i = 0; i < kIn; ++i) {
      for (int64_t j = 0; j < kIn; ++j) unit.at(i, j) = i == j ? 1.0f : 0.0f;
    }
    cpu.matmul(meant.matrix(), {unit.matrix(), *weights}, {});
    for (const int64_t rows : {1, 6, 37}) {
      Operand d(rows, kOut, 3, 4), out(rows, kIn, 2, 5);
      for (const bool adds : {false, true}) {
        const Values before = doubles(out.matrix());
        Values expected;
        for (int64_t r = 0; r < rows; ++r) {
          for (int64_t c = 0; c < kIn; ++c) {
            double sum = adds ? before[static_cast<size_t>(r * kIn + c)] : 0;
            for (int64_t k = 0; k < kOut; ++k) sum += static_cast<double>(d.at(r, k)) * static_cast<double>(meant.at(c, k));
            expected.push_back(sum);
          }
        }
        cpu.gradients()->product_input(out.matrix(), d.matrix(), *weights, adds);
        // An int8 product rounds its input, the unit matrix exactly enough.
        EXPECT_LT(distance(out.matrix(), expected), format == WeightFormat::Int8 ? 1e-3 : kTolerance)
            << name_of(format) << ", " << rows << " rows";
      }
    }
  }
}

// Of a pair: neither is turned, in f32 alone.
TEST_P(CpuGradientsTest, NarrowProductsInputs) {
  CpuBackend cpu = backend();
  for (const auto& [in_features, out_features] : {std::pair<int64_t, int64_t>{100, 16}, {16, 100}, {7, 3}, {1, 70}}) {
    HostValues values({out_features, in_features}, DType::F32, 2);
    const auto weights = cpu.linear({{values.tensor()}, {}, WeightFormat::Plain}, DType::F32);
    const auto* numbers = static_cast<const float*>(values.tensor().data);
    for (const int64_t rows : {1, 6, 131}) {
      Operand d(rows, out_features, 3, 4), out(rows, in_features, 2, 5);
      for (const bool adds : {false, true}) {
        Values expected = doubles(out.matrix());
        for (int64_t r = 0; r < rows; ++r) {
          for (int64_t c = 0; c < in_features; ++c) {
            double& sum = expected[static_cast<size_t>(r * in_features + c)];
            if (!adds) sum = 0;
            for (int64_t k = 0; k < out_features; ++k)
              sum += static_cast<double>(d.at(r, k)) * static_cast<double>(numbers[k * in_features + c]);
          }
        }
        cpu.gradients()->product_input(out.matrix(), d.matrix(), *weights, adds);
        EXPECT_LT(distance(out.matrix(), expected), kTolerance) << rows << ", " << in_features;
      }
    }
  }
}

// Narrow ones, as of pairs, on either side, and wide ones.
TEST_P(CpuGradientsTest, ProductsWeights) {
  CpuBackend cpu = backend();
  for (const auto& [o_count, i_count] : {std::pair<int64_t, int64_t>{45, 77}, {77, 45}, {16, 130}, {130, 16}, {3, 5}, {90, 77}}) {
    for (const int64_t rows : {1, 5, 130}) {
      Operand d(rows, o_count, 3, 2), in(rows, i_count, 1, 3), out(o_count, i_count, 2, 4);
      Values expected = doubles(out.matrix());
      for (int64_t o = 0; o < o_count; ++o) {
        for (int64_t i = 0; i < i_count; ++i) {
          for (int64_t r = 0; r < rows; ++r)
            expected[static_cast<size_t>(o * i_count + i)] += static_cast<double>(d.at(r, o)) * static_cast<double>(in.at(r, i));
        }
      }
      cpu.gradients()->product_weight(out.matrix(), d.matrix(), in.matrix());
      EXPECT_LT(distance(out.matrix(), expected), kTolerance) << rows << ", " << o_count << " x " << i_count;
    }
  }
}

// ---- sums ------------------------------------------------------------------------------------------------------------

TEST_P(CpuGradientsTest, SumsOverRows) {
  CpuBackend cpu = backend();
  Operand d(9, 130, 2, 2), in(9, 130, 3, 3), sums(1, 130, 0, 4), products(1, 130, 0, 5), table(4, 130, 1, 6);
  const int32_t ids[] = {2, 0, -1, 2, 3, 2, -1, 0, 1};
  Values by_sum = doubles(sums.matrix()), by_product = doubles(products.matrix()), by_id = doubles(table.matrix());
  for (int64_t r = 0; r < 9; ++r) {
    for (int64_t c = 0; c < 130; ++c) {
      const auto value = static_cast<double>(d.at(r, c));
      by_sum[static_cast<size_t>(c)] += value;
      by_product[static_cast<size_t>(c)] += value * static_cast<double>(in.at(r, c));
      if (ids[r] >= 0) by_id[static_cast<size_t>(ids[r] * 130 + c)] += value;
    }
  }
  cpu.gradients()->sum_rows(sums.matrix(), d.matrix());
  cpu.gradients()->sum_products(products.matrix(), d.matrix(), in.matrix());
  cpu.gradients()->add_to_table(table.matrix(), ids, d.matrix());
  EXPECT_LT(distance(sums.matrix(), by_sum), kTolerance);
  EXPECT_LT(distance(products.matrix(), by_product), kTolerance);
  EXPECT_LT(distance(table.matrix(), by_id), kTolerance);
}

// <shuffle(x), d> = <x, shuffle_back(d)>, with class tokens apart.
TEST_P(CpuGradientsTest, PixelShuffle) {
  CpuBackend cpu = backend();
  for (const bool swaps : {false, true}) {
    Operand x(2 * 17, 6, 1, 2), shuffled(2 * 4, 24, 2), d(2 * 4, 24, 3, 3), back(2 * 17, 6, 1);
    cpu.pixel_shuffle(shuffled.matrix(), x.matrix(), 2, 4, 2, swaps);
    cpu.gradients()->pixel_shuffle_back(back.matrix(), d.matrix(), 2, 4, 2, swaps);
    EXPECT_NEAR(along(doubles(shuffled.matrix()), doubles(d.matrix())), along(doubles(x.matrix()), doubles(back.matrix())), 1e-6);
    for (const int64_t token : {0, 17}) {
      for (int64_t c = 0; c < 6; ++c) EXPECT_EQ(back.at(token, c), 0);
    }
  }
}

// ---- loss and optimizer ----------------------------------------------------------------------------------------------

TEST_P(CpuGradientsTest, CrossEntropy) {
  CpuBackend cpu = backend();
  constexpr int64_t kRows = 3, kVocabulary = 50;
  const int32_t labels[] = {7, 0, 49};
  Operand logits(kRows, kVocabulary, 2, 2, 9);
  const Function f = [&](const Values& x) {
    Values losses;
    for (size_t r = 0; r < kRows; ++r) {
      double sum = 0;
      for (size_t c = 0; c < kVocabulary; ++c) sum += std::exp(x[r * kVocabulary + c]);
      losses.push_back(std::log(sum) - x[r * kVocabulary + static_cast<size_t>(labels[r])]);
    }
    return losses;
  };
  const Values x = doubles(logits.matrix()), expected = f(x), d = slope(f, x, Values(kRows, 0.25));
  std::vector<float> losses(kRows);
  cpu.gradients()->cross_entropy(logits.matrix(), labels, 0.25f, losses);
  for (size_t r = 0; r < kRows; ++r) EXPECT_NEAR(static_cast<double>(losses[r]), expected[r], 1e-5);
  EXPECT_LT(distance(logits.matrix(), d), kSlopeTolerance);
}

// Loshchilov and Hutter's formulas in double, over three steps.
TEST_P(CpuGradientsTest, AdamW) {
  CpuBackend cpu = backend();
  Operand value(3, 21, 0, 2), first(3, 21), second(3, 21);
  cpu.gradients()->clear(first.matrix());
  cpu.gradients()->clear(second.matrix());
  Values p = doubles(value.matrix()), m(63), v(63);
  for (int64_t step = 1; step <= 3; ++step) {
    Operand gradient(3, 21, 0, 10 + static_cast<uint32_t>(step));
    const Values g = doubles(gradient.matrix());
    const double rate = 0.01 * static_cast<double>(step);
    for (size_t i = 0; i < p.size(); ++i) {
      const double clipped = 0.5 * g[i];
      m[i] = 0.9 * m[i] + 0.1 * clipped;
      v[i] = 0.999 * v[i] + 0.001 * clipped * clipped;
      const auto t = static_cast<double>(step);
      p[i] =
          p[i] * (1 - rate * 0.05) - rate * (m[i] / (1 - std::pow(0.9, t))) / (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
    }
    cpu.gradients()->adamw(value.matrix(), first.matrix(), second.matrix(), gradient.matrix(),
                           {.rate = rate, .decay = 0.05, .step = step, .gradient_factor = 0.5f});
  }
  EXPECT_LT(distance(value.matrix(), p), kTolerance);
  EXPECT_LT(distance(first.matrix(), m), kTolerance);
  EXPECT_LT(distance(second.matrix(), v), kTolerance);
}

TEST_P(CpuGradientsTest, SumOfSquares) {
  CpuBackend cpu = backend();
  Operand in(40, 33, 5, 2);
  const Values values = doubles(in.matrix());
  EXPECT_NEAR(cpu.gradients()->sum_of_squares(in.matrix()) / along(values, values), 1, 1e-12);
}

// ---- bits ------------------------------------------------------------------------------------------------------------

TEST_P(CpuGradientsTest, BitsDoNotDependOnThreads) {
  const Sequence sequences[] = {{0, 30}, {30, 141}};
  const AttentionShape shape{4, 2, 16, true};
  Operand qkv(171, shape.columns(), 0, 2), d(171, 64, 0, 3);
  std::vector<Operand> results;
  for (const int threads : {1, 2, 3}) {
    CpuBackend cpu = backend(threads);
    Operand out(171, 64), log_sums(171, 4), d_qkv(171, shape.columns()), by_weight(64, shape.columns(), 0, 4), sums(1, 64, 0, 5);
    Operand by_wide_weight(shape.columns(), shape.columns(), 0, 6);
    cpu.gradients()->attend(out.matrix(), log_sums.matrix(), qkv.matrix(), sequences, shape);
    cpu.gradients()->attend_back(d_qkv.matrix(), d.matrix(), out.matrix(), log_sums.matrix(), qkv.matrix(), sequences, shape);
    cpu.gradients()->product_weight(by_weight.matrix(), d.matrix(), d_qkv.matrix());
    cpu.gradients()->product_weight(by_wide_weight.matrix(), qkv.matrix(), d_qkv.matrix());
    cpu.gradients()->sum_rows(sums.matrix(), d.matrix());
    for (Operand* result : {&d_qkv, &by_weight, &by_wide_weight, &sums}) results.push_back(std::move(*result));
  }
  for (size_t i = 4; i < results.size(); ++i) EXPECT_TRUE(same_bits(results[i].matrix(), results[i % 4].matrix())) << i;
}

}  // namespace
}  // namespace ivl::cpu
