#include "experts.h"

#include <algorithm>
#include <numeric>

#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

struct Shape {
  int rows;
  int experts;
  int chosen;
};

// Of the published models (128, 8), of fewer experts than a warp has lanes, of a ragged share, of all that there are.
const Shape kShapes[] = {{5, 128, 8}, {1, 8, 2}, {9, 40, 3}, {3, 4, 4}, {70, 6, 1}, {2, 300, 32}};

// The routes of logits, unpacked.
template <class T>
std::vector<float> route(const Shape& s, const std::vector<float>& logits, bool normalizes) {
  const DeviceArray<float> in(logits), out(static_cast<size_t>(s.rows * 2 * s.chosen));
  const gpu::Routes routes{{out.data(), 2 * s.chosen}, s.rows, s.experts, s.chosen};
  EXPECT_EQ(gpu::route<T>(routes, {in.data(), s.experts}, normalizes, nullptr), cudaSuccess);
  EXPECT_EQ(reported(), "");
  return out.read();
}

std::vector<float> random_logits(const Shape& s) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> logits(static_cast<size_t>(s.rows * s.experts));
  for (float& logit : logits) logit = 2 * normal(random);
  return logits;
}

// Numbers, then weights, of one row.
std::vector<double> expected_route(const std::vector<double>& logits, int chosen, bool normalizes) {
  std::vector<double> p;
  double sum = 0;
  for (const double z : logits) sum += std::exp(z);
  for (const double z : logits) p.push_back(std::exp(z) / sum);
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] > p[b]; });
  order.resize(static_cast<size_t>(chosen));
  double of_chosen = 0;
  for (const size_t e : order) of_chosen += p[e];
  std::sort(order.begin(), order.end());
  std::vector<double> route;
  for (const size_t e : order) route.push_back(static_cast<double>(e));
  for (const size_t e : order) route.push_back(normalizes ? p[e] / of_chosen : p[e]);
  return route;
}

template <class T>
class ExpertsTest : public testing::Test {};
using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(ExpertsTest, Types);

TYPED_TEST(ExpertsTest, RoutesToTheLargest) {
  for (const Shape& s : kShapes) {
    for (const bool normalizes : {false, true}) {
      SCOPED_TRACE(std::to_string(s.experts) + " experts");
      const std::vector<float> logits = random_logits(s), got = route<TypeParam>(s, logits, normalizes);
      for (int row = 0; row < s.rows; row++) {
        const auto first = logits.begin() + static_cast<std::ptrdiff_t>(row) * s.experts;
        const std::vector<double> expected = expected_route({first, first + s.experts}, s.chosen, normalizes);
        for (int i = 0; i < 2 * s.chosen; i++) {
          const double x = expected[static_cast<size_t>(i)];
          const double bound = i < s.chosen ? 0 : x * (kRounding<TypeParam> * 1.01 + 1e-6) + 1e-6;
          ASSERT_NEAR(got[static_cast<size_t>(row * 2 * s.chosen + i)], x, bound) << row << ", " << i;
        }
      }
    }
  }
}

TYPED_TEST(ExpertsTest, AmongEqualsTheLowerNumbersAreChosen) {
  std::vector<float> logits(40, 1.0f);
  for (const size_t e : {size_t{3}, size_t{17}, size_t{35}, size_t{38}}) logits[e] = 2;
  const std::vector<float> got = route<TypeParam>({1, 40, 3}, logits, true);
  EXPECT_EQ((std::vector<float>{got.begin(), got.begin() + 3}), (std::vector<float>{3, 17, 35}));
  const std::vector<float> more = route<TypeParam>({1, 40, 6}, logits, true);
  EXPECT_EQ((std::vector<float>{more.begin(), more.begin() + 6}), (std::vector<float>{0, 1, 3, 17, 35, 38}));
}

TYPED_TEST(ExpertsTest, ARowThatIsNotFiniteHasExpertsOfWeightNan) {
  const Shape s{3, 40, 4};
  std::vector<float> logits = random_logits(s);
  const std::vector<float> clean = route<TypeParam>(s, logits, true);
  for (const float bad : {NAN, INFINITY}) {
    logits[40 + 7] = bad;
    const std::vector<float> got = route<TypeParam>(s, logits, true);
    for (size_t i = 0; i < got.size(); i++) {
      if (i / 8 != 1) {
        EXPECT_EQ(got[i], clean[i]);
      } else if (i % 8 < 4) {
        EXPECT_TRUE(got[i] >= 0 && got[i] < 40 && (i % 8 == 0 || got[i] > got[i - 1])) << got[i];
      } else {
        EXPECT_TRUE(std::isnan(got[i]));
      }
    }
  }
}

