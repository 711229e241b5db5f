#include "sampling.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "sampling_rules.h"
#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// One row: its logits and how it is sampled.
struct Row {
  std::vector<float> logits;
  gpu::SamplingRow settings;
  std::vector<int> generated;
};

struct Result {
  gpu::SampledRow row;
  std::vector<gpu::TopToken> top;
};

std::vector<Result> run(const std::vector<Row>& rows) {
  const size_t vocabulary = rows[0].logits.size();
  std::vector<float> logits;
  std::vector<int> generated(1);
  int most_top = 0;
  for (const Row& row : rows) {
    logits.insert(logits.end(), row.logits.begin(), row.logits.end());
    generated.insert(generated.end(), row.generated.begin(), row.generated.end());
    most_top = std::max(most_top, row.settings.top);
  }
  const DeviceArray<int> device_generated(generated);
  std::vector<gpu::SamplingRow> settings;
  const int* next = device_generated.data() + 1;
  for (const Row& row : rows) {
    settings.push_back(row.settings);
    settings.back().generated = next;
    settings.back().generated_count = static_cast<int>(row.generated.size());
    next += row.generated.size();
  }
  const DeviceArray<float> device_logits(logits);
  const DeviceArray<gpu::SamplingRow> device_rows(settings);
  const DeviceArray<gpu::SampledRow> out(rows.size());
  const DeviceArray<gpu::TopToken> top(rows.size() * static_cast<size_t>(most_top) + 1);
  const DeviceArray<uint64_t> workspace(
      gpu::sampling_workspace(static_cast<int64_t>(rows.size()), static_cast<int>(vocabulary)) / sizeof(uint64_t) + 1);
  gpu::Sampling sampling;
  sampling.logits = {device_logits.data(), static_cast<int64_t>(vocabulary)};
  sampling.rows = device_rows.data();
  sampling.row_count = static_cast<int64_t>(rows.size());
  sampling.vocabulary = static_cast<int>(vocabulary);
  sampling.out = out.data();
  sampling.top = top.data();
  sampling.top_stride = most_top;
  sampling.workspace = workspace.data();
  EXPECT_EQ(gpu::sample(sampling, nullptr), cudaSuccess);
  EXPECT_EQ(reported(), "");
  std::vector<Result> results;
  for (size_t i = 0; i < rows.size(); i++) {
    const size_t wanted = std::min(static_cast<size_t>(rows[i].settings.top), vocabulary);
    results.push_back({out.read(i, 1)[0], top.read(i * static_cast<size_t>(most_top), wanted)});
  }
  return results;
}

// Tokens from the best to the worst, the lower id first among equals.
std::vector<int> sorted(const std::vector<float>& scores) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return scores[static_cast<size_t>(a)] > scores[static_cast<size_t>(b)]; });
  return order;
}

// By sorting everything.
int expected_token(const Row& row) {
  std::vector<float> scores = row.logits;
  for (int token : row.generated) {
    const auto at = static_cast<size_t>(token);
    scores[at] = sampling::penalised(row.logits[at], row.settings.penalty);
  }
  std::vector<int> kept = sorted(scores);
  if (row.settings.temperature == 0) {
    return kept[0];
  }
  const float best = scores[static_cast<size_t>(kept[0])];
  const auto mass = [&](int token) {
    return sampling::mass_of(sampling::distance_of(scores[static_cast<size_t>(token)], best, row.settings.temperature));
  };
  const auto sum = [&] {
    return std::accumulate(kept.begin(), kept.end(), uint64_t{0}, [&](uint64_t all, int token) { return all + mass(token); });
  };
  if (row.settings.top_k > 0 && static_cast<size_t>(row.settings.top_k) < kept.size()) {
    kept.resize(static_cast<size_t>(row.settings.top_k));
  }
  if (row.settings.top_p < 1) {
    const uint64_t wanted = sampling::wanted_mass(sum(), row.settings.top_p);
    uint64_t reached = 0;
    size_t count = 0;
    while (reached < wanted) {
      reached += mass(kept[count++]);
    }
    kept.resize(count);
  }
  uint64_t left = sampling::drawn_mass(sum(), row.settings.uniform);
  std::sort(kept.begin(), kept.end());
  for (int token : kept) {
    if (left < mass(token)) {
      return token;
    }
    left -= mass(token);
  }
  return -1;
}

void expect_result(const Result& result, const Row& row) {
  ASSERT_EQ(result.row.token, expected_token(row));
  const float best = *std::max_element(row.logits.begin(), row.logits.end());
  EXPECT_EQ(result.row.best, best);
  EXPECT_EQ(result.row.logit, row.logits[static_cast<size_t>(result.row.token)]);
  double sum = 0;
  for (float logit : row.logits) {
    sum += std::exp(static_cast<double>(logit) - best);
  }
  EXPECT_NEAR(static_cast<double>(result.row.mass) / sampling::kFullMass, sum, 3e-7 * sum);
  const std::vector<int> order = sorted(row.logits);
  for (size_t i = 0; i < result.top.size(); i++) {
    ASSERT_EQ(result.top[i].token, order[i]) << i;
    EXPECT_EQ(result.top[i].logit, row.logits[static_cast<size_t>(order[i])]);
  }
}

gpu::SamplingRow settings(float temperature, int top_k, float top_p, double uniform, int top = 0) {
  gpu::SamplingRow row;
  row.temperature = temperature;
  row.top_k = top_k;
  row.top_p = top_p;
  row.uniform = uniform;
  row.top = top;
  return row;
}

