// Experts of the CPU backend, in every variant of its kernels, against the reference; and the promise that a row's bits are its own.
#include <algorithm>
#include <limits>
#include <numeric>

#include "cpu/variant_test.h"

namespace ivl::cpu {
namespace {

// A layer of experts and its router as a checkpoint would hold them.
class Layer {
 public:
  Layer(int64_t count, int64_t in, int64_t width, DType type) : count_(count), in_(in) {
    const float spread = 2 / std::sqrt(static_cast<float>(in));
    router_.emplace_back(std::vector<int64_t>{count, in}, type, 99, spread);
    for (int64_t e = 0; e < count; ++e) {
      const auto seed = static_cast<uint32_t>(3 * e + 100);
      gate_.emplace_back(std::vector<int64_t>{width, in}, type, seed, spread);
      up_.emplace_back(std::vector<int64_t>{width, in}, type, seed + 1, spread);
      down_.emplace_back(std::vector<int64_t>{in, width}, type, seed + 2, spread);
    }
  }
  int64_t count() const { return count_; }
  int64_t in() const { return in_; }

  std::unique_ptr<LinearWeights> router(Backend& backend, DType as) const {
    return backend.linear({{router_[0].tensor()}, {}}, as);
  }
  std::unique_ptr<ExpertWeights> experts(Backend& backend, DType as, WeightFormat format = WeightFormat::Plain) const {
    return backend.experts(
        count_,
        [&](int64_t expert) {
          const auto e = static_cast<size_t>(expert);
          return ExpertSource{{{gate_[e].tensor(), up_[e].tensor()}, {}, format}, {{down_[e].tensor()}, {}, format}};
        },
        as);
  }

 private:
  int64_t count_, in_;
  std::vector<HostValues> router_, gate_, up_, down_;
};

// k experts of a row, not the same for all rows.
Operand some_routes(int64_t rows, int64_t k, int64_t count) {
  Operand routes(rows, 2 * k, 0, 7);
  std::mt19937 random(11);
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), int64_t{0});
  for (int64_t row = 0; row < rows; ++row) {
    std::shuffle(all.begin(), all.end(), random);
    std::sort(all.begin(), all.begin() + k);
    for (int64_t i = 0; i < k; ++i) routes.at(row, i) = static_cast<float>(all[static_cast<size_t>(i)]);
  }
  return routes;
}

class CpuExpertsTest : public VariantTest {};
INSTANTIATE_TEST_SUITE_P(Variants, CpuExpertsTest, ::testing::ValuesIn(kernel_variants()), variant_name);

TEST_P(CpuExpertsTest, RoutesAreTheReferences) {
  CpuBackend cpu = backend();
  for (const auto& [rows, count, k] : {std::tuple{1, 8, 2}, {5, 128, 8}, {40, 19, 3}, {3, 4, 4}, {2, 5, 1}}) {
    for (const bool normalizes : {false, true}) {
      const Layer layer(count, 96, 8, DType::BF16);
      const auto router = layer.router(cpu, DType::F32), expected_router = layer.router(reference_, DType::F32);
      Operand in(rows, 96, 5), routes(rows, 2 * k, 3), expected(rows, 2 * k);
      cpu.route(routes.matrix(), in.matrix(), *router, normalizes);
      reference_.route(expected.matrix(), in.matrix(), *expected_router, normalizes);
      EXPECT_TRUE(same_bits(routes.matrix().col_range(0, k), expected.matrix().col_range(0, k))) << count;
      EXPECT_LT(relative_error(routes.matrix().col_range(k, k), expected.matrix().col_range(k, k)), 1e-6);
    }
  }
}

TEST_P(CpuExpertsTest, AmongEqualsTheLowerNumbersAreChosen) {
  CpuBackend cpu = backend();
  const std::vector<float> weight{1, 3, 3, 2, 3, 1, 2, 3};  // z = x * weight
  const auto router = cpu.linear({{{weight.data(), DType::F32, {8, 1}}}, {}}, DType::F32);
  const auto chosen = [&](float x, int64_t k) {
    Operand in(1, 1), routes(1, 2 * k);
    in.at(0, 0) = x;
    cpu.route(routes.matrix(), in.matrix(), *router, true);
    return std::vector<float>(routes.values().begin(), routes.values().begin() + k);
  };
  EXPECT_EQ(chosen(1, 3), (std::vector<float>{1, 2, 4}));
  EXPECT_EQ(chosen(1, 5), (std::vector<float>{1, 2, 3, 4, 7}));
  EXPECT_EQ(chosen(-1, 3), (std::vector<float>{0, 3, 5}));
  EXPECT_EQ(chosen(0, 4), (std::vector<float>{0, 1, 2, 3}));
}

