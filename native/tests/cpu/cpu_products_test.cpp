// Products of the CPU backend, in every kernel variant that runs here, against the double-precision reference; and the promise
// of backend.h that a row's bits depend on nothing but that row.
#include <sys/mman.h>
#include <unistd.h>

#include "backend/int8_weights.h"
#include "cpu/variant_test.h"

namespace ivl::cpu {
namespace {

class CpuProducts : public VariantTest {};
INSTANTIATE_TEST_SUITE_P(Variants, CpuProducts, ::testing::ValuesIn(kernel_variants()), variant_name);

struct Product {
  int64_t m, n, k;
};

const Product kProducts[] = {{1, 1, 1},      {1, 5, 7},      {1, 130, 1100}, {2, 9, 16},    {3, 3, 31},
                             {4, 49, 513},   {5, 97, 2050},  {8, 64, 1024},  {67, 50, 515}, {100, 96, 64},
                             {130, 7, 1537}, {200, 101, 40}, {20, 9, 6200},  {541, 150, 70}};

TEST_P(CpuProducts, ProductsMatchTheReferenceInEveryWeightType) {
  CpuBackend cpu = backend();
  for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
    for (const Product& p : kProducts) {
      HostValues weight({p.n, p.k}, type, 2);
      HostValues bias({p.n}, type, 3);
      const LinearSource source{{weight.tensor()}, {bias.tensor()}};
      Operand in(p.m, p.k, 3, 4);
      Operand expected(p.m, p.n);
      Operand actual(p.m, p.n, 5);
      reference_.matmul(expected.matrix(), {in.matrix(), *reference_.linear(source, type)}, {});
      cpu.matmul(actual.matrix(), {in.matrix(), *cpu.linear(source, type)}, {});
      EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance)
          << p.m << "x" << p.n << "x" << p.k << " " << name_of(type);
    }
  }
}

TEST_P(CpuProducts, ProductsOfRoundedActivationsMatchTheReference) {
  CpuBackend cpu = rounding();
  for (const Product& p : kProducts) {
    HostValues weight({p.n, p.k}, DType::BF16, 2), bias({p.n}, DType::BF16, 3);
    const LinearSource source{{weight.tensor()}, {bias.tensor()}};
    Operand in(p.m, p.k, 3, 4), rounded = in_bf16(in), expected(p.m, p.n), actual(p.m, p.n, 5);
    reference_.matmul(expected.matrix(), {rounded.matrix(), *reference_.linear(source, DType::BF16)}, {});
    cpu.matmul(actual.matrix(), {in.matrix(), *cpu.linear(source, DType::BF16)}, {});
    EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance) << p.m << "x" << p.n << "x" << p.k;
  }
}

TEST_P(CpuProducts, OnlyWhatIsMultipliedWithBf16IsRounded) {
  CpuBackend exact = backend(), cpu = rounding();
  for (const auto& [type, format] : std::vector<std::pair<DType, WeightFormat>>{
           {DType::F32, WeightFormat::Plain}, {DType::F16, WeightFormat::Plain}, {DType::BF16, WeightFormat::Int8}}) {
    HostValues weight({33, 100}, type, 2);
    const LinearSource source{{weight.tensor()}, {}, format};
    Operand in(5, 100), expected(5, 33), actual(5, 33);
    exact.matmul(expected.matrix(), {in.matrix(), *exact.linear(source, type)}, {});
    cpu.matmul(actual.matrix(), {in.matrix(), *cpu.linear(source, type)}, {});
    EXPECT_TRUE(same_bits(actual.matrix(), expected.matrix())) << name_of(type);
  }
}

// Activations with outliers in different columns of each row, and one row with more than are kept apart.
Operand with_outliers(int64_t rows, int64_t cols, uint32_t seed) {
  Operand in(rows, cols, 3, seed);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < row % 4; ++i) in.at(row, (row * 31 + i * 57) % cols) = i % 2 == 0 ? 40.0f : -7.5f;
  }
  for (int64_t col = 0; rows > 2 && col < cols; ++col) in.at(2, col) *= 9;
  return in;
}

