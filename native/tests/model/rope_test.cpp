#include "model/rope.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ivl {
namespace {

constexpr int64_t kDim = 8;

float at(const std::vector<float>& table, int64_t position, int64_t column) {
  return table[static_cast<size_t>(position * kDim + column)];
}

TEST(RopeTable, IsItsDefinition) {
  const std::vector<float> table = rope_table({.theta = 1e6, .trained = 16}, 16, kDim);
  for (int64_t position = 0; position < 16; ++position) {
    for (int64_t i = 0; i < kDim / 2; ++i) {
      const double angle = static_cast<double>(position) * std::pow(1e6, -static_cast<double>(2 * i) / kDim);
      EXPECT_NEAR(at(table, position, i), std::cos(angle), 1e-6) << position;
      EXPECT_NEAR(at(table, position, kDim / 2 + i), std::sin(angle), 1e-6) << position;
    }
  }
}

TEST(RopeTable, DynamicScalingBeginsBehindThePositionsThatTheModelWasTrainedFor) {
  const Rope plain{.theta = 1e6, .trained = 16};
  const Rope dynamic{.theta = 1e6, .trained = 16, .dynamic_factor = 2};
  const std::vector<float> expected = rope_table(plain, 64, kDim);
  const std::vector<float> table = rope_table(dynamic, 64, kDim);
  EXPECT_TRUE(std::equal(table.begin(), table.begin() + 16 * kDim, expected.begin()));
  for (const int64_t position : {16, 17, 40, 63}) {
    const double length = static_cast<double>(position + 1);
    const double base = 1e6 * std::pow(2 * length / 16 - 1, 8.0 / 6.0);
    for (int64_t i = 1; i < kDim / 2; ++i) {
      const double angle = static_cast<double>(position) * std::pow(base, -static_cast<double>(2 * i) / kDim);
      EXPECT_NEAR(at(table, position, kDim / 2 + i), std::sin(angle), 1e-6) << position;
      EXPECT_NE(at(table, position, kDim / 2 + i), at(expected, position, kDim / 2 + i)) << position;
    }
  }
  // A longer context changes no position.
  const std::vector<float> shorter = rope_table(dynamic, 32, kDim);
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), table.begin()));
}

}  // namespace
}  // namespace ivl