TEST_P(CpuExpertsTest, MixesAreTheReferences) {
  for (const bool rounds : {false, true}) {
    CpuBackend cpu = rounds ? rounding() : backend();
    for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
      // Few and many rows of an expert; experts without any; widths that fill no register.
      for (const auto& [rows, count, k] : {std::tuple{1, 8, 3}, {7, 40, 2}, {70, 5, 3}, {90, 4, 4}}) {
        const Layer layer(count, 90, 38, type);
        const auto experts = layer.experts(cpu, DType::F32), expected_experts = layer.experts(reference_, DType::F32);
        Operand in = rounds ? in_bf16(Operand(rows, 90, 6)) : Operand(rows, 90, 6);
        Operand x(rows, 90, 2, 3), expected(rows, 90, 2, 3), routes = some_routes(rows, k, count);
        cpu.mix_experts(x.matrix(), in.matrix(), routes.matrix(), *experts);
        reference_.mix_experts(expected.matrix(), in.matrix(), routes.matrix(), *expected_experts);
        EXPECT_LT(relative_error(x.matrix(), expected.matrix()), rounds && type == DType::BF16 ? 4e-3 : kTolerance)
            << name_of(type) << rows;
      }
    }
  }
}

TEST_P(CpuExpertsTest, QuantizedMixesAreTheReferences) {
  CpuBackend cpu = backend();
  for (const auto& [rows, format] :
       {std::pair{1, WeightFormat::Int8}, {80, WeightFormat::Int8}, {1, WeightFormat::Int4}, {80, WeightFormat::Int4}}) {
    const Layer layer(5, 200, 72, DType::BF16);
    const auto experts = layer.experts(cpu, DType::BF16, format), expected_experts = layer.experts(reference_, DType::BF16, format);
    Operand in(rows, 200, 0, 1, 2), x(rows, 200, 0, 3), expected(rows, 200, 0, 3), routes = some_routes(rows, 3, 5);
    in.at(0, 17) = 9;  // an outlier
    cpu.mix_experts(x.matrix(), in.matrix(), routes.matrix(), *experts);
    reference_.mix_experts(expected.matrix(), in.matrix(), routes.matrix(), *expected_experts);
    EXPECT_LT(relative_error(x.matrix(), expected.matrix()), 5e-3) << rows << ", " << name_of(format);
  }
}

// Company that changes: an expert's rows pass from few to many, and a row comes to stand elsewhere among them.
TEST_P(CpuExpertsTest, ARowsBitsAreItsOwn) {
  constexpr int64_t kRows = 61, kExperts = 6, kChosen = 3;
  for (const auto& [type, format, rounds] : {std::tuple{DType::F32, WeightFormat::Plain, false},
                                             {DType::BF16, WeightFormat::Plain, false},
                                             {DType::F16, WeightFormat::Plain, false},
                                             {DType::BF16, WeightFormat::Plain, true},
                                             {DType::BF16, WeightFormat::Int4, true},
                                             {DType::BF16, WeightFormat::Int8, false}}) {
    CpuBackend cpu = rounds ? rounding() : backend();
    CpuBackend alone_on = rounds ? rounding(1) : backend(1);
    const Layer layer(kExperts, 1100, 40, type);  // more than one block of a dot product
    const auto router = layer.router(cpu, type), own_router = layer.router(alone_on, type);
    const auto experts = layer.experts(cpu, type, format), own_experts = layer.experts(alone_on, type, format);
    Operand in(kRows, 1100), x(kRows, 1100, 0, 3), routes(kRows, 2 * kChosen);
    const Operand x_before = x;
    cpu.route(routes.matrix(), in.matrix(), *router, true);
    cpu.mix_experts(x.matrix(), in.matrix(), routes.matrix(), *experts);
    for (const auto& [first, rows] : {std::pair{0, 1}, {60, 1}, {17, 2}, {20, 30}}) {
      Operand own = x_before, own_routes(rows, 2 * kChosen);
      const Matrix part = own.matrix().row_range(first, rows);
      alone_on.route(own_routes.matrix(), in.matrix().row_range(first, rows), *own_router, true);
      EXPECT_TRUE(same_bits(own_routes.matrix(), routes.matrix().row_range(first, rows)));
      alone_on.mix_experts(part, in.matrix().row_range(first, rows), own_routes.matrix(), *own_experts);
      EXPECT_TRUE(same_bits(part, x.matrix().row_range(first, rows)))
          << name_of(type) << ", " << name_of(format) << rounds << first;
    }
  }
}