TEST_P(CpuProducts, ProductsInInt8MatchTheReference) {
  CpuBackend cpu = backend();
  for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
    for (const Product& p : kProducts) {
      HostValues weight({p.n, p.k}, type, 2), bias({p.n}, type, 3);
      const LinearSource source{{weight.tensor()}, {bias.tensor()}, WeightFormat::Int8};
      Operand in = with_outliers(p.m, p.k, 4);
      Operand expected(p.m, p.n), actual(p.m, p.n, 5);
      reference_.matmul(expected.matrix(), {in.matrix(), *reference_.linear(source, DType::BF16)}, {});
      cpu.matmul(actual.matrix(), {in.matrix(), *cpu.linear(source, DType::BF16)}, {});
      EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance)
          << p.m << "x" << p.n << "x" << p.k << " " << name_of(type);
    }
  }
}

TEST_P(CpuProducts, ARowOfAnInt8ProductHasTheSameBitsInAnyCompany) {
  CpuBackend one = backend(1);
  for (const int64_t k : {40, 515, 9000}) {
    HostValues gate({101, k}, DType::BF16, 2), up({101, k}, DType::BF16, 3);
    const auto weights = one.linear({{gate.tensor(), up.tensor()}, {}, WeightFormat::Int8}, DType::BF16);
    const Epilogue swiglu{Activation::SwiGlu, nullptr, nullptr};
    Operand in = with_outliers(203, k, 5);
    Operand alone(203, 101);
    for (int64_t row = 0; row < 203; ++row) {
      one.matmul(alone.matrix().row_range(row, 1), {in.matrix().row_range(row, 1), *weights}, swiglu);
    }
    for (const int threads : {1, 3}) {
      CpuBackend many = backend(threads);
      for (const int64_t rows : {2, 5, 67, 203}) {
        Operand together(rows, 101);
        many.matmul(together.matrix(), {in.matrix().row_range(0, rows), *weights}, swiglu);
        EXPECT_TRUE(same_bits(together.matrix(), alone.matrix().row_range(0, rows))) << rows << " rows, k " << k;
      }
    }
  }
}

TEST_P(CpuProducts, ExtremeInt8ProductsAreExactAndFinite) {
  CpuBackend cpu = backend();
  // Every product as large as it can be: the sum in int32 must hold kInt8MostInputs of them.
  HostValues weight({3, kInt8MostInputs}, DType::F32, 1, 0);
  const auto constant = [&](float value) {
    std::vector<float> values(static_cast<size_t>(3 * kInt8MostInputs), value);
    return values;
  };
  for (const float sign : {1.0f, -1.0f}) {
    const std::vector<float> ones = constant(sign);
    const HostTensor tensor{ones.data(), DType::F32, {3, kInt8MostInputs}};
    Operand in(1, kInt8MostInputs), out(1, 3);
    for (float& x : in.values()) x = 5.0f;
    cpu.matmul(out.matrix(), {in.matrix(), *cpu.linear({{tensor}, {}, WeightFormat::Int8}, DType::F32)}, {});
    for (const float y : out.values()) EXPECT_NEAR(y, sign * 5.0f * static_cast<float>(kInt8MostInputs), 0.1f);
    for (float& x : in.values()) x = 0;
    cpu.matmul(out.matrix(), {in.matrix(), *cpu.linear({{tensor}, {}, WeightFormat::Int8}, DType::F32)}, {});
    for (const float y : out.values()) EXPECT_EQ(y, 0.0f);
  }
  const HostTensor wide{nullptr, DType::F32, {1, kInt8MostInputs + 1}};
  EXPECT_THROW(cpu.linear({{wide}, {}, WeightFormat::Int8}, DType::F32), Error);
  // A weight of zeros has scale zero.
  Operand in(1, kInt8MostInputs), out(1, 3);
  cpu.matmul(out.matrix(), {in.matrix(), *cpu.linear({{weight.tensor()}, {}, WeightFormat::Int8}, DType::F32)}, {});
  for (const float y : out.values()) EXPECT_EQ(y, 0.0f);
}

TEST_P(CpuProducts, NaNReachesItsRowOfAnInt8ProductAndNoOther) {
  CpuBackend cpu = backend();
  HostValues weight({20, 600}, DType::BF16, 1);
  for (const int64_t rows : {9, 30}) {
    Operand in(rows, 600), out(rows, 20);
    in.at(4, 599) = std::nanf("");
    cpu.matmul(out.matrix(), {in.matrix(), *cpu.linear({{weight.tensor()}, {}, WeightFormat::Int8}, DType::BF16)}, {});
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t col = 0; col < 20; ++col) EXPECT_EQ(std::isnan(out.at(row, col)), row == 4);
    }
  }
}