TYPED_TEST(ExpertsTest, RefusesWhatItCannotHold) {
  for (const Shape& s : {Shape{1, gpu::kMostExperts + 1, 1}, {1, 100, gpu::kMostChosen + 1}, {1, 4, 5}}) {
    const gpu::Routes routes{{nullptr, 2 * s.chosen}, s.rows, s.experts, s.chosen};
    EXPECT_EQ(gpu::route<TypeParam>(routes, {nullptr, s.experts}, true, nullptr), cudaErrorInvalidValue);
  }
}

// Rows with experts of their own choosing, or all with the same.
std::vector<float> some_routes(const Shape& s, bool all_alike) {
  std::vector<float> routes;
  for (int row = 0; row < s.rows; row++) {
    std::vector<float> numbers;
    for (int i = 0; i < s.chosen; i++) numbers.push_back(static_cast<float>(((all_alike ? 0 : row * row) + i) % s.experts));
    std::sort(numbers.begin(), numbers.end());
    routes.insert(routes.end(), numbers.begin(), numbers.end());
    for (int i = 0; i < s.chosen; i++) routes.push_back(0.5f - 0.37f * static_cast<float>(i));
  }
  return routes;
}

TYPED_TEST(ExpertsTest, SortsGathersAndMixes) {
  constexpr int kCols = 520;  // more than a block's threads take at once
  for (const Shape& s : kShapes) {
    for (const bool all_alike : {false, true}) {
      SCOPED_TRACE(std::to_string(s.experts) + " experts, " + std::to_string(s.rows) + " rows");
      const std::vector<float> routed = some_routes(s, all_alike);
      const int slots = s.rows * s.chosen;
      const DeviceArray<float> route_rows(routed);
      const gpu::Routes routes{{route_rows.data(), 2 * s.chosen}, s.rows, s.experts, s.chosen};
      const DeviceArray<int> offsets(static_cast<size_t>(s.experts + 1)), row_of(static_cast<size_t>(slots)),
          slot_of(static_cast<size_t>(slots));
      const gpu::ExpertSlots places{offsets.data(), row_of.data(), slot_of.data()};
      ASSERT_EQ(gpu::sort_by_expert(places, routes, nullptr), cudaSuccess);
      EXPECT_EQ(reported(), "");

      std::vector<int> want_offsets{0}, want_rows, want_slots(static_cast<size_t>(slots));
      for (int e = 0; e < s.experts; e++) {
        for (int at = 0; at < slots; at++) {
          if (static_cast<int>(routed[static_cast<size_t>(at / s.chosen * 2 * s.chosen + at % s.chosen)]) != e) continue;
          want_slots[static_cast<size_t>(at)] = static_cast<int>(want_rows.size());
          want_rows.push_back(at / s.chosen);
        }
        want_offsets.push_back(static_cast<int>(want_rows.size()));
      }
      ASSERT_EQ(offsets.read(), want_offsets);
      ASSERT_EQ(row_of.read(), want_rows);
      ASSERT_EQ(slot_of.read(), want_slots);

      const auto values = random_values<TypeParam>(static_cast<size_t>(s.rows * kCols), 2);
      const DeviceArray<TypeParam> in(values), gathered(static_cast<size_t>(slots * kCols));
      ASSERT_EQ(gpu::gather_slots<TypeParam>({gathered.data(), kCols}, {in.data(), kCols}, row_of.data(), routes, kCols, nullptr),
                cudaSuccess);
      EXPECT_EQ(reported(), "");
      const std::vector<TypeParam> rows = gathered.read();
      for (size_t i = 0; i < rows.size(); i++) {
        const size_t row = static_cast<size_t>(want_rows[i / kCols]);
        ASSERT_EQ(rows[i].bits, values[row * kCols + i % kCols].bits) << i;
      }

      std::vector<float> results(static_cast<size_t>(slots * kCols));
      for (size_t i = 0; i < results.size(); i++) results[i] = std::sin(static_cast<float>(i));
      const DeviceArray<float> parts(results);
      const DeviceArray<TypeParam> x(values);
      ASSERT_EQ(gpu::mix_slots<TypeParam>({x.data(), kCols}, {parts.data(), kCols}, slot_of.data(), routes, kCols, nullptr),
                cudaSuccess);
      EXPECT_EQ(reported(), "");
      const std::vector<TypeParam> mixed = x.read();
      for (size_t i = 0; i < mixed.size(); i++) {
        const size_t row = i / kCols;
        float sum = 0;  // in this order, in f32
        for (size_t j = 0; j < static_cast<size_t>(s.chosen); j++) {
          const auto slot = static_cast<size_t>(want_slots[row * static_cast<size_t>(s.chosen) + j]);
          sum = std::fma(routed[row * 2 * static_cast<size_t>(s.chosen) + static_cast<size_t>(s.chosen) + j],
                         results[slot * kCols + i % kCols], sum);
        }
        ASSERT_EQ(mixed[i].bits, gpu::from_float<TypeParam>(gpu::to_float(values[i]) + sum).bits) << i;
      }
    }
  }
}

}  // namespace
