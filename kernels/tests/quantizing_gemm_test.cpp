#include "int8.h"
#include "tests/digests.h"
#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

constexpr int kOut = 40;

// Rows and the weights of a layer, on the device.
template <class T>
class Layer {
 public:
  Layer(const std::vector<T>& in, int rows, int cols)
      : rows_(rows),
        cols_(cols),
        in_(in),
        digests_(digests_of(in)),
        weights_(random_bytes(2 * kOut * cols)),
        scales_(std::vector<float>(2 * kOut, 0.01f)),
        bias_(random_values<T>(2 * kOut, 3)),
        residual_(random_values<T>(static_cast<size_t>(rows * kOut), 4)) {}

  // In one launch; and as quantize_rows() and int8_gemm() one after the other.
  std::vector<T> fused(gpu::Activation activation) const {
    const DeviceArray<T> out(static_cast<size_t>(rows_ * kOut));
    const gpu::QuantizingGemm<T> product{{in_.data(), cols_}, digests_.data(), weights(), epilogue(activation, out), rows_, kOut};
    EXPECT_EQ(gpu::quantizing_gemm(product, nullptr), cudaSuccess);
    EXPECT_EQ(reported(), "");
    return out.read();
  }
  std::vector<T> separate(gpu::Activation activation) const {
    const DeviceArray<T> out(static_cast<size_t>(rows_ * kOut));
    const auto rows = static_cast<size_t>(rows_);
    const DeviceArray<int8_t> values(rows * static_cast<size_t>(cols_));
    const DeviceArray<float> scales(rows);
    const DeviceArray<gpu::Outlier> outliers(rows * gpu::kMostOutliers);
    const DeviceArray<int> counts(rows);
    const gpu::QuantizedRows quantized{{values.data(), cols_}, scales.data(), outliers.data(), counts.data()};
    EXPECT_EQ(gpu::quantize_rows<T>(quantized, {in_.data(), cols_}, rows_, cols_, nullptr), cudaSuccess);
    EXPECT_EQ(gpu::int8_gemm<T>({quantized, weights(), epilogue(activation, out), rows_, kOut, nullptr}, nullptr), cudaSuccess);
    EXPECT_EQ(reported(), "");
    return out.read();
  }

  // The row's product in float64, unquantized, for Activation::None.
  double exactly(const std::vector<T>& in, int row, int column) const {
    const auto weights = weights_.read();
    double sum = 0;
    for (int c = 0; c < cols_; c++) {
      sum += double(gpu::to_float(in[static_cast<size_t>(row * cols_ + c)])) * weights[static_cast<size_t>(column * cols_ + c)];
    }
    return sum * 0.01 + gpu::to_float(bias_.read()[static_cast<size_t>(column)]) +
           gpu::to_float(residual_.read()[static_cast<size_t>(row * kOut + column)]);
  }

 private:
  static std::vector<int8_t> random_bytes(int count) {
    std::mt19937_64 random(2);
    std::uniform_int_distribution<int> byte(-127, 127);
    std::vector<int8_t> values;
    for (int i = 0; i < count; i++) {
      values.push_back(static_cast<int8_t>(byte(random)));
    }
    return values;
  }
  gpu::Int8Weights weights() const { return {weights_.data(), scales_.data(), cols_}; }
  gpu::Epilogue<T> epilogue(gpu::Activation activation, const DeviceArray<T>& out) const {
    gpu::Epilogue<T> e;
    e.activation = activation;
    e.bias = bias_.data();
    e.residual = {residual_.data(), kOut};
    e.out = {out.data(), kOut};
    return e;
  }

  int rows_, cols_;
  DeviceArray<T> in_;
  DeviceArray<gpu::Digest> digests_;
  DeviceArray<int8_t> weights_;
  DeviceArray<float> scales_;
  DeviceArray<T> bias_, residual_;
};

template <class T>
class QuantizingProduct : public testing::Test {
 protected:
  static void expect_same_bits(const std::vector<T>& in, int rows, int cols, gpu::Activation activation = gpu::Activation::None) {
    const Layer<T> layer(in, rows, cols);
    const auto fused = layer.fused(activation), separate = layer.separate(activation);
    for (size_t i = 0; i < fused.size(); i++) {
      ASSERT_EQ(fused[i].bits, separate[i].bits) << "row " << i / kOut << " of " << rows << ", column " << i % kOut;
    }
  }
  static std::vector<T> numbers(int rows, int cols, double scale = 1) {
    return random_values<T>(static_cast<size_t>(rows * cols), 1, scale);
  }
};

using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(QuantizingProduct, Types);