// Behind as many outliers as the list takes, the scale carries it on.
TEST_P(CpuProducts, NaNAndInfinityBehindManyOutliersReachTheirRowOfAnInt8Product) {
  CpuBackend cpu = backend();
  HostValues weight({20, 600}, DType::BF16, 1);
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
    for (const int64_t at : {300, 350, 599}) {
      Operand in(9, 600), out(9, 20);
      for (int64_t i = 0; i < 200; ++i) in.at(4, i) = 8;
      in.at(4, at) = bad;
      cpu.matmul(out.matrix(), {in.matrix(), *cpu.linear({{weight.tensor()}, {}, WeightFormat::Int8}, DType::BF16)}, {});
      for (int64_t row = 0; row < 9; ++row) {
        for (int64_t col = 0; col < 20; ++col) EXPECT_EQ(std::isfinite(out.at(row, col)), row != 4) << bad << " at " << at;
      }
    }
  }
}

TEST_P(CpuProducts, WeightsThatAreNoNumbersAreNotQuantized) {
  const KernelTable& kernels = *GetParam();
  for (const int64_t k : {1, 16, 100, 640}) {
    for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
      for (const int64_t at : {int64_t{0}, k / 2, k - 1}) {
        std::vector<float> row(static_cast<size_t>(k), 0.5f);
        row[static_cast<size_t>(at)] = bad;
        std::vector<int8_t> bytes(static_cast<size_t>(int8_stride(k)));
        float scale = 0;
        int32_t sum = 0;
        kernels.int8_quantize_weights(bytes.data(), &scale, &sum, row.data(), k, int8_stride(k));
        EXPECT_TRUE(std::isnan(scale)) << bad << " at " << at << " of " << k;
      }
    }
  }
}

TEST_P(CpuProducts, WeightsThatAreInt8AlreadyGiveTheSameBits) {
  CpuBackend cpu = backend();
  ThreadPool pool(1);
  for (const int64_t k : {64, 100}) {
    HostValues weight({7, k}, DType::BF16, 1);
    const Int8Weights made = int8_weights(weight.tensor(), DType::BF16, codec_of(*GetParam()), pool);
    std::vector<int8_t> dense;
    for (int64_t row = 0; row < 7; ++row) {
      dense.insert(dense.end(), made.values + row * made.stride, made.values + row * made.stride + k);
    }
    const HostTensor stored{dense.data(), DType::BF16, {7, k}, {WeightFormat::Int8, made.scales, made.sums}};
    Operand in(3, k), expected(3, 7), actual(3, 7);
    cpu.matmul(expected.matrix(), {in.matrix(), *cpu.linear({{weight.tensor()}, {}, WeightFormat::Int8}, DType::BF16)}, {});
    cpu.matmul(actual.matrix(), {in.matrix(), *cpu.linear({{stored}, {}, WeightFormat::Int8}, DType::BF16)}, {});
    EXPECT_TRUE(same_bits(actual.matrix(), expected.matrix()));
  }
}

TEST_P(CpuProducts, EpiloguesMatchTheReference) {
  CpuBackend cpu = backend();
  for (const int64_t n : {1, 8, 47, 96, 150}) {
    const int64_t m = 5;
    const int64_t k = 40;
    HostValues gate({n, k}, DType::BF16, 1), up({n, k}, DType::BF16, 2), gate_bias({n}, DType::BF16, 3),
        up_bias({n}, DType::BF16, 4), scale({n}, DType::F32, 5);
    const LinearSource one{{gate.tensor()}, {gate_bias.tensor()}};
    const LinearSource two{{gate.tensor(), up.tensor()}, {gate_bias.tensor(), up_bias.tensor()}};
    const auto cpu_scale = cpu.vector(scale.tensor(), DType::F32);
    const auto reference_scale = reference_.vector(scale.tensor(), DType::F32);
    for (const Activation activation : {Activation::None, Activation::Gelu, Activation::SwiGlu}) {
      const LinearSource& source = activation == Activation::SwiGlu ? two : one;
      Operand in(m, k, 0, 6);
      Operand expected(m, n, 0, 7);
      Operand actual(m, n, 0, 7);  // also the residual, in place
      const Matrix expected_matrix = expected.matrix();
      const Matrix actual_matrix = actual.matrix();
      reference_.matmul(expected_matrix, {in.matrix(), *reference_.linear(source, DType::BF16)},
                        {activation, reference_scale.get(), &expected_matrix});
      cpu.matmul(actual_matrix, {in.matrix(), *cpu.linear(source, DType::BF16)}, {activation, cpu_scale.get(), &actual_matrix});
      EXPECT_LT(relative_error(actual_matrix, expected_matrix), kTolerance) << n << " " << static_cast<int>(activation);
    }
  }
}

