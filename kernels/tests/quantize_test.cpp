#include "int8.h"

#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

struct Quantized {
  std::vector<int8_t> values;
  std::vector<float> scales;
  std::vector<gpu::Outlier> outliers;
  std::vector<int> counts;
};

template <class T>
class Quantize : public testing::Test {
 protected:
  static Quantized run(const std::vector<T>& values, int rows, int cols) {
    const DeviceArray<T> in(values);
    const DeviceArray<int8_t> out(values.size());
    const DeviceArray<float> scales(static_cast<size_t>(rows));
    const DeviceArray<gpu::Outlier> outliers(static_cast<size_t>(rows * gpu::kMostOutliers));
    const DeviceArray<int> counts(static_cast<size_t>(rows));
    const gpu::QuantizedRows target{{out.data(), cols}, scales.data(), outliers.data(), counts.data()};
    EXPECT_EQ(gpu::quantize_rows<T>(target, {in.data(), cols}, rows, cols, nullptr), cudaSuccess);
    EXPECT_EQ(reported(), "");
    return {out.read(), scales.read(), outliers.read(), counts.read()};
  }

  // The header's words, value by value.
  static void expect_row(const Quantized& q, const std::vector<T>& values, int row, int cols) {
    std::vector<gpu::Outlier> apart;
    float largest = 0;
    for (int c = 0; c < cols; c++) {
      const float x = gpu::to_float(values[static_cast<size_t>(row * cols + c)]);
      if (std::fabs(x) >= gpu::kOutlier && apart.size() < gpu::kMostOutliers) {
        apart.push_back({c, x});
      } else {
        largest = std::max(largest, std::fabs(x));
      }
    }
    ASSERT_EQ(q.counts[static_cast<size_t>(row)], static_cast<int>(apart.size()));
    ASSERT_FLOAT_EQ(q.scales[static_cast<size_t>(row)], largest / 127);
    for (size_t i = 0; i < apart.size(); i++) {
      const auto& outlier = q.outliers[static_cast<size_t>(row) * gpu::kMostOutliers + i];
      ASSERT_EQ(outlier.column, apart[i].column);
      ASSERT_EQ(outlier.value, apart[i].value);
    }
    size_t next = 0;
    for (int c = 0; c < cols; c++) {
      const auto at = static_cast<size_t>(row * cols + c);
      if (next < apart.size() && apart[next].column == c) {
        ASSERT_EQ(q.values[at], 0);
        next++;
      } else {
        const double restored = q.values[at] * static_cast<double>(largest) / 127;
        ASSERT_NEAR(restored, gpu::to_float(values[at]), largest / 254 * 1.001 + 1e-7) << "column " << c;
      }
    }
  }
};

using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(Quantize, Types);

TYPED_TEST(Quantize, ValuesScalesAndOutliers) {
  for (int cols : {8, 264, 2048, 7168}) {
    auto values = random_values<TypeParam>(static_cast<size_t>(3 * cols), 1);
    values[1] = gpu::from_float<TypeParam>(-6.0f);
    values[static_cast<size_t>(2 * cols - 1)] = gpu::from_float<TypeParam>(100.0f);
    const Quantized q = this->run(values, 3, cols);
    for (int row = 0; row < 3; row++) {
      this->expect_row(q, values, row, cols);
    }
  }
}

TYPED_TEST(Quantize, MoreOutliersThanTheListHolds) {
  const auto values = random_values<TypeParam>(2 * 4096, 2, 5);
  const Quantized q = this->run(values, 2, 4096);
  EXPECT_EQ(q.counts[0], gpu::kMostOutliers);
  this->expect_row(q, values, 0, 4096);
  this->expect_row(q, values, 1, 4096);
}

TYPED_TEST(Quantize, ARowOfZerosHasScaleZero) {
  const Quantized q = this->run(random_values<TypeParam>(64, 1, 0), 1, 64);
  EXPECT_EQ(q.scales[0], 0);
  EXPECT_EQ(q.counts[0], 0);
  for (int8_t value : q.values) {
    EXPECT_EQ(value, 0);
  }
}

TYPED_TEST(Quantize, AnOutlierMayBeInEveryColumn) {
  constexpr int kCols = 72;
  auto values = random_values<TypeParam>(kCols * kCols, 3, 0.5);
  for (size_t c = 0; c < kCols; c++) {
    values[c * kCols + c] = gpu::from_float<TypeParam>(-8.0f);
  }
  const Quantized q = this->run(values, kCols, kCols);
  for (int row = 0; row < kCols; row++) {
    EXPECT_EQ(q.counts[static_cast<size_t>(row)], 1);
    this->expect_row(q, values, row, kCols);
  }
}

// NaN and infinity reach the result: as outliers, and behind the list's end as the scale.
TYPED_TEST(Quantize, WhatIsNoNumberIsNotLost) {
  constexpr size_t kCols = 512;
  auto values = random_values<TypeParam>(3 * kCols, 3, 0.5);
  values[5] = gpu::from_float<TypeParam>(NAN);
  values[6] = gpu::from_float<TypeParam>(-INFINITY);
  for (size_t row : {size_t{1}, size_t{2}}) {
    for (size_t c = 0; c < gpu::kMostOutliers; c++) {
      values[row * kCols + c] = gpu::from_float<TypeParam>(9.0f);
    }
  }
  values[kCols + 400] = gpu::from_float<TypeParam>(NAN);
  values[2 * kCols + 400] = gpu::from_float<TypeParam>(INFINITY);
  const Quantized q = this->run(values, 3, kCols);
  EXPECT_EQ(q.counts, (std::vector<int>{2, gpu::kMostOutliers, gpu::kMostOutliers}));
  EXPECT_TRUE(std::isnan(q.outliers[0].value));
  EXPECT_EQ(q.outliers[1].value, -INFINITY);
  EXPECT_LT(q.scales[0], 6.0f / 127);
  EXPECT_TRUE(std::isnan(q.scales[1]));
  EXPECT_EQ(q.scales[2], INFINITY);
}

}  // namespace
