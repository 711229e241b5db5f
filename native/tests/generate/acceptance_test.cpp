#include "generate/acceptance.h"

#include <gtest/gtest.h>

namespace ivl {
namespace {

Acceptance learnt(size_t drafted, size_t right) {
  Acceptance acceptance;
  for (int i = 0; i < 100; ++i) acceptance.judge(drafted, right);
  return acceptance;
}

TEST(Acceptance, IsTheChanceOfATokenWhereThoseBeforeItWereRight) {
  EXPECT_NEAR(learnt(4, 4).chance(), 1, 1e-3);
  EXPECT_NEAR(learnt(4, 0).chance(), 0, 1e-3);
  EXPECT_NEAR(learnt(4, 1).chance(), 0.5, 1e-3) << "one right, one wrong, and nothing is known of two";
  EXPECT_NEAR(learnt(1, 1).chance(), 1, 1e-3);
}

TEST(Acceptance, DraftsAsManyAsGiveTheMostForTheTime) {
  EXPECT_EQ(learnt(4, 4).worth(0.1, 8), 8u);
  EXPECT_EQ(learnt(4, 4).worth(0.1, 3), 3u);
  EXPECT_EQ(learnt(4, 0).worth(0.01, 8), 0u);
  EXPECT_EQ(learnt(4, 4).worth(1, 8), 0u) << "a draft as slow as the model";
  // (1 + 1/2 + ... + 1/2^n) / (1 + n / 4): 1.2, 1.17, 1.07
  EXPECT_EQ(learnt(4, 1).worth(0.25, 8), 1u);
  EXPECT_EQ(learnt(4, 1).worth(0.1, 8), 2u);
  EXPECT_EQ(Acceptance().worth(0.6, 1), 1u) << "it is hoped to be good";
  EXPECT_EQ(Acceptance().worth(0.7, 8), 0u);
  EXPECT_EQ(Acceptance().worth(0, 0), 0u);
}

TEST(Acceptance, ChangesItsMind) {
  Acceptance acceptance = learnt(4, 0);
  for (int i = 0; i < 5; ++i) acceptance.judge(2, 2);
  EXPECT_GT(acceptance.chance(), 0.4);
}

}  // namespace
}  // namespace ivl
