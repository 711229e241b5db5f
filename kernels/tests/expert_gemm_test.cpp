#include "expert_gemm.h"

#include <numeric>

#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;
using gpu::Activation;

struct Shape {
  std::vector<int> rows;  // of each expert
  int in_features;
  int out_features;
};

// Low tiles and high ones; experts without rows at either end and between; more experts than a warp has lanes; a full tile and one
// row more; outputs that fill no tile.
const Shape kShapes[] = {{{1}, 64, 40},
                         {{0, 3, 0, 16, 1, 0}, 200, 72},
                         {{17, 0, 2}, 64, 24},
                         {{0, 0, 130, 64, 0, 1}, 96, 130},
                         {std::vector<int>(70, 1), 64, 16},
                         {{0, 90}, 1032, 8}};

template <class T>
struct Operands {
  int rows;
  std::vector<int> offsets{0};
  std::vector<T> in, weight;

  Operands(const Shape& s, int weight_rows) : rows(std::accumulate(s.rows.begin(), s.rows.end(), 0)) {
    for (const int own : s.rows) offsets.push_back(offsets.back() + own);
    in = random_values<T>(static_cast<size_t>(rows * s.in_features), 1);
    weight = random_values<T>(s.rows.size() * static_cast<size_t>(weight_rows * s.in_features), 2, 1 / std::sqrt(s.in_features));
  }
  gpu::ExpertRows expert_rows(const DeviceArray<int>& on_device) const {
    int64_t most = 0;
    for (size_t e = 1; e < offsets.size(); e++) most = std::max<int64_t>(most, offsets[e] - offsets[e - 1]);
    return {on_device.data(), static_cast<int>(offsets.size()) - 1, most};
  }
};

template <class T>
class ExpertGemmTest : public testing::Test {};
using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(ExpertGemmTest, Types);

TYPED_TEST(ExpertGemmTest, MultipliesEachRowWithItsExpertsWeights) {
  using T = TypeParam;
  for (const Shape& s : kShapes) {
    for (const bool gated : {false, true}) {
      SCOPED_TRACE(std::to_string(s.rows.size()) + " experts of " + std::to_string(s.out_features));
      const int weight_rows = (gated ? 2 : 1) * s.out_features;
      const Operands<T> o(s, weight_rows);
      const DeviceArray<T> in(o.in), weight(o.weight);
      const DeviceArray<int> offsets(o.offsets);
      const DeviceArray<float> out(static_cast<size_t>(o.rows * s.out_features));
      gpu::Gemm<T> product{{in.data(), s.in_features}, weight.data(), {}, o.rows, s.in_features, s.out_features};
      if (gated) product.epilogue.activation = Activation::SwiGlu;
      product.epilogue.out_f32 = {out.data(), s.out_features};
      ASSERT_EQ(gpu::expert_gemm(product, o.expert_rows(offsets), nullptr), cudaSuccess);
      EXPECT_EQ(reported(), "");
      const std::vector<float> got = out.read();
      const std::vector<double> x = exact(o.in), w = exact(o.weight);
      for (size_t e = 0; e < s.rows.size(); e++) {
        const auto sum = [&](int row, int output) {
          const auto k = static_cast<size_t>(s.in_features);
          const double* of_weight = w.data() + (e * static_cast<size_t>(weight_rows) + static_cast<size_t>(output)) * k;
          return std::inner_product(of_weight, of_weight + k, x.data() + static_cast<size_t>(row) * k, 0.0);
        };
        for (int row = o.offsets[e]; row < o.offsets[e + 1]; row++) {
          for (int n = 0; n < s.out_features; n++) {
            double expected = sum(row, n);
            if (gated) expected = expected / (1 + std::exp(-expected)) * sum(row, n + s.out_features);
            ASSERT_NEAR(got[static_cast<size_t>(row * s.out_features + n)], expected, 1e-4) << row << ", " << n;
          }
        }
      }
      // A row alone, by the product of one layer.
      for (const int row : {0, o.rows - 1}) {
        size_t e = 0;
        while (o.offsets[e + 1] <= row) e++;
        const DeviceArray<float> one(static_cast<size_t>(s.out_features));
        gpu::Gemm<T> alone = product;
        alone.in.data += row * s.in_features;
        alone.weight += e * static_cast<size_t>(weight_rows * s.in_features);
        alone.rows = 1;
        alone.epilogue.out_f32 = {one.data(), s.out_features};
        ASSERT_EQ(gpu::gemm(alone, nullptr), cudaSuccess);
        EXPECT_EQ(reported(), "");
        const std::vector<float> bits = one.read();
        for (int n = 0; n < s.out_features; n++) {
          ASSERT_EQ(bits[static_cast<size_t>(n)], got[static_cast<size_t>(row * s.out_features + n)]) << row << ", " << n;
        }
      }
    }
  }
}