// Fewer steps than stages, as many, and more; values of which some are outliers.
TYPED_TEST(QuantizingProduct, HasTheBitsOfQuantizingFirst) {
  for (int rows = 1; rows <= gpu::kFewRows; rows++) {
    const int cols = rows % 3 == 0 ? 64 : rows % 3 == 1 ? 512 : 1088;
    const auto activation = rows % 2 == 0 ? gpu::Activation::SwiGlu : gpu::Activation::None;
    this->expect_same_bits(this->numbers(rows, cols, 2), rows, cols, activation);
  }
  this->expect_same_bits(this->numbers(1, 20480), 1, 20480);
}

TYPED_TEST(QuantizingProduct, IsNearTheProductOfTheUnquantized) {
  constexpr int kRows = 3, kCols = 256;
  const auto in = this->numbers(kRows, kCols);
  const Layer<TypeParam> layer(in, kRows, kCols);
  const auto out = layer.fused(gpu::Activation::None);
  for (int row = 0; row < kRows; row++) {
    for (int n = 0; n < kOut; n++) {
      const double expected = layer.exactly(in, row, n);
      // A value is off by at most half a step of the largest / 127, of 256 values with random sign.
      const double bound = kRounding<TypeParam> * std::fabs(expected) + 0.01 * 127 * 16 * 3 * (4.0 / 254);
      EXPECT_NEAR(gpu::to_float(out[static_cast<size_t>(row * kOut + n)]), expected, bound);
    }
  }
}

TYPED_TEST(QuantizingProduct, AnOutlierMayBeInEveryColumn) {
  constexpr int kCols = 128;
  for (int first = 0; first < kCols; first += gpu::kFewRows) {
    auto in = this->numbers(gpu::kFewRows, kCols, 0.5);
    for (int row = 0; row < gpu::kFewRows; row++) {
      in[static_cast<size_t>(row * kCols + first + row)] = gpu::from_float<TypeParam>(row % 2 == 0 ? 6.0f : -70.0f);
    }
    this->expect_same_bits(in, gpu::kFewRows, kCols);
  }
}

// 128 and one more, hundreds, and nothing else.
TYPED_TEST(QuantizingProduct, MoreOutliersThanTheListHolds) {
  constexpr int kCols = 1024;
  auto in = this->numbers(5, kCols, 0.5);
  const int counts[] = {gpu::kMostOutliers - 1, gpu::kMostOutliers, gpu::kMostOutliers + 1, 700, kCols};
  for (int row = 0; row < 5; row++) {
    for (int i = 0; i < counts[row]; i++) {
      in[static_cast<size_t>(row * kCols + kCols - 1 - i)] = gpu::from_float<TypeParam>(6.0f + static_cast<float>(i % 50));
    }
  }
  this->expect_same_bits(in, 5, kCols);
}

TYPED_TEST(QuantizingProduct, ZerosInfinitiesAndNaNs) {
  constexpr int kCols = 512;
  auto in = this->numbers(6, kCols);
  const auto row = [&](int r) { return in.data() + r * kCols; };
  std::fill(row(0), row(1), TypeParam{});
  row(1)[17] = gpu::from_float<TypeParam>(INFINITY);
  row(2)[511] = gpu::from_float<TypeParam>(NAN);
  // Behind the list's end, where they are among the quantized.
  for (int r : {3, 4}) {
    std::fill(row(r), row(r) + gpu::kMostOutliers, gpu::from_float<TypeParam>(7.0f));
  }
  row(3)[300] = gpu::from_float<TypeParam>(-INFINITY);
  row(4)[300] = gpu::from_float<TypeParam>(NAN);
  this->expect_same_bits(in, 6, kCols);
  const auto out = Layer<TypeParam>(in, 6, kCols).fused(gpu::Activation::None);
  for (int r = 0; r < 6; r++) {
    const float x = gpu::to_float(out[static_cast<size_t>(r * kOut)]);
    EXPECT_EQ(std::isfinite(x), r == 0 || r == 5) << "row " << r << ": " << x;
  }
  EXPECT_TRUE(std::isnan(gpu::to_float(out[4 * kOut])));
}

TYPED_TEST(QuantizingProduct, RefusesWhatItCannotDo) {
  gpu::QuantizingGemm<TypeParam> product;
  product.rows = gpu::kFewRows + 1;
  product.weights.in_features = 64;
  EXPECT_EQ(gpu::quantizing_gemm(product, nullptr), cudaErrorInvalidValue);
  product.rows = 1;
  product.weights.in_features = 72;
  EXPECT_EQ(gpu::quantizing_gemm(product, nullptr), cudaErrorInvalidValue);
  product.rows = 2;
  product.weights.in_features = 20480;
  EXPECT_EQ(gpu::quantizing_gemm(product, nullptr), cudaErrorInvalidValue);
}

}  // namespace
