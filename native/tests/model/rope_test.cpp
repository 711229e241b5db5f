#include "model/rope.h"

#include <gtest/gtest.h>

#include <cmath>

#include "checkpoint/checkpoint_files.h"

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

const LongRope kLongRope{.short_factors = {1, 1.1, 1.2, 1.5}, .long_factors = {1, 2, 4, 8}, .original = 10, .magnitude = 1.25};

// Rows [first, first + positions) of the table are those positions' from 0 on by these factors.
void expect_turned(const std::vector<float>& table, int64_t first, int64_t positions, const std::vector<double>& factors) {
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t i = 0; i < kDim / 2; ++i) {
      const double frequency = 1 / (factors[static_cast<size_t>(i)] * std::pow(1e4, static_cast<double>(2 * i) / kDim));
      const double angle = static_cast<double>(position) * frequency;
      EXPECT_NEAR(at(table, first + position, i), kLongRope.magnitude * std::cos(angle), 1e-5) << position;
      EXPECT_NEAR(at(table, first + position, kDim / 2 + i), kLongRope.magnitude * std::sin(angle), 1e-5) << position;
    }
  }
}

TEST(RopeTable, LongRopeHasTheFirstPositionsByBothLists) {
  const Rope rope{.theta = 1e4, .trained = 64, .longrope = kLongRope};
  EXPECT_EQ(rope_rows(rope, 64), 74);
  const std::vector<float> table = rope_table(rope, 64, kDim);
  EXPECT_EQ(table.size(), 74u * kDim);
  expect_turned(table, 0, 10, kLongRope.short_factors);
  expect_turned(table, 10, 64, kLongRope.long_factors);
}

TEST(RopeTable, LongRopeOfAContextThatNothingIsTooLongForHasOneList) {
  const Rope rope{.theta = 1e4, .trained = 64, .longrope = kLongRope};
  for (const int64_t context : {9, 10}) {
    EXPECT_EQ(rope_rows(rope, context), context);
    expect_turned(rope_table(rope, context, kDim), 0, context, kLongRope.short_factors);
    EXPECT_EQ(rope_begin(rope, context, 4, 3, 1), 0);
  }
}

// Where rows lie: (prompt, first, rows) of a sequence.
TEST(RopeTable, OfAPromptAllRowsTurnAlikeAndBehindItLongTextsTurnLong) {
  const Rope rope{.theta = 1e4, .trained = 64, .longrope = kLongRope};
  const auto begin = [&](int64_t prompt, int64_t first, int64_t rows) { return rope_begin(rope, 64, prompt, first, rows); };
  EXPECT_EQ(begin(10, 0, 10), 0);   // as many as the short factors are for
  EXPECT_EQ(begin(11, 0, 11), 10);  // and one more
  EXPECT_EQ(begin(11, 0, 4), 10);   // whatever the prompt is cut into
  EXPECT_EQ(begin(11, 4, 7), 10);
  EXPECT_EQ(begin(5, 9, 1), 0);  // decoded
  EXPECT_EQ(begin(5, 10, 1), 10);
  EXPECT_EQ(begin(10, 10, 1), 10);
  EXPECT_EQ(begin(30, 30, 1), 10);
  EXPECT_FALSE(turns_long(rope, 10));
  EXPECT_TRUE(turns_long(rope, 11));
  checkpoint_test::expect_error(Status::Internal, {"rows of a prompt turn alike"}, [&] { begin(10, 8, 4); });
  const Rope plain{.theta = 1e4, .trained = 64};
  EXPECT_EQ(rope_rows(plain, 64), 64);
  EXPECT_EQ(rope_begin(plain, 64, 50, 3, 40), 0);
  EXPECT_FALSE(turns_long(plain, 50));
}

}  // namespace
}  // namespace ivl