TYPED_TEST(ExpertGemmTest, SoItDoesInInt8) {
  using T = TypeParam;
  for (const Shape& s : kShapes) {
    SCOPED_TRACE(std::to_string(s.rows.size()) + " experts of " + std::to_string(s.out_features));
    const Operands<T> o(s, 1);
    const int in_features = (s.in_features + 63) / 64 * 64;
    const auto count = static_cast<size_t>(s.out_features) * s.rows.size();
    std::mt19937 random(3);
    const auto bytes = [&](size_t size) {
      std::vector<int8_t> values(size);
      for (int8_t& value : values) value = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
      return values;
    };
    std::vector<float> scales_in(static_cast<size_t>(o.rows)), scales_of_weights(count);
    for (size_t i = 0; i < scales_in.size(); i++) scales_in[i] = 0.01f + 1e-4f * static_cast<float>(i);
    for (size_t i = 0; i < count; i++) scales_of_weights[i] = 0.002f + 1e-6f * static_cast<float>(i);
    const std::vector<int8_t> values = bytes(static_cast<size_t>(o.rows * in_features)),
                              weights = bytes(count * static_cast<size_t>(in_features));
    std::vector<gpu::Outlier> outliers(static_cast<size_t>(o.rows * gpu::kMostOutliers), {0, 0});
    std::vector<int> counts(static_cast<size_t>(o.rows), 0);
    outliers[0] = {5, 7.5f};
    counts[0] = 1;

    const DeviceArray<int8_t> in(values), weight(weights);
    const DeviceArray<float> in_scales(scales_in), weight_scales(scales_of_weights);
    const DeviceArray<gpu::Outlier> in_outliers(outliers);
    const DeviceArray<int> in_counts(counts), offsets(o.offsets);
    const DeviceArray<float> out(static_cast<size_t>(o.rows * s.out_features));
    gpu::Int8Gemm<T> product;
    product.in = {{in.data(), in_features}, in_scales.data(), in_outliers.data(), in_counts.data()};
    product.weights = {weight.data(), weight_scales.data(), in_features};
    product.epilogue.out_f32 = {out.data(), s.out_features};
    product.rows = o.rows;
    product.out_features = s.out_features;
    ASSERT_EQ(gpu::expert_int8_gemm(product, o.expert_rows(offsets), nullptr), cudaSuccess);
    EXPECT_EQ(reported(), "");
    const std::vector<float> got = out.read();
    for (size_t e = 0; e < s.rows.size(); e++) {
      for (auto row = static_cast<size_t>(o.offsets[e]); row < static_cast<size_t>(o.offsets[e + 1]); row++) {
        for (size_t n = 0; n < static_cast<size_t>(s.out_features); n++) {
          const size_t weight_row = e * static_cast<size_t>(s.out_features) + n;
          const int8_t* w = weights.data() + weight_row * static_cast<size_t>(in_features);
          const int sum = std::inner_product(w, w + in_features, values.data() + row * static_cast<size_t>(in_features), 0);
          double expected = sum * static_cast<double>(scales_in[row]);
          if (row == 0) expected += 7.5 * w[5];
          expected *= static_cast<double>(scales_of_weights[weight_row]);
          ASSERT_NEAR(got[row * static_cast<size_t>(s.out_features) + n], expected, 1e-4 * (1 + std::fabs(expected)))
              << row << ", " << n;
        }
      }
    }
  }
}

}  // namespace
