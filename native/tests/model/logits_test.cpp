#include "model/logits.h"

#include <gtest/gtest.h>

#include "backend/reference_backend.h"

namespace ivl {
namespace {

TEST(LogitsPool, GivesMemoryAgainOnlyWhenNobodyHoldsIt) {
  LogitsPool pool(std::make_shared<testing::ReferenceBackend>(), 777);
  Logits first = pool.take(3);
  EXPECT_EQ(first.matrix.rows, 3);
  EXPECT_EQ(first.matrix.cols, 777);
  EXPECT_EQ(first.matrix.stride % 16, 0);
  const void* memory = first.matrix.data;
  EXPECT_NE(pool.take(1).matrix.data, memory);
  Logits row = first.row_range(2, 1);
  EXPECT_EQ(row.matrix.data, static_cast<const float*>(memory) + 2 * first.matrix.stride);
  first = {};
  EXPECT_NE(pool.take(3).matrix.data, memory);  // a row is still held
  row = {};
  EXPECT_EQ(pool.take(2).matrix.data, memory);  // fewer rows fit
}

TEST(LogitsPool, ItsLogitsMayOutliveIt) {
  Logits kept;
  {
    LogitsPool pool(std::make_shared<testing::ReferenceBackend>(), 16);
    kept = pool.take(1);
  }
  const std::vector<float> values(16, 2.5f);
  kept.backend->from_host(kept.matrix, values.data());
  std::vector<float> back(16);
  kept.backend->to_host(back.data(), kept.matrix);
  EXPECT_EQ(back, values);
}

}  // namespace
}  // namespace ivl
