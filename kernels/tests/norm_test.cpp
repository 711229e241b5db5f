#include "norm.h"

#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

struct Shape {
  int64_t rows;
  int cols;
  int64_t padding;  // elements between rows that belong to nobody
};

// Of InternVL-Chat-V1-2 (3200, 7168, 12800), less than a sweep of the block, and one vector.
const Shape kShapes[] = {{1, 3200, 0}, {3, 7168, 8}, {2, 12800, 0}, {5, 256, 16}, {1, 8, 0}, {2, 2056, 0}};

// Rows of `cols` values with padding behind each that was never written.
template <class T>
class PaddedRows {
 public:
  PaddedRows(const Shape& shape, const std::vector<T>& values) : shape_(shape), array_(static_cast<size_t>(shape.rows * stride())) {
    for (int64_t row = 0; row < shape.rows && !values.empty(); row++) {
      const T* from = values.data() + row * shape.cols;
      array_.write(static_cast<size_t>(row * stride()), {from, static_cast<size_t>(shape.cols)});
    }
  }
  int64_t stride() const { return shape_.cols + shape_.padding; }
  gpu::Rows<T> rows() const { return {array_.data(), stride()}; }
  gpu::Rows<const T> input() const { return {array_.data(), stride()}; }
  std::vector<double> row(int64_t row) const {
    return exact(array_.read(static_cast<size_t>(row * stride()), static_cast<size_t>(shape_.cols)));
  }

 private:
  Shape shape_;
  DeviceArray<T> array_;
};

template <class T>
class Norm : public testing::Test {
 protected:
  static constexpr float kEps = 1e-5f;

  // Within the two roundings of the definition, and a little for the order of the sums.
  static void expect_row(const std::vector<double>& out, const std::vector<double>& in, const std::vector<double>& weight,
                         const std::vector<double>& bias) {
    double mean = 0;
    double squares = 0;
    const auto n = static_cast<double>(in.size());
    for (double x : in) {
      mean += bias.empty() ? 0 : x / n;
    }
    for (double x : in) {
      squares += (x - mean) * (x - mean);
    }
    const double scale = 1 / std::sqrt(squares / n + kEps);
    for (size_t c = 0; c < in.size(); c++) {
      const double scaled = (in[c] - mean) * scale * weight[c];
      const double expected = scaled + (bias.empty() ? 0 : bias[c]);
      const double bound = kRounding<T> * (std::fabs(scaled) + std::fabs(expected)) * 1.01 + 1e-5;
      ASSERT_NEAR(out[c], expected, bound) << "column " << c;
    }
  }

  void check(const Shape& shape, bool centered, double scale, double offset) {
    const auto count = static_cast<size_t>(shape.cols);
    const auto values = random_values<T>(static_cast<size_t>(shape.rows) * count, 1, scale, offset);
    const auto weight = random_values<T>(count, 2, 0.3, 1);
    const auto bias = random_values<T>(count, 3);
    const PaddedRows<T> in(shape, values);
    const PaddedRows<T> out(shape, {});
    const DeviceArray<T> device_weight(weight);
    const DeviceArray<T> device_bias(bias);
    const cudaError_t error =
        centered ? gpu::layer_norm<T>(out.rows(), in.input(), device_weight.data(), device_bias.data(), shape.rows, shape.cols,
                                      kEps, nullptr)
                 : gpu::rms_norm<T>(out.rows(), in.input(), device_weight.data(), shape.rows, shape.cols, kEps, nullptr);
    ASSERT_EQ(error, cudaSuccess);
    EXPECT_EQ(reported(), "");
    for (int64_t row = 0; row < shape.rows; row++) {
      expect_row(out.row(row), in.row(row), exact(weight), centered ? exact(bias) : std::vector<double>());
    }
  }
};

using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(Norm, Types);

TYPED_TEST(Norm, RmsNormIsItsDefinition) {
  for (const Shape& shape : kShapes) {
    this->check(shape, false, 1, 0);
  }
}

TYPED_TEST(Norm, LayerNormIsItsDefinition) {
  for (const Shape& shape : kShapes) {
    this->check(shape, true, 1, 0.5);
  }
}

#if !defined(GPU_EMULATED)
// A picture's tokens, a prompt's, and the projector's input.
TYPED_TEST(Norm, AtTheModelsSizes) {
  this->check({1025, 3200, 0}, false, 1, 0);
  this->check({512, 7168, 0}, false, 1, 0);
  this->check({256, 12800, 0}, true, 1, 0.5);
}
#endif

TYPED_TEST(Norm, LargeAndSmallAndEqualValues) {
  this->check({2, 512, 0}, false, 100, 0);
  this->check({2, 512, 0}, false, 1e-4, 0);
  this->check({2, 512, 0}, false, 0, 3);
  this->check({2, 512, 0}, true, 0, 3);
}

TYPED_TEST(Norm, InPlace) {
  const Shape shape{3, 2304, 0};
  const auto values = random_values<TypeParam>(3 * 2304, 4);
  const auto weight = random_values<TypeParam>(2304, 5);
  const PaddedRows<TypeParam> apart(shape, {});
  const PaddedRows<TypeParam> in(shape, values);
  const DeviceArray<TypeParam> device_weight(weight);
  gpu::rms_norm<TypeParam>(apart.rows(), in.input(), device_weight.data(), 3, 2304, 1e-5f, nullptr);
  gpu::rms_norm<TypeParam>(in.rows(), in.input(), device_weight.data(), 3, 2304, 1e-5f, nullptr);
  EXPECT_EQ(reported(), "");
  for (int64_t row = 0; row < 3; row++) {
    EXPECT_EQ(in.row(row), apart.row(row));
  }
}