TEST_P(CpuProducts, StackedWeightsOfUnequalSizesMatchTheReference) {
  CpuBackend cpu = backend();
  HostValues q({70, 33}, DType::F16, 1), k({10, 33}, DType::F16, 2), v({10, 33}, DType::F16, 3);
  const LinearSource source{{q.tensor(), k.tensor(), v.tensor()}, {}};
  Operand in(6, 33), expected(6, 90), actual(6, 90);
  reference_.matmul(expected.matrix(), {in.matrix(), *reference_.linear(source, DType::F16)}, {});
  cpu.matmul(actual.matrix(), {in.matrix(), *cpu.linear(source, DType::F16)}, {});
  EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance);
}

TEST_P(CpuProducts, WeightsAreConvertedWhenAnotherTypeIsWanted) {
  CpuBackend cpu = backend();
  for (const DType stored : {DType::F32, DType::BF16, DType::F16}) {
    for (const DType wanted : {DType::F32, DType::BF16, DType::F16}) {
      HostValues weight({20, 100}, stored, 1);
      const LinearSource source{{weight.tensor()}, {}};
      Operand in(3, 100), expected(3, 20), actual(3, 20);
      reference_.matmul(expected.matrix(), {in.matrix(), *reference_.linear(source, wanted)}, {});
      cpu.matmul(actual.matrix(), {in.matrix(), *cpu.linear(source, wanted)}, {});
      EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance) << name_of(stored) << name_of(wanted);
    }
  }
}

void expect_the_same_bits_in_any_company(const KernelTable* kernels, DType type, bool rounds, int64_t k) {
  const auto backend = [&](int threads) {
    return CpuBackend({.threads = threads, .bf16_activations = rounds, .kernels = kernels});
  };
  CpuBackend one = backend(1);
  HostValues weight({101, k}, type, 2);
  const auto weights = one.linear({{weight.tensor()}, {}}, type);
  Operand in(203, k), alone(203, 101);
  for (int64_t row = 0; row < 203; ++row) {
    one.matmul(alone.matrix().row_range(row, 1), {in.matrix().row_range(row, 1), *weights}, {});
  }
  for (const int threads : {1, 2, 3}) {
    CpuBackend many = backend(threads);
    for (const int64_t rows : {2, 3, 8, 67, 203}) {
      Operand together(rows, 101);
      many.matmul(together.matrix(), {in.matrix().row_range(0, rows), *weights}, {});
      EXPECT_TRUE(same_bits(together.matrix(), alone.matrix().row_range(0, rows)))
          << rows << " rows, " << threads << " threads, k " << k << " " << name_of(type) << (rounds ? " rounded" : "");
    }
  }
}

// Of more than one task, in rows and in columns.
TEST_P(CpuProducts, AllTasksGiveTheBitsOfOneRow) {
  CpuBackend cpu = backend();
  HostValues weight({300, 100}, DType::BF16, 2);
  for (const WeightFormat format : {WeightFormat::Plain, WeightFormat::Int8, WeightFormat::Int4}) {
    const auto weights = cpu.linear({{weight.tensor()}, {}, format}, DType::BF16);
    Operand in(kMostTaskRows + 13, 100), alone(kMostTaskRows + 13, 300), together(kMostTaskRows + 13, 300);
    cpu.matmul(together.matrix(), {in.matrix(), *weights}, {});
    for (int64_t row = 0; row < kMostTaskRows + 13; ++row) {
      cpu.matmul(alone.matrix().row_range(row, 1), {in.matrix().row_range(row, 1), *weights}, {});
    }
    EXPECT_TRUE(same_bits(together.matrix(), alone.matrix())) << name_of(format);
  }
}

TEST_P(CpuProducts, ARowOfAProductHasTheSameBitsInAnyCompany) {
  for (const int64_t k : {40, 515, 2100}) {
    for (const DType type : {DType::F32, DType::BF16, DType::F16}) expect_the_same_bits_in_any_company(GetParam(), type, false, k);
  }
  for (const int64_t k : {40, 515, 2100, 3100}) expect_the_same_bits_in_any_company(GetParam(), DType::BF16, true, k);
}

