// The rules of sampling, and the cuts of top-k and top-p at ties and extremes.
#include "backend/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/sampling_rules.h"
#include "tensor/error.h"

namespace ivl {
namespace {

TEST(SamplingRules, AMassIsTheExponentialAndNeverGrowsWithTheDistance) {
  EXPECT_EQ(sampling::mass_of(0), sampling::kFullMass);
  EXPECT_EQ(sampling::mass_of(28), 0u);
  EXPECT_EQ(sampling::mass_of(INFINITY), 0u);
  EXPECT_EQ(sampling::mass_of(std::nanf("")), 0u);
  uint64_t before = sampling::kFullMass;
  for (float distance = 1e-9f; distance < 28; distance *= 1.0001f) {
    const double exact = std::exp(-static_cast<double>(distance)) * static_cast<double>(sampling::kFullMass);
    const uint64_t mass = sampling::mass_of(distance);
    ASSERT_NEAR(static_cast<double>(mass), exact, 1e-8 * exact + 1) << distance;
    ASSERT_LE(mass, before) << distance;
    before = mass;
  }
}

TEST(SamplingRules, KeysAreOrderedAsNumbersAre) {
  const std::vector<float> ordered{-INFINITY, -3e38f, -1, -1e-45f, 0, 1e-45f, 1, 3e38f, INFINITY};
  for (size_t i = 0; i < ordered.size(); ++i) {
    EXPECT_EQ(sampling::value_of(sampling::key_of(ordered[i])), ordered[i]);
    if (i > 0) {
      EXPECT_LT(sampling::key_of(ordered[i - 1]), sampling::key_of(ordered[i])) << ordered[i];
    }
  }
  EXPECT_EQ(sampling::key_of(-0.0f), sampling::key_of(0.0f));
  EXPECT_GT(sampling::key_of(std::nanf("")), sampling::key_of(INFINITY));
  EXPECT_GT(sampling::key_of(-std::nanf("")), sampling::key_of(INFINITY));
  EXPECT_TRUE(std::isnan(sampling::value_of(sampling::key_of(std::nanf("")))));
}

TEST(SamplingRules, SharesStayWithinTheirTotal) {
  const uint64_t total = (uint64_t{1} << 60) - 1;  // as a double it is more
  EXPECT_EQ(sampling::wanted_mass(total, 1), total);
  EXPECT_EQ(sampling::wanted_mass(total, 1e-30f), 1u);
  EXPECT_EQ(sampling::drawn_mass(total, 0), 0u);
  EXPECT_LT(sampling::drawn_mass(total, 1 - 0x1p-53), total);
  EXPECT_EQ(sampling::drawn_mass(1, 1 - 0x1p-53), 0u);
}

// Every token that comes out when the random number runs over [0, 1).
std::vector<int> counts(const std::vector<float>& logits, Draw draw, int steps) {
  std::vector<int> result(logits.size());
  for (int i = 0; i < steps; ++i) {
    draw.uniform = (i + 0.5) / steps;
    ++result[static_cast<size_t>(sample(logits, draw).token)];
  }
  return result;
}

Draw with(float temperature, int32_t top_k, float top_p) {
  Draw draw;
  draw.temperature = temperature;
  draw.top_k = top_k;
  draw.top_p = top_p;
  return draw;
}

TEST(Sample, EveryTokenHasItsShareOfTheRandomNumbers) {
  const std::vector<float> logits{0.5f, -1, 2, 2, -INFINITY, 1};
  for (const float temperature : {0.3f, 1.0f, 5.0f}) {
    double total = 0;
    for (const float logit : logits) total += std::exp(logit / temperature);
    const std::vector<int> got = counts(logits, with(temperature, 0, 1), 5000);
    for (size_t i = 0; i < logits.size(); ++i) {
      EXPECT_NEAR(got[i], 5000 * std::exp(logits[i] / temperature) / total, 1.01) << i << " at " << temperature;
    }
  }
}

TEST(Sample, OfEqualsAtACutTheLowestIdsStay) {
  const std::vector<float> logits{1, 3, 1, 1, 3, 1};
  EXPECT_EQ(counts(logits, with(1, 3, 1), 1000)[3], 0);
  EXPECT_GT(counts(logits, with(1, 3, 1), 1000)[0], 0);
  const std::vector<int> equal = counts(std::vector<float>(8, -2.0f), with(1, 0, 0.5f), 400);
  EXPECT_EQ(equal, (std::vector<int>{100, 100, 100, 100, 0, 0, 0, 0}));
}

TEST(Sample, TopPIsOfWhatTopKLeft) {
  // Three of 0.3 and one of 0.1: of the two that top-k leaves, the first alone has a half.
  const std::vector<float> logits{std::log(3.0f), std::log(3.0f), std::log(3.0f), 0};
  EXPECT_EQ(counts(logits, with(1, 2, 0.5f), 100), (std::vector<int>{100, 0, 0, 0}));
  EXPECT_EQ(counts(logits, with(1, 2, 0.51f), 100), (std::vector<int>{50, 50, 0, 0}));
}

TEST(Sample, ExtremeSettingsAreStillChoices) {
  const std::vector<float> logits{-5, 1, 0.999999f, -80};
  EXPECT_EQ(counts(logits, with(1e-38f, 0, 1), 10)[1], 10);
  EXPECT_EQ(counts(logits, with(3e38f, 0, 1), 400), (std::vector<int>{100, 100, 100, 100}));
  EXPECT_EQ(counts(logits, with(3e38f, 1, 1), 10)[1], 10);
  EXPECT_EQ(counts(logits, with(1, 4, 1), 10), counts(logits, with(1, 0, 1), 10));
  Draw draw = with(1, 0, 1);
  const std::vector<int32_t> generated{0, 1, 3, 1};
  draw.generated = generated;
  draw.uniform = 0.5;
  for (const float penalty : {1e-39f, 3e38f}) {  // scores become infinite
    draw.repetition_penalty = penalty;
    const Sampled sampled = sample(logits, draw);
    EXPECT_EQ(sampled.token, penalty < 1 ? 1 : 2);
    EXPECT_TRUE(std::isfinite(sampled.logprob));
  }
}

TEST(Sample, LogprobsAreThoseOfDoublePrecision) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 4);
  std::vector<float> logits(64009);
  for (float& logit : logits) logit = normal(random);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  Draw draw;
  draw.top_logprobs = kMostTopLogprobs;
  const Sampled sampled = sample(logits, draw);
  ASSERT_EQ(sampled.top.size(), static_cast<size_t>(kMostTopLogprobs));
  EXPECT_EQ(sampled.top[0].token, sampled.token);
  EXPECT_EQ(sampled.top[0].logprob, sampled.logprob);
  for (const TokenLogprob& each : sampled.top) {
    EXPECT_NEAR(each.logprob, logits[static_cast<size_t>(each.token)] - std::log(sum), 1e-6);
  }
}

TEST(Sample, WhatIsNoNumberIsAnErrorThatSaysSo) {
  const auto message = [](const std::vector<float>& logits) -> std::string {
    try {
      sample(logits, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), Status::NotFinite);
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message({0, std::nanf(""), INFINITY}).find("not numbers"), std::string::npos);
  EXPECT_NE(message({0, INFINITY}).find("infinite"), std::string::npos);
  EXPECT_NE(message({-INFINITY, -INFINITY}).find("infinite"), std::string::npos);
  EXPECT_EQ(message({-INFINITY, 0}), "");
}

}  // namespace
}  // namespace ivl