TEST_P(CpuExpertsTest, ARowThatIsNotFiniteIsAloneWithIt) {
  CpuBackend cpu = backend();
  const Layer layer(6, 64, 24, DType::BF16);
  const auto router = layer.router(cpu, DType::BF16);
  const auto experts = layer.experts(cpu, DType::BF16);
  const auto mixed = [&](float third) {
    Operand in(5, 64), x(5, 64, 0, 3), routes(5, 6);
    in.at(2, 9) = third;
    cpu.route(routes.matrix(), in.matrix(), *router, true);
    cpu.mix_experts(x.matrix(), in.matrix(), routes.matrix(), *experts);
    return x;
  };
  Operand clean = mixed(1);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Operand got = mixed(bad);
    for (int64_t row = 0; row < 5; ++row) {
      EXPECT_TRUE(row == 2 || same_bits(got.matrix().row_range(row, 1), clean.matrix().row_range(row, 1))) << row;
    }
    EXPECT_TRUE(std::isnan(got.at(2, 0)));
  }
}

TEST(CpuExpertsOfVariants, HaveTheSameBits) {
  const std::vector<const KernelTable*> variants = fused_variants();
  const auto mixed = [](const KernelTable* kernels, DType type, int64_t rows) {
    CpuBackend cpu({.threads = 2, .kernels = kernels});
    const Layer layer(4, 1100, 90, type);
    const auto router = layer.router(cpu, type);
    const auto experts = layer.experts(cpu, type);
    Operand in(rows, 1100), x(rows, 1100, 0, 3), routes(rows, 6);
    cpu.route(routes.matrix(), in.matrix(), *router, true);
    cpu.mix_experts(x.matrix(), in.matrix(), routes.matrix(), *experts);
    return x;
  };
  for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
    for (const int64_t rows : {3, 40, 100}) {
      Operand expected = mixed(variants.at(0), type, rows);
      for (const KernelTable* kernels : variants) {
        Operand got = mixed(kernels, type, rows);
        EXPECT_TRUE(same_bits(got.matrix(), expected.matrix())) << kernels->name << ", " << name_of(type) << ", " << rows;
      }
    }
  }
}

// The order of the sum over experts is fixed, and is seen only with three of them.
TEST_P(CpuExpertsTest, ContributionsAreAddedInTheOrderOfTheExperts) {
  CpuBackend cpu = backend();
  const Layer layer(3, 64, 24, DType::F32);
  const auto experts = layer.experts(cpu, DType::F32);
  Operand in(1, 64), routes(1, 6);
  const auto contribution = [&](int64_t expert, float weight) {
    Operand x(1, 64), one(1, 2);
    std::fill(x.values().begin(), x.values().end(), 0.0f);
    one.at(0, 0) = static_cast<float>(expert);
    one.at(0, 1) = weight;
    cpu.mix_experts(x.matrix(), in.matrix(), one.matrix(), *experts);
    return x;
  };
  const std::vector<float> weights{0.7f, 0.2f, 0.1f};
  std::vector<Operand> parts;
  for (int64_t e = 0; e < 3; ++e) {
    routes.at(0, e) = static_cast<float>(e);
    routes.at(0, 3 + e) = weights[static_cast<size_t>(e)];
    parts.push_back(contribution(e, 1));
  }
  Operand x(1, 64, 0, 3), got = x;
  cpu.mix_experts(got.matrix(), in.matrix(), routes.matrix(), *experts);
  const bool fused = std::string(GetParam()->name) != "plain";
  int differs = 0;
  for (int64_t c = 0; c < 64; ++c) {
    const auto sum_of = [&](std::initializer_list<size_t> order) {
      float sum = 0;
      for (const size_t e : order) {
        const float part = parts[e].at(0, c);
        sum = fused ? std::fma(weights[e], part, sum) : weights[e] * part + sum;
      }
      return x.at(0, c) + sum;
    };
    EXPECT_EQ(got.at(0, c), sum_of({0, 1, 2}));
    differs += sum_of({0, 1, 2}) != sum_of({2, 1, 0});
  }
  EXPECT_GT(differs, 0);
}

}  // namespace
}  // namespace ivl::cpu
