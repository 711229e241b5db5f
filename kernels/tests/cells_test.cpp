// One cell speaks for sixteen bytes only while no check could tell them apart.
#include "emulation/cells.h"

#include <gtest/gtest.h>

namespace {

using simt::Cell;
using simt::Cells;

constexpr size_t kBytes = 64;
constexpr simt::WorkId kEarlier = 3, kNow = 4;

class OneOfSixteen : public testing::Test {
 protected:
  void SetUp() override { simt::running_work = kNow; }
  void TearDown() override { simt::running_work = 0; }

  // How many cells an access to all of the second sixteen bytes meets.
  int met() {
    int count = 0;
    cells_.visit(16, 32, false, [&](Cell&, size_t, uint8_t) { count++; });
    return count;
  }

  // Makes every two bytes' cell its own and changes each by its number; then lets them become one again, if they can.
  template <class Change>
  void each_apart(const Change& change) {
    for (size_t i = 0; i < 8; i++) change(cells_.of(16 + 2 * i), static_cast<uint16_t>(i));
    ASSERT_EQ(met(), 8);
  }

  Cells cells_{kBytes};
};

TEST_F(OneOfSixteen, BytesThatAreMeant) {
  struct Met {
    size_t byte;
    int bits;
    bool operator==(const Met&) const = default;
  };
  const auto met = [&](size_t first, size_t end, bool singly) {
    std::vector<Met> all;
    cells_.visit(first, end, singly, [&](Cell&, size_t byte, uint8_t bits) { all.push_back({byte, bits}); });
    return all;
  };
  EXPECT_EQ(met(0, 48, false), (std::vector<Met>{{0, 3}, {16, 3}, {32, 3}}));
  EXPECT_EQ(met(13, 35, false), (std::vector<Met>{{13, 2}, {14, 3}, {16, 3}, {32, 3}, {34, 1}}));
  EXPECT_EQ(met(48, 64, true), (std::vector<Met>{{48, 3}, {50, 3}, {52, 3}, {54, 3}, {56, 3}, {58, 3}, {60, 3}, {62, 3}}));
  EXPECT_TRUE(met(7, 7, false).empty());
}

TEST_F(OneOfSixteen, WhatWasKnownOfAllIsKnownOfEach) {
  cells_.visit(16, 32, false, [](Cell& cell, size_t, uint8_t bits) {
    cell.written = bits;
    cell.writer.launch = kNow;
    cell.writer.thread = 7;
  });
  cells_.of(20).writer.thread = 8;
  EXPECT_EQ(cells_.of(18).writer.thread, 7);
  EXPECT_EQ(cells_.of(20).writer.thread, 8);
  EXPECT_EQ(cells_.of(30).written, 3);
  EXPECT_EQ(cells_.of(14).written, 0) << "of the sixteen before";
  EXPECT_EQ(met(), 8) << "different writers";
}

TEST_F(OneOfSixteen, AlikeTheyAreOneAgain) {
  each_apart([](Cell& cell, uint16_t) {
    cell.written = 3;
    cell.writer.launch = kNow;
  });
  EXPECT_EQ(met(), 1);
}

TEST_F(OneOfSixteen, ThreadsOfWorkThatIsOverAreNoDifference) {
  each_apart([](Cell& cell, uint16_t i) {
    cell.writer.launch = cell.readers[0].launch = kEarlier;
    cell.writer.thread = cell.readers[0].block = i;
    cell.readers[1].launch = i % 2 == 0 ? kEarlier : 0;
  });
  EXPECT_EQ(met(), 1);
}

TEST_F(OneOfSixteen, WhatChecksLookAtKeepsThemApart) {
  const std::vector<void (*)(Cell&)> differences = {
      [](Cell& cell) { cell.writer.launch = kEarlier; },
      [](Cell& cell) { cell.readers[0].launch = kEarlier; },
      [](Cell& cell) { cell.writer = {kNow, 0, 1, 0, 0, 0}; },
      [](Cell& cell) { cell.writer = {kNow, 0, 0, 0, 0, 1}; },
      [](Cell& cell) { cell.readers[0] = {kNow, 1, 0, 0, 0, 0}; },
      [](Cell& cell) { cell.readers[1] = {kNow, 0, 0, 0, 1, 0}; },
      [](Cell& cell) { cell.written = 1; },
      [](Cell& cell) { cell.atomic = 1; },
      [](Cell& cell) { cell.in_flight = 1; },
      [](Cell& cell) { cell.read_elsewhere = 1; },
  };
  for (size_t i = 0; i < differences.size(); i++) {
    SCOPED_TRACE(i);
    cells_ = Cells(kBytes);
    differences[i](cells_.of(16 + 2 * (i % 8)));
    ASSERT_EQ(met(), 8);
    EXPECT_EQ(met(), 8);
  }
}

TEST_F(OneOfSixteen, ReadersKeptElsewhereStayTheirCells) {
  each_apart([](Cell& cell, uint16_t) { cell.read_elsewhere = 1; });
  EXPECT_EQ(met(), 8);
}

TEST_F(OneOfSixteen, ForgottenTheyAreOneThatKnowsNothing) {
  each_apart([](Cell& cell, uint16_t i) { cell.written = i % 2 == 0 ? 3 : 1; });
  cells_.forget();
  EXPECT_EQ(cells_.of(48).written, 0);
  cells_.visit(16, 32, false, [](const Cell& cell, size_t, uint8_t) { EXPECT_EQ(cell.written, 0); });
  EXPECT_EQ(met(), 1);
}

}  // namespace
