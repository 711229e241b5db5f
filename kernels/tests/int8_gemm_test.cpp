#include "int8.h"
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
    one.outliers = {outliers.begin() + first * gpu::kMostOutliers,
                    outliers.begin() + (first + count) * gpu::kMostOutliers};
    return one;
  }
};

template <class T>
class Int8Product : public testing::Test {
 protected:
  static std::vector<T> run(const Operands& o, const std::vector<T>& bias, bool by_gemm) {
    const DeviceArray<int8_t> in(o.in), weights(o.weights);
    const DeviceArray<float> in_scales(o.in_scales), weight_scales(o.weight_scales);
    const DeviceArray<gpu::Outlier> outliers(o.outliers);
    const DeviceArray<int> counts(o.counts);
    const DeviceArray<T> device_bias(bias);
    const DeviceArray<T> out(static_cast<size_t>(o.shape.rows * o.shape.out_features));
    const gpu::QuantizedRows rows{{in.data(), o.shape.in_features}, in_scales.data(), outliers.data(), counts.data()};
    const gpu::Int8Weights matrix{weights.data(), weight_scales.data(), o.shape.in_features, o.shape.out_features};
    const gpu::Rows<T> target{out.data(), o.shape.out_features};
    const cudaError_t error = by_gemm
                                  ? gpu::int8_gemm<T>(target, rows, matrix, device_bias.data(), o.shape.rows, nullptr)
                                  : gpu::int8_gemv<T>(target, rows, matrix, device_bias.data(), o.shape.rows, nullptr);
    EXPECT_EQ(error, cudaSuccess);
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

TYPED_TEST(Int8Product, GemmIsTheProduct) {
  for (const Shape& shape : {Shape{1, 16, 1}, {64, 64, 128}, {70, 208, 137}, {3, 1024, 40}}) {
    const Operands o(shape);
    const auto bias = random_values<TypeParam>(static_cast<size_t>(shape.out_features), 1);
    this->expect_product(o, bias, this->run(o, bias, true));
  }
}

TYPED_TEST(Int8Product, GemvIsTheProduct) {
  for (const Shape& shape : {Shape{1, 16, 1}, {8, 7168, 21}, {5, 528, 130}}) {
    const Operands o(shape);
    const auto bias = random_values<TypeParam>(static_cast<size_t>(shape.out_features), 1);
    this->expect_product(o, bias, this->run(o, bias, false));
  }
}

TYPED_TEST(Int8Product, ARowHasTheSameBitsAloneInABatchAndInAPrompt) {
  const Operands all({67, 400, 50});
  const auto bias = random_values<TypeParam>(50, 1);
  const auto prompt = this->run(all, bias, true);
  for (int row : {0, 1, 31, 64, 66}) {
    const auto alone = this->run(all.part(row, 1), bias, false);
    const auto batch = this->run(all.part(std::min(row, 60), 7), bias, false);
    for (size_t n = 0; n < 50; n++) {
      const uint16_t bits = prompt[static_cast<size_t>(row) * 50 + n].bits;
      ASSERT_EQ(alone[n].bits, bits);
      ASSERT_EQ(batch[static_cast<size_t>(row - std::min(row, 60)) * 50 + n].bits, bits);
    }
  }
}

}  // namespace
