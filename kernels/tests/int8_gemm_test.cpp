#include "int8.h"
#include "tests/digests.h"
#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

struct Shape {
  int rows;
  int in_features;
  int out_features;
};

// A quantized input with outliers in some rows, and weights; on the host and on the device.
struct Operands {
  Shape shape;
  std::vector<int8_t> in, weights;
  std::vector<float> in_scales, weight_scales;
  std::vector<gpu::Outlier> outliers;
  std::vector<int> counts;

  explicit Operands(const Shape& s) : shape(s) {
    std::mt19937_64 random(7);
    std::uniform_int_distribution<int> byte(-127, 127);
    std::uniform_real_distribution<float> scale(0.001f, 0.02f);
    const auto fill = [&](std::vector<int8_t>& values, int count) {
      for (int i = 0; i < count; i++) {
        values.push_back(static_cast<int8_t>(byte(random)));
      }
    };
    fill(in, s.rows * s.in_features);
    fill(weights, s.out_features * s.in_features);
    for (int i = 0; i < s.rows; i++) {
      in_scales.push_back(scale(random));
      counts.push_back(i % 3);
    }
    for (int i = 0; i < s.out_features; i++) {
      weight_scales.push_back(scale(random));
    }
    outliers.resize(static_cast<size_t>(s.rows * gpu::kMostOutliers), {0, 0});
    for (int row = 0; row < s.rows; row++) {
      for (int i = 0; i < counts[static_cast<size_t>(row)]; i++) {
        const int column = (5 * i + row) % s.in_features;
        outliers[static_cast<size_t>(row * gpu::kMostOutliers + i)] = {column, 6.5f + static_cast<float>(i)};
        in[static_cast<size_t>(row * s.in_features + column)] = 0;
      }
    }
  }

  // Rows [first, first + count) alone.
  Operands part(int first, int count) const {
    Operands one = *this;
    one.shape.rows = count;
    one.in = {in.begin() + first * shape.in_features, in.begin() + (first + count) * shape.in_features};
    one.in_scales = {in_scales.begin() + first, in_scales.begin() + first + count};
    one.counts = {counts.begin() + first, counts.begin() + first + count};
    one.outliers = {outliers.begin() + first * gpu::kMostOutliers, outliers.begin() + (first + count) * gpu::kMostOutliers};
    return one;
  }
};

template <class T>
class Int8Product : public testing::Test {
 protected:
  static std::vector<T> run(const Operands& o, const std::vector<T>& bias) {
    const DeviceArray<int8_t> in(o.in), weights(o.weights);
    const DeviceArray<float> in_scales(o.in_scales), weight_scales(o.weight_scales);
    const DeviceArray<gpu::Outlier> outliers(o.outliers);
    const DeviceArray<int> counts(o.counts);
    const DeviceArray<T> device_bias(bias);
    const DeviceArray<T> out(static_cast<size_t>(o.shape.rows * o.shape.out_features));
    gpu::Int8Gemm<T> product;
    product.in = {{in.data(), o.shape.in_features}, in_scales.data(), outliers.data(), counts.data()};
    product.weights = {weights.data(), weight_scales.data(), o.shape.in_features};
    product.epilogue.bias = device_bias.data();
    product.epilogue.out = {out.data(), o.shape.out_features};
    product.rows = o.shape.rows;
    product.out_features = o.shape.out_features;
    EXPECT_EQ(gpu::int8_gemm(product, nullptr), cudaSuccess);
    EXPECT_EQ(reported(), "");
    return out.read();
  }

  static void expect_product(const Operands& o, const std::vector<T>& bias, const std::vector<T>& out) {
    for (int row = 0; row < o.shape.rows; row++) {
      for (int n = 0; n < o.shape.out_features; n++) {
        int sum = 0;
        const int8_t* w = o.weights.data() + n * o.shape.in_features;
        for (int c = 0; c < o.shape.in_features; c++) {
          sum += o.in[static_cast<size_t>(row * o.shape.in_features + c)] * w[c];
        }
        double expected = sum * static_cast<double>(o.in_scales[static_cast<size_t>(row)]);
        for (int i = 0; i < o.counts[static_cast<size_t>(row)]; i++) {
          const auto& outlier = o.outliers[static_cast<size_t>(row * gpu::kMostOutliers + i)];
          expected += static_cast<double>(outlier.value) * w[outlier.column];
        }
        expected = expected * o.weight_scales[static_cast<size_t>(n)] + gpu::to_float(bias[static_cast<size_t>(n)]);
        const double bound = kRounding<T> * std::fabs(expected) * 1.01 + 1e-4;
        ASSERT_NEAR(gpu::to_float(out[static_cast<size_t>(row * o.shape.out_features + n)]), expected, bound)
            << "row " << row << ", column " << n;
      }
    }
  }
};

