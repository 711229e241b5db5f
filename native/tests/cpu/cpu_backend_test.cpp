// Every operation of the CPU backend but products and attention, in every kernel variant that runs here, against the
// double-precision reference; and the backend's options.
#include "cpu/variant_test.h"

namespace ivl::cpu {
namespace {

class CpuOperations : public VariantTest {};
INSTANTIATE_TEST_SUITE_P(Variants, CpuOperations, ::testing::ValuesIn(kernel_variants()), variant_name);

TEST_P(CpuOperations, NormsMatchTheReference) {
  CpuBackend cpu = backend();
  for (const int64_t n : {1, 7, 16, 65, 256, 1000}) {
    for (const NormKind kind : {NormKind::RmsNorm, NormKind::LayerNorm}) {
      HostValues weight({n}, DType::BF16, 1), bias({n}, DType::BF16, 2);
      const auto make = [&](Backend& b) {
        NormWeights w{kind, 1e-5f, b.vector(weight.tensor(), DType::BF16), nullptr};
        if (kind == NormKind::LayerNorm) w.bias = b.vector(bias.tensor(), DType::BF16);
        return w;
      };
      Operand in(3, n, 9, 3), expected(3, n), actual(3, n, 2);
      reference_.norm(expected.matrix(), in.matrix(), make(reference_));
      cpu.norm(actual.matrix(), in.matrix(), make(cpu));
      EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), n == 1 ? 1e-4 : kTolerance) << n;
    }
  }
}

TEST_P(CpuOperations, ANormInPlaceTouchesItsColumnsOnly) {
  CpuBackend cpu = backend();
  HostValues weight({24}, DType::F32, 1);
  const NormWeights norm{NormKind::RmsNorm, 1e-6f, cpu.vector(weight.tensor(), DType::F32), nullptr};
  Operand qkv(4, 72), before(4, 72);
  const Matrix k = qkv.matrix().col_range(24, 24);
  cpu.norm(k, k, norm);
  EXPECT_TRUE(same_bits(qkv.matrix().col_range(0, 24), before.matrix().col_range(0, 24)));
  EXPECT_FALSE(same_bits(k, before.matrix().col_range(24, 24)));
  EXPECT_TRUE(same_bits(qkv.matrix().col_range(48, 24), before.matrix().col_range(48, 24)));
}

TEST_P(CpuOperations, GatherEmbedShuffleAndPositionsAreExact) {
  CpuBackend cpu = backend();
  for (const bool swap_back : {false, true}) {
    for (const int64_t factor : {1, 2, 3}) {
      const int64_t grid = 6;
      const int64_t side = grid / factor;
      Operand in(2 * (grid * grid + 1), 10), expected(2 * side * side, 10 * factor * factor),
          actual(2 * side * side, 10 * factor * factor, 0, 9);
      reference_.pixel_shuffle(expected.matrix(), in.matrix(), 2, grid, factor, swap_back);
      cpu.pixel_shuffle(actual.matrix(), in.matrix(), 2, grid, factor, swap_back);
      EXPECT_TRUE(same_bits(actual.matrix(), expected.matrix())) << factor << swap_back;
    }
  }
  HostValues table({9, 19}, DType::BF16, 1), class_embedding({19}, DType::F16, 2);
  Operand features(2, 19, 4, 3), expected(4, 19), actual(4, 19, 1, 9), patches(6, 19), positions(4, 19);
  const std::vector<int32_t> ids{8, 0, 0, 3};
  const Splice splice{1, features.matrix()};
  reference_.embed(expected.matrix(), *reference_.table(table.tensor(), DType::BF16), ids, {&splice, 1});
  cpu.embed(actual.matrix(), *cpu.table(table.tensor(), DType::BF16), ids, {&splice, 1});
  EXPECT_TRUE(same_bits(actual.matrix(), expected.matrix()));
  const std::vector<int32_t> rows{3, 3, 1};
  Operand picked(3, 19), expected_picked(3, 19);
  cpu.gather_rows(picked.matrix(), actual.matrix(), rows);
  reference_.gather_rows(expected_picked.matrix(), expected.matrix(), rows);
  EXPECT_TRUE(same_bits(picked.matrix(), expected_picked.matrix()));
  Operand embedded(8, 19), expected_embedded(8, 19);
  cpu.add_class_and_positions(embedded.matrix(), patches.matrix(), *cpu.vector(class_embedding.tensor(), DType::F16),
                              positions.matrix(), 2);
  reference_.add_class_and_positions(expected_embedded.matrix(), patches.matrix(),
                                     *reference_.vector(class_embedding.tensor(), DType::F16), positions.matrix(), 2);
  EXPECT_TRUE(same_bits(embedded.matrix(), expected_embedded.matrix()));
}