// One of each kind of choice, for logits of any vocabulary.
std::vector<Row> choices(const std::vector<float>& logits) {
  const auto vocabulary = static_cast<int>(logits.size());
  std::vector<Row> rows;
  for (const auto& each :
       {settings(0, 0, 1, 0, 5), settings(1, 0, 1, 0.37), settings(0.7f, 50, 1, 0.9, 64), settings(1, 0, 0.9f, 0.5),
        settings(1.5f, 40, 0.8f, 0.999), settings(1, 1, 1, 0.5), settings(1, vocabulary, 0.3f, 0), settings(1, 0, 1e-7f, 0.7),
        settings(1e30f, 5, 1, 0.95), settings(1e30f, 0, 0.5f, 0.95), settings(1e-30f, 3, 0.99f, 0.4)}) {
    rows.push_back({logits, each, {}});
  }
  // The best is among what was generated, some of it twice.
  const std::vector<int> order = sorted(logits);
  const std::vector<int> generated = {order[0], vocabulary - 1, 0, order[0], vocabulary / 2};
  for (const float penalty : {0.5f, 1.3f}) {
    for (const auto& each : {settings(0, 0, 1, 0), settings(1, 20, 0.95f, 0.6, 3)}) {
      rows.push_back({logits, each, generated});
      rows.back().settings.penalty = penalty;
    }
  }
  return rows;
}

void expect_choices(const std::vector<float>& logits) {
  const std::vector<Row> rows = choices(logits);
  const std::vector<Result> results = run(rows);
  for (size_t i = 0; i < rows.size(); i++) {
    SCOPED_TRACE("row " + std::to_string(i) + " of " + std::to_string(logits.size()) + " tokens");
    expect_result(results[i], rows[i]);
  }
}

std::vector<float> normal_logits(size_t vocabulary, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> logits(vocabulary);
  for (float& logit : logits) {
    logit = normal(random);
  }
  return logits;
}

TEST(Sampling, ChoosesWhatASortWouldInVocabulariesOfAnySize) {
  for (size_t vocabulary : {1, 7, 255, 4096, 64009}) {
    expect_choices(normal_logits(vocabulary, vocabulary));
  }
}

TEST(Sampling, OfEqualsAtACutTheLowestIdsStay) {
  std::vector<float> few_values = normal_logits(5000, 1);
  for (float& logit : few_values) {
    logit = std::round(logit) / 2;
  }
  expect_choices(few_values);
  expect_choices(std::vector<float>(4099, -1.5f));
  std::vector<float> zeros(300, 0.0f);
  for (size_t i = 0; i < zeros.size(); i += 2) {
    zeros[i] = -0.0f;
  }
  expect_choices(zeros);
}

TEST(Sampling, WhatIsImpossibleIsNeverDrawn) {
  std::vector<float> logits = normal_logits(3000, 2);
  for (size_t i = 0; i < logits.size(); i++) {
    if (i % 3 != 0) {
      logits[i] = -kInfinity;
    }
  }
  expect_choices(logits);
  expect_choices({-kInfinity, -kInfinity, 3, -kInfinity});
}

TEST(Sampling, LogitsThatAreNoNumbersAreShown) {
  std::vector<Row> rows;
  for (const float bad : {std::nanf(""), -std::nanf(""), kInfinity}) {
    Row row{normal_logits(2500, 3), settings(1, 10, 0.9f, 0.5, 4), {}};
    row.logits[2400] = bad;
    rows.push_back(row);
  }
  rows.push_back({std::vector<float>(2500, -kInfinity), settings(1, 10, 0.9f, 0.5), {}});
  rows.push_back({normal_logits(2500, 4), settings(1, 10, 0.9f, 0.5, 4), {}});
  const std::vector<Result> results = run(rows);
  EXPECT_TRUE(std::isnan(results[0].row.best));
  EXPECT_TRUE(std::isnan(results[1].row.best));
  EXPECT_EQ(results[2].row.best, kInfinity);
  EXPECT_EQ(results[3].row.best, -kInfinity);
  expect_result(results[4], rows[4]);  // their company does not mind
}

TEST(Sampling, ARowIsTheSameAloneAndInCompany) {
  const std::vector<Row> rows = choices(normal_logits(4500, 5));
  const std::vector<Result> together = run(rows);
  for (size_t i = 0; i < rows.size(); i += 3) {
    const Result alone = run({rows[i]})[0];
    EXPECT_EQ(alone.row.token, together[i].row.token);
    EXPECT_EQ(alone.row.mass, together[i].row.mass);
    EXPECT_EQ(alone.row.best, together[i].row.best);
    EXPECT_EQ(alone.row.logit, together[i].row.logit);
  }
}

TEST(Sampling, EveryTokenHasItsShareOfTheRandomNumbers) {
  constexpr int kSteps = 150;
  const std::vector<float> logits = {0.5f, -1, 2, 2, -kInfinity, 1, 0};
  double total = 0;
  for (float logit : logits) {
    total += std::exp(logit / 1.5);
  }
  std::vector<Row> rows;
  for (int i = 0; i < kSteps; i++) {
    rows.push_back({logits, settings(1.5f, 0, 1, (i + 0.5) / kSteps), {}});
  }
  std::vector<int> counts(logits.size());
  for (const Result& result : run(rows)) {
    counts[static_cast<size_t>(result.row.token)]++;
  }
  for (size_t i = 0; i < logits.size(); i++) {
    EXPECT_NEAR(counts[i], kSteps * std::exp(logits[i] / 1.5) / total, 1.01) << i;
  }
}

TEST(Sampling, AVocabularyOfMillionsIsRefused) {
  gpu::Sampling sampling;
  sampling.row_count = 1;
  sampling.vocabulary = (1 << 21) + 1;
  EXPECT_EQ(gpu::sample(sampling, nullptr), cudaErrorInvalidValue);
}

}  // namespace