using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(Int8Product, Types);

TYPED_TEST(Int8Product, IsExactUpToItsScales) {
  on_every_generation([] {
    for (const Shape& shape : {Shape{1, 16, 1},
                               {3, 1024, 40},
                               {8, 7168, 21},
                               {16, 528, 130},
                               {64, 64, 128},
                               {70, 208, 137},
                               {gpu::kSomeRows + 6, 80, 140}}) {
      const Operands o(shape);
      const auto bias = random_values<TypeParam>(static_cast<size_t>(shape.out_features), 1);
      TestFixture::expect_product(o, bias, TestFixture::run(o, bias));
    }
  });
}

TYPED_TEST(Int8Product, ARowHasTheSameBitsAloneInABatchAndInAPrompt) {
  constexpr int kRows = gpu::kSomeRows + 16;
  const Operands all({kRows, 400, 50});
  const auto bias = random_values<TypeParam>(50, 1);
  on_every_generation([&] {
    const auto prompt = TestFixture::run(all, bias);
    for (const auto& [row, count] :
         {std::pair{0, 1}, {0, 300}, {1, 7}, {31, 16}, {64, 20}, {255, 1}, {256, 16}, {kRows - 1, 1}, {kRows - 1, 300}}) {
      const int first = std::min(row, kRows - count);
      const auto some = TestFixture::run(all.part(first, count), bias);
      for (size_t n = 0; n < 50; n++) {
        ASSERT_EQ(some[static_cast<size_t>(row - first) * 50 + n].bits, prompt[static_cast<size_t>(row) * 50 + n].bits)
            << "row " << row << " among " << count;
      }
    }
  });
}

TYPED_TEST(Int8Product, LeavesTheDigestsOfItsRows) {
  for (const auto activation : {gpu::Activation::None, gpu::Activation::Gelu, gpu::Activation::SwiGlu}) {
    for (const Shape& shape : {Shape{1, 64, 192}, {5, 128, 96}, {16, 64, 160}}) {
      const Operands o(shape);
      const DeviceArray<int8_t> in(o.in), weights(o.weights);
      const DeviceArray<float> in_scales(o.in_scales), weight_scales(o.weight_scales);
      const DeviceArray<gpu::Outlier> outliers(o.outliers);
      const DeviceArray<int> counts(o.counts);
      gpu::Int8Gemm<TypeParam> product;
      product.in = {{in.data(), shape.in_features}, in_scales.data(), outliers.data(), counts.data()};
      product.weights = {weights.data(), weight_scales.data(), shape.in_features};
      product.epilogue.activation = activation;
      product.rows = shape.rows;
      product.out_features = activation == gpu::Activation::SwiGlu ? shape.out_features / 2 : shape.out_features;
      const auto size = static_cast<size_t>(shape.rows * product.out_features);
      const DeviceArray<TypeParam> plain(size), out(size);
      const DeviceArray<gpu::Digest> digests(size / gpu::kDigestColumns);
      product.epilogue.out = {plain.data(), product.out_features};
      ASSERT_EQ(gpu::int8_gemm(product, nullptr), cudaSuccess);
      product.epilogue.out = {out.data(), product.out_features};
      product.digests = digests.data();
      ASSERT_EQ(gpu::int8_gemm(product, nullptr), cudaSuccess);
      EXPECT_EQ(reported(), "");
      const auto values = out.read(), without = plain.read();
      int large = 0;
      for (size_t i = 0; i < size; i++) {
        ASSERT_EQ(values[i].bits, without[i].bits);
        large += std::fabs(gpu::to_float(values[i])) >= gpu::kOutlier ? 1 : 0;
      }
      EXPECT_GT(large, 0);
      EXPECT_EQ(digests.read(), digests_of(values));
    }
  }
}

TYPED_TEST(Int8Product, RefusesDigestsOfWhatIsNotInSixteens) {
  const DeviceArray<gpu::Digest> digests(8);
  gpu::Int8Gemm<TypeParam> product;
  product.digests = digests.data();
  product.rows = 1;
  product.out_features = 24;
  EXPECT_EQ(gpu::int8_gemm(product, nullptr), cudaErrorInvalidValue);
  product.rows = gpu::kFewRows + 1;
  product.out_features = 32;
  EXPECT_EQ(gpu::int8_gemm(product, nullptr), cudaErrorInvalidValue);
}

}  // namespace