// Rows in int8, as bytes that can be compared.
struct Bytes {
  Bytes(int64_t rows, int cols)
      : values(static_cast<size_t>(rows * cols)),
        scales(static_cast<size_t>(rows)),
        outliers(static_cast<size_t>(rows * gpu::kMostOutliers)),
        counts(static_cast<size_t>(rows)),
        stride(cols) {}
  gpu::QuantizedRows target() const { return {{values.data(), stride}, scales.data(), outliers.data(), counts.data()}; }

  DeviceArray<int8_t> values;
  DeviceArray<float> scales;
  DeviceArray<gpu::Outlier> outliers;
  DeviceArray<int> counts;
  int stride;
};

void expect_equal(const Bytes& a, const Bytes& b) {
  EXPECT_EQ(a.values.read(), b.values.read());
  EXPECT_EQ(a.scales.read(), b.scales.read());
  const auto counts = a.counts.read();
  ASSERT_EQ(counts, b.counts.read());
  const auto of_a = a.outliers.read(), of_b = b.outliers.read();
  for (size_t row = 0; row < counts.size(); row++) {
    for (size_t i = row * gpu::kMostOutliers; i < row * gpu::kMostOutliers + static_cast<size_t>(counts[row]); i++) {
      EXPECT_EQ(of_a[i].column, of_b[i].column);
      EXPECT_EQ(of_a[i].value, of_b[i].value);
    }
  }
}

// Weights of which rows get no outlier, some, and more than a list holds.
TYPED_TEST(Norm, QuantizesItsRowsAsASecondLaunchWould) {
  for (const bool centered : {false, true}) {
    for (const double weights : {1.0, 3.0, 20.0}) {
      for (const Shape& shape : {Shape{1, 7168, 0}, {17, 264, 8}, {3, 2056, 0}}) {
        const auto values = random_values<TypeParam>(static_cast<size_t>(shape.rows * shape.cols), 1);
        const DeviceArray<TypeParam> weight(random_values<TypeParam>(static_cast<size_t>(shape.cols), 2, 0.1, weights));
        const DeviceArray<TypeParam> bias(random_values<TypeParam>(static_cast<size_t>(shape.cols), 3));
        const PaddedRows<TypeParam> in(shape, values), plain(shape, {}), out(shape, {});
        const Bytes expected(shape.rows, shape.cols), got(shape.rows, shape.cols);
        const auto norm = [&](gpu::Rows<TypeParam> to, const gpu::QuantizedRows* quantized) {
          return centered
                     ? gpu::layer_norm<TypeParam>(to, in.input(), weight.data(), bias.data(), shape.rows, shape.cols, 1e-5f,
                                                  nullptr, quantized)
                     : gpu::rms_norm<TypeParam>(to, in.input(), weight.data(), shape.rows, shape.cols, 1e-5f, nullptr, quantized);
        };
        ASSERT_EQ(norm(plain.rows(), nullptr), cudaSuccess);
        ASSERT_EQ(gpu::quantize_rows<TypeParam>(expected.target(), plain.input(), shape.rows, shape.cols, nullptr), cudaSuccess);
        const gpu::QuantizedRows target = got.target();
        ASSERT_EQ(norm(out.rows(), &target), cudaSuccess);
        EXPECT_EQ(reported(), "");
        expect_equal(got, expected);
        for (int64_t row = 0; row < shape.rows; row++) {
          EXPECT_EQ(out.row(row), plain.row(row));
        }
      }
    }
  }
}

TYPED_TEST(Norm, OfAPixelShuffleHasTheBitsOfOneAfterTheOther) {
  for (const auto& [grid, factor, cols] : {std::tuple{8, 2, 40}, {4, 4, 8}, {4, 2, 1040}, {2, 2, 3200}}) {
    for (const bool swap_back : {false, true}) {
      constexpr int kPictures = 2;
      const int width = factor * factor * cols;
      const int64_t rows = kPictures * (grid / factor) * (grid / factor);
      const Shape patches{kPictures * (1 + grid * grid), cols, 8}, shape{rows, width, 0};
      const PaddedRows<TypeParam> in(patches, random_values<TypeParam>(static_cast<size_t>(patches.rows * cols), 1, 1, 0.5));
      const DeviceArray<TypeParam> weight(random_values<TypeParam>(static_cast<size_t>(width), 2, 0.3, 1));
      const DeviceArray<TypeParam> bias(random_values<TypeParam>(static_cast<size_t>(width), 3));
      const PaddedRows<TypeParam> expected(shape, {}), got(shape, {});
      const gpu::PixelShuffle shuffle{grid, factor, swap_back};
      ASSERT_EQ(gpu::pixel_shuffle<TypeParam>(expected.rows(), in.input(), kPictures, shuffle, cols, nullptr), cudaSuccess);
      ASSERT_EQ(
          gpu::layer_norm<TypeParam>(expected.rows(), expected.input(), weight.data(), bias.data(), rows, width, 1e-5f, nullptr),
          cudaSuccess);
      ASSERT_EQ(gpu::pixel_shuffle_norm<TypeParam>(got.rows(), in.input(), weight.data(), bias.data(), kPictures, shuffle, cols,
                                                   1e-5f, nullptr),
                cudaSuccess);
      EXPECT_EQ(reported(), "");
      for (int64_t row = 0; row < rows; row++) {
        EXPECT_EQ(got.row(row), expected.row(row)) << grid << ", row " << row;
      }
    }
  }
}

}  // namespace