TEST_P(CpuOperations, PatchEmbeddingIsTheConvolution) {
  CpuBackend cpu = backend();
  const PatchGeometry geometry{2, 3, 28, 14};
  HostValues weight({10, 3 * 14 * 14}, DType::BF16, 1), bias({10}, DType::BF16, 2);
  const LinearSource source{{weight.tensor()}, {bias.tensor()}};
  Operand pixels(2, 3 * 28 * 28), expected(8, 10), actual(8, 10);
  reference_.patch_embed(expected.matrix(), pixels.matrix(), *reference_.linear(source, DType::BF16), geometry);
  cpu.patch_embed(actual.matrix(), pixels.matrix(), *cpu.linear(source, DType::BF16), geometry);
  EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance);
}

TEST_P(CpuOperations, NoRowsAreNoWork) {
  CpuBackend cpu = backend();
  HostValues weight({4, 8}, DType::F32, 1);
  Matrix nothing{nullptr, DType::F32, 0, 8, 8};
  cpu.matmul(Matrix{nullptr, DType::F32, 0, 4, 4}, {nothing, *cpu.linear({{weight.tensor()}, {}}, DType::F32)}, {});
  cpu.gather_rows(nothing, nothing, {});
}

TEST_P(CpuOperations, RowsOfScratchMatricesDoNotShareTheirPlacesInTheCache) {
  const CpuBackend cpu = backend();
  for (const int64_t cols : {1, 100, 1024, 2048, 5888, 7168, 20480}) {
    const int64_t stride = cpu.row_stride(cols, DType::F32);
    EXPECT_GE(stride, cols);
    EXPECT_LE(stride, cols + 16);
    EXPECT_NE(stride * 4 % 1024, 0) << cols;
  }
}

TEST_P(CpuOperations, FunctionsOfOneVariableAreAccurate) {
  std::vector<float> x;
  for (float v = -110; v < 100; v += 0.0137f) x.push_back(v);
  for (float v = 1e-38f; v < 1; v *= 1.7f) {
    x.push_back(v);
    x.push_back(-v);
  }
  std::vector<float> y(x.size());
  const auto worst = [&](MathFunction function, auto exact, bool relative) {
    GetParam()->evaluate(function, y.data(), x.data(), static_cast<int64_t>(x.size()));
    double largest = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = exact(static_cast<double>(x[i]));
      if (std::abs(expected) > 3e38 || (relative && std::abs(expected) < 1e-30)) continue;
      const double error = std::abs(y[i] - expected);
      largest = std::max(largest, relative ? error / std::abs(expected) : error);
    }
    return largest;
  };
  EXPECT_LT(worst(
                MathFunction::Exp, [](double v) { return std::exp(v); }, true),
            3e-7);
  EXPECT_LT(worst(
                MathFunction::Erf, [](double v) { return std::erf(v); }, false),
            2e-7);
  EXPECT_LT(worst(
                MathFunction::Silu, [](double v) { return v / (1 + std::exp(-v)); }, true),
            5e-7);
  const auto gelu = [](double v) { return 0.5 * v * std::erfc(-v / std::sqrt(2.0)); };
  EXPECT_LT(worst(
                MathFunction::Gelu, [&](double v) { return std::abs(v) > 8 ? std::max(0.0, v) : gelu(v); }, false),
            4e-6);

  const std::vector<float> edges{std::nanf(""), INFINITY, -INFINITY, 0.0f};
  std::vector<float> out(edges.size());
  GetParam()->evaluate(MathFunction::Exp, out.data(), edges.data(), 4);
  EXPECT_TRUE(std::isnan(out[0]));
  EXPECT_EQ(out[1], INFINITY);
  EXPECT_EQ(out[2], 0.0f);
  EXPECT_EQ(out[3], 1.0f);
  GetParam()->evaluate(MathFunction::Silu, out.data(), edges.data(), 4);
  EXPECT_TRUE(std::isnan(out[0]));
}

