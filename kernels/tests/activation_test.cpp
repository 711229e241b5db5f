#include "activation.h"

#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

constexpr int kRows = 3;

template <class T>
class Activation : public testing::Test {
 protected:
  static void expect_near(const DeviceArray<T>& out, size_t at, double expected, double roundings) {
    const double bound = roundings * kRounding<T> * std::fabs(expected) + 1e-6;
    ASSERT_NEAR(gpu::to_float(out.data()[at]), expected, bound);
  }
  static std::vector<T> inputs(size_t count) {
    auto values = random_values<T>(count, 1, 4);
    // Far out on both sides, where e^-x overflows or vanishes.
    values[0] = gpu::from_float<T>(200.0f);
    values[1] = gpu::from_float<T>(-200.0f);
    values[2] = gpu::from_float<T>(0.0f);
    return values;
  }
};

using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(Activation, Types);

double gelu_of(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }

TYPED_TEST(Activation, GeluWithAndWithoutBias) {
  using T = TypeParam;
  for (int cols : {8, 2048, 4096 + 8}) {
    const auto values = this->inputs(static_cast<size_t>(kRows * cols));
    const auto bias = random_values<T>(static_cast<size_t>(cols), 2);
    const DeviceArray<T> in(values);
    const DeviceArray<T> device_bias(bias);
    const DeviceArray<T> out(values.size());
    for (bool biased : {false, true}) {
      gpu::gelu<T>({out.data(), cols}, {in.data(), cols}, biased ? device_bias.data() : nullptr, kRows, cols, nullptr);
      ASSERT_EQ(reported(), "");
      for (size_t i = 0; i < values.size(); i++) {
        const double b = biased ? gpu::to_float(bias[i % static_cast<size_t>(cols)]) : 0;
        this->expect_near(out, i, gelu_of(gpu::to_float(values[i]) + b), 1.01);
      }
    }
  }
}

TYPED_TEST(Activation, Swiglu) {
  using T = TypeParam;
  for (int cols : {8, 20480 / 8}) {
    const auto values = this->inputs(static_cast<size_t>(kRows * 2 * cols));
    const DeviceArray<T> in(values);
    const DeviceArray<T> out(static_cast<size_t>(kRows * cols));
    gpu::swiglu<T>({out.data(), cols}, {in.data(), 2 * cols}, kRows, cols, nullptr);
    ASSERT_EQ(reported(), "");
    for (int row = 0; row < kRows; row++) {
      for (int c = 0; c < cols; c++) {
        const double gate = gpu::to_float(values[static_cast<size_t>(row * 2 * cols + c)]);
        const double up = gpu::to_float(values[static_cast<size_t>(row * 2 * cols + cols + c)]);
        this->expect_near(out, static_cast<size_t>(row * cols + c), gate / (1 + std::exp(-gate)) * up, 2.02);
      }
    }
  }
}

TYPED_TEST(Activation, AddResidualInPlace) {
  using T = TypeParam;
  constexpr int kCols = 3200;
  const auto values = this->inputs(kRows * kCols);
  const auto residual = random_values<T>(kRows * kCols, 3);
  const auto bias = random_values<T>(kCols, 4);
  const auto scale = random_values<T>(kCols, 5, 0.1);
  const DeviceArray<T> in(values);
  const DeviceArray<T> sum(residual);
  const DeviceArray<T> device_bias(bias);
  const DeviceArray<T> device_scale(scale);
  gpu::add_residual<T>({sum.data(), kCols}, {in.data(), kCols}, device_bias.data(), device_scale.data(),
                       {sum.data(), kCols}, kRows, kCols, nullptr);
  ASSERT_EQ(reported(), "");
  for (size_t i = 0; i < values.size(); i++) {
    const double x = double(gpu::to_float(values[i])) + gpu::to_float(bias[i % kCols]);
    const double scaled = x * gpu::to_float(scale[i % kCols]);
    const double expected = gpu::to_float(residual[i]) + scaled;
    const double bound = kRounding<T> * std::fabs(expected) * 1.01 + 1e-6 * std::fabs(scaled) + 1e-6;
    ASSERT_NEAR(gpu::to_float(sum.data()[i]), expected, bound);
  }
}

}  // namespace