TEST_P(CpuProducts, NaNReachesItsRowAndNoOther) {
  HostValues weight({20, 600}, DType::BF16, 1);
  for (const bool rounds : {false, true}) {
    CpuBackend cpu({.threads = 2, .bf16_activations = rounds, .kernels = GetParam()});
    for (const int64_t rows : {9, 30}) {
      Operand in(rows, 600), out(rows, 20);
      in.at(4, 599) = std::nanf("");
      cpu.matmul(out.matrix(), {in.matrix(), *cpu.linear({{weight.tensor()}, {}}, DType::BF16)},
                 {Activation::Gelu, nullptr, nullptr});
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t col = 0; col < 20; ++col) EXPECT_EQ(std::isnan(out.at(row, col)), row == 4);
      }
    }
  }
}

// The last step of a row that is rounded or packed is filled up: with zeros, whatever lay there.
TEST_P(CpuProducts, NothingOfALongerRowReachesAShorterOne) {
  HostValues wide({3, 64}, DType::BF16, 1), narrow({3, 33}, DType::BF16, 1);
  for (const bool rounds : {false, true}) {
    CpuBackend cpu({.threads = 2, .bf16_activations = rounds, .kernels = GetParam()});
    for (const int64_t rows : {5, 20}) {
      Operand nans(rows, 64), in(rows, 33), out(rows, 3);
      for (float& x : nans.values()) x = std::nanf("");
      cpu.matmul(out.matrix(), {nans.matrix(), *cpu.linear({{wide.tensor()}, {}}, DType::BF16)}, {});
      cpu.matmul(out.matrix(), {in.matrix(), *cpu.linear({{narrow.tensor()}, {}}, DType::BF16)}, {});
      for (const float y : out.values()) EXPECT_TRUE(std::isfinite(y));
    }
  }
}

TEST_P(CpuProducts, NothingBehindAWeightIsRead) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  auto* pages = static_cast<char*>(mmap(nullptr, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mprotect(pages + 7 * page, page, PROT_NONE), 0);  // as the end of a mapped file may be
  CpuBackend cpu = backend(), rounds = rounding();
  for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
    for (const int64_t k : {1, 13, 31, 100}) {
      const int64_t n = 7;
      const size_t bytes = static_cast<size_t>(n * k) * size_of(type);
      const HostTensor weight{pages + 7 * page - bytes, type, {n, k}};
      for (const int64_t rows : {1, 2, 5, 20}) {
        Operand in(rows, k), out(rows, n);
        cpu.matmul(out.matrix(), {in.matrix(), *cpu.linear({{weight}, {}}, type)}, {});
        EXPECT_EQ(out.at(0, 0), 0.0f);
        if (type == DType::BF16) rounds.matmul(out.matrix(), {in.matrix(), *rounds.linear({{weight}, {}}, type)}, {});
      }
      Operand row(1, k);
      const std::vector<int32_t> last{static_cast<int32_t>(n - 1)};
      cpu.embed(row.matrix(), *cpu.table(weight, type), last, {});
    }
  }
  munmap(pages, 8 * page);
}

TEST(FusedVariants, GiveTheSameProducts) {
  const std::vector<const KernelTable*> fused = fused_variants();
  if (fused.size() < 2) GTEST_SKIP() << "this processor runs one variant with fused multiply-add";
  HostValues weight({75, 3300}, DType::BF16, 1);
  const LinearSource floats{{weight.tensor()}, {}}, bytes{{weight.tensor()}, {}, WeightFormat::Int8};
  for (const int64_t rows : {11, 40}) {
    Operand in(rows, 3300, 0, 3, 3);
    const auto product = [&](const KernelTable* table, bool rounds, const LinearSource& source) {
      CpuBackend cpu({.threads = 1, .bf16_activations = rounds, .kernels = table});
      Operand out(rows, 75);
      cpu.matmul(out.matrix(), {in.matrix(), *cpu.linear(source, DType::BF16)}, {Activation::Gelu, nullptr, nullptr});
      return out;
    };
    for (const auto& [rounds, source] : {std::pair{false, floats}, std::pair{true, floats}, std::pair{false, bytes}}) {
      Operand first = product(fused.front(), rounds, source);
      for (const KernelTable* table : fused) {
        Operand other = product(table, rounds, source);
        EXPECT_TRUE(same_bits(other.matrix(), first.matrix())) << table->name << ", " << rows << (rounds ? " rounded" : "");
      }
    }
  }
}

}  // namespace
}  // namespace ivl::cpu
