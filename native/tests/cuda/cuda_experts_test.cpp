// Experts on a GPU: against the reference, in every company, in graphs that are replayed, and on several GPUs' types.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "backend/reference_backend.h"
#include "cpu/operands.h"
#include "cuda/cuda_backend.h"
#include "cuda/gpu_test.h"

namespace ivl {
namespace {

using testing::HostValues;

constexpr int64_t kHidden = 72, kWidth = 40, kExperts = 6, kChosen = 3;

struct Layer {
  Backend& backend;
  std::unique_ptr<LinearWeights> router;
  std::unique_ptr<ExpertWeights> experts;
  static constexpr size_t kBytes = 64 * kHidden * sizeof(float);
  const Buffer memory[3] = {backend.allocate(kBytes), backend.allocate(kBytes), backend.allocate(kBytes)};

  Layer(Backend& on, DType type, bool int8) : backend(on) {
    const WeightFormat format = int8 ? WeightFormat::Int8 : WeightFormat::Plain;
    const HostValues of_router({kExperts, kHidden}, type, 99, 0.2f);
    router = backend.linear({{of_router.tensor()}, {}}, type);
    std::vector<HostValues> values;
    values.reserve(3 * kExperts);
    experts = backend.experts(
        kExperts,
        [&](int64_t e) {
          const auto seed = static_cast<uint32_t>(3 * e);
          values.emplace_back(std::vector<int64_t>{kWidth, kHidden}, type, seed, 0.25f);
          values.emplace_back(std::vector<int64_t>{kWidth, kHidden}, type, seed + 1, 0.25f);
          values.emplace_back(std::vector<int64_t>{kHidden, kWidth}, type, seed + 2, 0.25f);
          const size_t last = values.size();
          return ExpertSource{{{values[last - 3].tensor(), values[last - 2].tensor()}, {}, format},
                              {{values[last - 1].tensor()}, {}, format}};
        },
        type);
    backend.finish_weights();
  }

  struct Mixed {
    std::vector<float> routes, x;
  };
  // x plus the experts of `in`, both (rows, kHidden).
  Mixed run(const std::vector<float>& in, const std::vector<float>& x, bool repeats = false) {
    const int64_t rows = static_cast<int64_t>(in.size()) / kHidden;
    const DType type = backend.activation_type();
    const Matrix in_matrix = memory[0].matrix(type, rows, kHidden), x_matrix = memory[1].matrix(type, rows, kHidden);
    const Matrix routes = memory[2].matrix(DType::F32, rows, 2 * kChosen);
    const auto pass = [&] {
      backend.route(routes, in_matrix, *router, true);
      backend.mix_experts(x_matrix, in_matrix, routes, *experts);
    };
    Mixed mixed{std::vector<float>(static_cast<size_t>(rows * 2 * kChosen)), std::vector<float>(x.size())};
    backend.from_host(in_matrix, in.data());
    backend.from_host(x_matrix, x.data());
    repeats ? backend.repeat(pass) : pass();
    backend.to_host(mixed.routes.data(), routes);
    backend.to_host(mixed.x.data(), x_matrix);
    return mixed;
  }
};

// As the type holds them, so that every backend has the same.
std::vector<float> random_rows(int64_t rows, uint32_t seed, DType type) {
  const HostValues values({rows, kHidden}, type, seed, 2);
  std::vector<float> row_values(static_cast<size_t>(rows * kHidden));
  for (size_t i = 0; i < row_values.size(); ++i) row_values[i] = load_f32(values.tensor().data, type, i);
  return row_values;
}

class CudaExperts : public testing::GpuTest, public ::testing::WithParamInterface<std::tuple<DType, bool>> {
 protected:
  static DType type() { return std::get<0>(GetParam()); }
  static bool int8() { return std::get<1>(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Types, CudaExperts, ::testing::Combine(::testing::Values(DType::BF16, DType::F16), ::testing::Bool()),
                         [](const auto& p) {
                           return std::string(name_of(std::get<0>(p.param))) + (std::get<1>(p.param) ? "_int8" : "");
                         });

TEST_P(CudaExperts, AreTheReferences) {
  const auto cuda = make_gpu_backend(0, type());
  testing::ReferenceBackend reference;
  Layer layer(*cuda, type(), int8()), expected_layer(reference, type(), int8());
  for (const int64_t rows : {1, 5, 60}) {
    const std::vector<float> in = random_rows(rows, 7, type()), x = random_rows(rows, 8, type());
    const Layer::Mixed got = layer.run(in, x), expected = expected_layer.run(in, x);
    double difference = 0, norm = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      difference += std::pow(static_cast<double>(got.x[i]) - expected.x[i], 2);
      norm += std::pow(static_cast<double>(expected.x[i]), 2);
    }
    EXPECT_LE(std::sqrt(difference / norm), type() == DType::BF16 ? 8e-3 : int8() ? 5e-3 : 1e-3) << rows;
    for (size_t i = 0; i < got.routes.size(); ++i) {
      const bool number = i % (2 * kChosen) < kChosen;
      EXPECT_NEAR(got.routes[i], expected.routes[i], number ? 0 : 4e-3) << rows;
    }
  }
}

TEST_P(CudaExperts, ARowsBitsAreItsOwn) {
  constexpr int64_t kRows = 60;
  const auto cuda = make_gpu_backend(0, type());
  Layer layer(*cuda, type(), int8());
  std::vector<float> in = random_rows(kRows, 7, type());
  const std::vector<float> x = random_rows(kRows, 8, type());
  const auto part = [&](const std::vector<float>& rows, int64_t first, int64_t count) {
    return std::vector<float>(rows.begin() + first * kHidden, rows.begin() + (first + count) * kHidden);
  };
  const Layer::Mixed together = layer.run(in, x);
  in[59 * kHidden + 3] = std::nanf("");  // the last row's fault is its own
  const Layer::Mixed beside_nan = layer.run(in, x);
  EXPECT_TRUE(std::isnan(beside_nan.x.back()));
  EXPECT_EQ(part(beside_nan.x, 0, kRows - 1), part(together.x, 0, kRows - 1));
  for (const auto& [first, count] : {std::pair<int64_t, int64_t>{0, 1}, {58, 1}, {20, 15}, {3, 40}}) {
    const Layer::Mixed alone = layer.run(part(in, first, count), part(x, first, count));
    EXPECT_EQ(alone.x, part(together.x, first, count)) << first;
  }
}

TEST_P(CudaExperts, AReplayedGraphFollowsTheRowsChoice) {
  const auto cuda = make_gpu_backend(0, type());
  Layer layer(*cuda, type(), int8());
  const std::vector<float> x = random_rows(4, 8, type());
  std::vector<Layer::Mixed> replayed;
  for (const uint32_t seed : {1u, 2u, 3u}) replayed.push_back(layer.run(random_rows(4, seed, type()), x, true));
  for (const uint32_t seed : {1u, 2u, 3u}) EXPECT_EQ(layer.run(random_rows(4, seed, type()), x).x, replayed[seed - 1].x);
  EXPECT_NE(replayed[0].routes, replayed[1].routes);
}

}  // namespace
}  // namespace ivl
