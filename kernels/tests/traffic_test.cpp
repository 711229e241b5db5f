// What the kernels' accesses cost: sectors of global memory and wavefronts of shared memory beside the fewest that the same
// bytes could take. At layers' sizes a kernel that misses these misses the bandwidth.
#include "attention.h"
#include "emulation/counters.h"
#include "gemm.h"
#include "int8.h"
#include "norm.h"
#include "rows.h"
#include "tests/digests.h"
#include "tests/kernel_test.h"

namespace {

using gpu::bf16;
using namespace kernel_test;

class TrafficTest : public testing::Test {
 protected:
  void SetUp() override {
    simt::options().counters = true;
    simt::take_traffic();
  }
  void TearDown() override { simt::options().counters = false; }

  // Every kernel that ran since SetUp(): within a tenth of the ideal sectors; `conflicts` is the same for wavefronts.
  static void expect_ideal(double conflicts = 1.0) {
    const auto all = simt::take_traffic();
    EXPECT_FALSE(all.empty());
    for (const auto& [name, traffic] : all) {
      EXPECT_LE(static_cast<double>(traffic.sectors), 1.1 * static_cast<double>(traffic.ideal_sectors)) << name;
      EXPECT_LE(static_cast<double>(traffic.wavefronts), conflicts * static_cast<double>(traffic.ideal_wavefronts)) << name;
    }
    EXPECT_EQ(reported(), "");
  }
};

TEST_F(TrafficTest, Products) {
  constexpr int kIn = 256, kOut = 128;
  for (const int rows : {1, 16, 64, 128}) {
    for (const auto activation : {gpu::Activation::None, gpu::Activation::Gelu, gpu::Activation::SwiGlu}) {
      const int weight_rows = activation == gpu::Activation::SwiGlu ? 2 * kOut : kOut;
      const DeviceArray<bf16> in(random_values<bf16>(static_cast<size_t>(rows * kIn), 1));
      const DeviceArray<bf16> weight(random_values<bf16>(static_cast<size_t>(weight_rows * kIn), 2));
      const DeviceArray<bf16> out(random_values<bf16>(static_cast<size_t>(rows * kOut), 3));
      gpu::Gemm<bf16> product;
      product.in = {in.data(), kIn};
      product.weight = weight.data();
      product.epilogue.activation = activation;
      product.epilogue.residual = {out.data(), kOut};
      product.epilogue.out = {out.data(), kOut};
      product.rows = rows;
      product.in_features = kIn;
      product.out_features = kOut;
      ASSERT_EQ(gpu::gemm(product, nullptr), cudaSuccess);
      expect_ideal();
    }
  }
}

TEST_F(TrafficTest, Int8Products) {
  constexpr int kIn = 256, kOut = 128;
  for (const int rows : {16, 64}) {
    const DeviceArray<int8_t> in(std::vector<int8_t>(static_cast<size_t>(rows * kIn), 3));
    const DeviceArray<int8_t> weight(std::vector<int8_t>(static_cast<size_t>(kOut * kIn), 2));
    const DeviceArray<float> in_scales(std::vector<float>(static_cast<size_t>(rows), 0.1f));
    const DeviceArray<float> weight_scales(std::vector<float>(kOut, 0.1f));
    const DeviceArray<gpu::Outlier> outliers(static_cast<size_t>(rows * gpu::kMostOutliers));
    const DeviceArray<int> counts(std::vector<int>(static_cast<size_t>(rows), 0));
    const DeviceArray<bf16> out(static_cast<size_t>(rows * kOut));
    gpu::Int8Gemm<bf16> product;
    product.in = {{in.data(), kIn}, in_scales.data(), outliers.data(), counts.data()};
    product.weights = {weight.data(), weight_scales.data(), kIn};
    product.epilogue.out = {out.data(), kOut};
    product.rows = rows;
    product.out_features = kOut;
    ASSERT_EQ(gpu::int8_gemm(product, nullptr), cudaSuccess);
    const auto all = simt::take_traffic();
    for (const auto& [name, traffic] : all) {
      EXPECT_EQ(traffic.wavefronts, traffic.ideal_wavefronts) << name;
    }
  }
}

TEST_F(TrafficTest, QuantizingProducts) {
  constexpr int kIn = 256, kOut = 128;
  for (const int rows : {1, 16}) {
    const auto values = random_values<bf16>(static_cast<size_t>(rows * kIn), 1);
    const DeviceArray<bf16> in(values);
    const DeviceArray<gpu::Digest> digests(digests_of(values));
    const DeviceArray<int8_t> weight(std::vector<int8_t>(static_cast<size_t>(kOut * kIn), 2));
    const DeviceArray<float> scales(std::vector<float>(kOut, 0.1f));
    const DeviceArray<bf16> out(static_cast<size_t>(rows * kOut));
    gpu::QuantizingGemm<bf16> product;
    product.in = {in.data(), kIn};
    product.digests = digests.data();
    product.weights = {weight.data(), scales.data(), kIn};
    product.epilogue.out = {out.data(), kOut};
    product.rows = rows;
    product.out_features = kOut;
    ASSERT_EQ(gpu::quantizing_gemm(product, nullptr), cudaSuccess);
    const auto all = simt::take_traffic();
    for (const auto& [name, traffic] : all) {
      EXPECT_LE(static_cast<double>(traffic.wavefronts), 1.1 * static_cast<double>(traffic.ideal_wavefronts)) << name;
    }
  }
}

TEST_F(TrafficTest, Attention) {
  for (const int tokens : {1, 64}) {
    for (const int d : {64, 128}) {
      constexpr int kHeads = 8, kKeys = 320;
      const auto width = static_cast<size_t>(kHeads * d);
      const DeviceArray<bf16> q(random_values<bf16>(static_cast<size_t>(tokens) * width, 1));
      const DeviceArray<bf16> k(random_values<bf16>(static_cast<size_t>(kKeys * d), 2));
      const DeviceArray<bf16> v(random_values<bf16>(static_cast<size_t>(kKeys * d), 3));
      const DeviceArray<bf16> out(static_cast<size_t>(tokens) * width);
      const gpu::AttentionShape shape{kHeads, 1, d, 0, true, 0.1f};
      const DeviceArray<gpu::AttentionSpan<bf16>> spans(std::vector<gpu::AttentionSpan<bf16>>{
          {q.data(), out.data(), k.data(), v.data(), kHeads * d, kHeads * d, d, kKeys * d, 0, tokens, kKeys - tokens}});
      const DeviceArray<float> workspace(gpu::attention_workspace(shape, 1, kKeys));
      ASSERT_EQ(gpu::attention<bf16>(spans.data(), 1, shape, tokens, kKeys, workspace.data(), nullptr), cudaSuccess);
      expect_ideal(1.1);
    }
  }
}

TEST_F(TrafficTest, RowsAndNorms) {
  constexpr int kRows = 5, kCols = 3200;
  const DeviceArray<bf16> in(random_values<bf16>(kRows * kCols, 1));
  const DeviceArray<bf16> weight(random_values<bf16>(kCols, 2));
  const DeviceArray<bf16> out(kRows * kCols);
  ASSERT_EQ(gpu::rms_norm<bf16>({out.data(), kCols}, {in.data(), kCols}, weight.data(), kRows, kCols, 1e-6f, nullptr),
            cudaSuccess);
  ASSERT_EQ(gpu::layer_norm<bf16>({out.data(), kCols}, {in.data(), kCols}, weight.data(), weight.data(), kRows, kCols, 1e-6f,
                                  nullptr),
            cudaSuccess);
  ASSERT_EQ(gpu::pixel_shuffle<bf16>({out.data(), 4 * kCols}, {in.data(), kCols}, 1, {2, 2, false}, kCols, nullptr), cudaSuccess);
  const DeviceArray<bf16> wide(random_values<bf16>(4 * kCols, 3));
  ASSERT_EQ(gpu::pixel_shuffle_norm<bf16>({out.data(), 4 * kCols}, {in.data(), kCols}, wide.data(), wide.data(), 1,
                                          {2, 2, false}, kCols, 1e-6f, nullptr),
            cudaSuccess);
  expect_ideal();
}

}  // namespace