TEST_P(CpuOperations, NarrowingRoundsToNearestEven) {
  std::vector<float> x;
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    const uint32_t bits = static_cast<uint32_t>(random());
    float value;
    std::memcpy(&value, &bits, sizeof value);
    x.push_back(value);
  }
  for (const DType type : {DType::BF16, DType::F16}) {
    std::vector<uint16_t> narrow(x.size());
    GetParam()->narrow(narrow.data(), type, x.data(), static_cast<int64_t>(x.size()));
    std::vector<float> wide(x.size());
    GetParam()->widen(wide.data(), narrow.data(), type, static_cast<int64_t>(x.size()));
    for (size_t i = 0; i < x.size(); ++i) {
      const uint16_t expected = type == DType::BF16 ? f32_to_bf16(x[i]) : f32_to_f16(x[i]);
      if (std::isnan(x[i])) {
        EXPECT_TRUE(std::isnan(wide[i]));
      } else {
        ASSERT_EQ(narrow[i], expected) << x[i] << " " << name_of(type);
        ASSERT_EQ(wide[i], load_f32(narrow.data(), type, i));
      }
    }
  }
}

TEST(FusedVariants, GiveTheSameNorms) {
  const std::vector<const KernelTable*> fused = fused_variants();
  if (fused.size() < 2) GTEST_SKIP() << "this processor runs one variant with fused multiply-add";
  HostValues weight({1300}, DType::BF16, 2);
  Operand in(11, 1300, 0, 3, 3);
  std::vector<Operand> normed;
  for (const KernelTable* table : fused) {
    CpuBackend cpu({.threads = 1, .kernels = table});
    normed.emplace_back(11, 1300);
    cpu.norm(normed.back().matrix(), in.matrix(), {NormKind::RmsNorm, 1e-6f, cpu.vector(weight.tensor(), DType::BF16), nullptr});
    EXPECT_TRUE(same_bits(normed.back().matrix(), normed.front().matrix())) << table->name;
  }
}

// ---- options ------------------------------------------------------------------------------------------------------------

TEST(CpuBackend, RefusesThreadCountsOutOfRange) {
  EXPECT_THROW(CpuBackend({.threads = -1}), Error);
  EXPECT_THROW(CpuBackend({.threads = 5000}), Error);
  EXPECT_EQ(CpuBackend({.threads = 3}).threads(), 3);
  EXPECT_GE(CpuBackend().threads(), 1);
}

TEST(CpuBackend, AnInstructionSetMustBeKnownAndPresent) {
  setenv("INTERNVL4J_CPU_ISA", "plain", 1);
  EXPECT_EQ(chosen_isa(), Isa::Plain);
  setenv("INTERNVL4J_CPU_ISA", "sse9", 1);
  EXPECT_THROW(CpuBackend{}, Error);
  if (!is_supported(Isa::Avx512)) {
    setenv("INTERNVL4J_CPU_ISA", "avx512", 1);
    EXPECT_THROW(CpuBackend{}, Error);
  }
  unsetenv("INTERNVL4J_CPU_ISA");
  EXPECT_EQ(chosen_isa(), best_isa());
}

TEST(CpuBackend, ImpossibleAllocationsAreErrors) {
  CpuBackend cpu;
  EXPECT_THROW(cpu.allocate(size_t{1} << 60), Error);
  EXPECT_EQ(cpu.allocate(0).bytes(), 0u);
}

}  // namespace
}  // namespace ivl::cpu
