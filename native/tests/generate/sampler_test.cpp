#include "generate/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tensor/error.h"

namespace ivl {
namespace {

const std::vector<float> kLogits{0.0f, 2.0f, 1.0f, 2.0f, -1.0f};

Sampling drawn(float temperature, uint64_t seed = 1) {
  Sampling sampling;
  sampling.temperature = temperature;
  sampling.seed = seed;
  return sampling;
}

Sampled sample(const Sampler& sampler, const std::vector<float>& logits, const std::vector<int32_t>& generated = {}) {
  return ivl::sample(logits, sampler.next(generated));
}

std::map<int32_t, int> frequencies(const Sampling& sampling, int draws) {
  Sampler sampler(sampling);
  std::map<int32_t, int> counts;
  const std::vector<int32_t> generated(static_cast<size_t>(draws), 0);  // of no penalty
  for (size_t i = 0; i < generated.size(); ++i) ++counts[ivl::sample(kLogits, sampler.next(std::span(generated).first(i))).token];
  return counts;
}

TEST(Sampler, GreedyTakesTheLowestIdAmongEquals) { EXPECT_EQ(sample(Sampler({}), kLogits).token, 1); }

TEST(Sampler, LogprobsAreTheModelsOwnAndSumToOne) {
  Sampling sampling;
  sampling.top_logprobs = 5;
  sampling.repetition_penalty = 3;  // changes the choice, not the log-probabilities
  const Sampled sampled = sample(Sampler(sampling), kLogits, {1});
  ASSERT_EQ(sampled.top.size(), 5u);
  double total = 0;
  for (const TokenLogprob& each : sampled.top) total += std::exp(static_cast<double>(each.logprob));
  EXPECT_NEAR(total, 1, 1e-6);
  EXPECT_EQ(sampled.top[0].token, 1);
  EXPECT_EQ(sampled.top[1].token, 3);
  EXPECT_EQ(sampled.token, 3);
  EXPECT_FLOAT_EQ(sampled.logprob, sampled.top[1].logprob);
}

TEST(Sampler, FrequenciesFollowTheTemperature) {
  for (const float temperature : {0.5f, 1.0f, 2.0f}) {
    constexpr int kDraws = 40000;
    std::map<int32_t, int> counts = frequencies(drawn(temperature), kDraws);
    double total = 0;
    for (const float logit : kLogits) total += std::exp(logit / temperature);
    for (size_t i = 0; i < kLogits.size(); ++i) {
      const double p = std::exp(kLogits[i] / temperature) / total;
      const double deviation = std::sqrt(p * (1 - p) / kDraws);
      EXPECT_NEAR(static_cast<double>(counts[static_cast<int32_t>(i)]) / kDraws, p, 5 * deviation) << i;
    }
  }
}

TEST(Sampler, TopKAndTopPLimitTheChoice) {
  Sampling sampling = drawn(1);
  sampling.top_k = 2;
  EXPECT_EQ(frequencies(sampling, 500).size(), 2u);
  sampling.top_k = 100;
  EXPECT_EQ(frequencies(sampling, 5000).size(), 5u);
  sampling.top_k = 0;
  sampling.top_p = 1e-6f;  // at least one
  EXPECT_EQ(frequencies(sampling, 100).size(), 1u);
  sampling.top_p = 0.5f;  // the two best have 0.39 each
  EXPECT_EQ(frequencies(sampling, 500).size(), 2u);
  sampling.top_p = 0.9f;
  EXPECT_EQ(frequencies(sampling, 2000).size(), 3u);
}

TEST(Sampler, ARepeatedTokenIsPenalisedOnceWhateverItsSign) {
  Sampling sampling;
  sampling.repetition_penalty = 2.5f;
  EXPECT_EQ(sample(Sampler(sampling), kLogits, {1, 1, 1}).token, 3);
  EXPECT_EQ(sample(Sampler(sampling), kLogits, {1, 3}).token, 2);
  const std::vector<float> negative{-1.0f, -2.0f};
  EXPECT_EQ(sample(Sampler(sampling), negative, {0}).token, 1);
}

// Of the two best, each 0.39, and 0.14, 0.05, 0.02.
TEST(Sampler, MinPIsRelativeToTheBest) {
  Sampling sampling = drawn(1);
  for (const auto& [min_p, tokens] : {std::pair{0.0f, size_t{5}}, {0.04f, 5}, {0.1f, 4}, {0.3f, 3}, {0.5f, 2}, {0.999f, 2}}) {
    sampling.min_p = min_p;
    EXPECT_EQ(frequencies(sampling, 3000).size(), tokens) << min_p;
  }
}

TEST(Sampler, PenaltiesAndBiasesAreAddedToLogits) {
  Sampling sampling;
  sampling.presence_penalty = 0.5f;
  EXPECT_EQ(sample(Sampler(sampling), kLogits, {1}).token, 3);
  EXPECT_EQ(sample(Sampler(sampling), kLogits, {1, 3, 3, 3}).token, 1);
  sampling.presence_penalty = 0;
  sampling.frequency_penalty = 0.4f;
  EXPECT_EQ(sample(Sampler(sampling), kLogits, {1, 1, 3}).token, 3);
  EXPECT_EQ(sample(Sampler(sampling), kLogits, {1, 1, 1, 3, 3, 3}).token, 2) << "2 - 3 * 0.4 is less than 1";
  sampling.logit_bias = {{4, 2.0f}, {4, 2.0f}, {1, -100.0f}, {3, -INFINITY}};
  EXPECT_EQ(sample(Sampler(sampling), kLogits).token, 4);
}

TEST(Sampler, NoStopTokenBeforeTheLeastNumberOfTokens) {
  Sampling sampling;
  sampling.min_new_tokens = 2;
  sampling.max_new_tokens = 9;
  const Sampler sampler(sampling, {1, 3});
  EXPECT_EQ(sample(sampler, kLogits).token, 2);
  EXPECT_EQ(sample(sampler, kLogits, {2}).token, 2);
  EXPECT_EQ(sample(sampler, kLogits, {2, 2}).token, 1);
}

TEST(Sampler, AMaskLeavesWhatItAllows) {
  Draw draw = Sampler(drawn(1)).next({});
  for (const uint32_t bit : {0u, 2u, 4u}) {
    draw.allowed = std::make_shared<const std::vector<uint32_t>>(std::vector<uint32_t>{1u << bit});
    EXPECT_EQ(ivl::sample(kLogits, draw).token, static_cast<int32_t>(bit));
  }
  draw.allowed = std::make_shared<const std::vector<uint32_t>>(std::vector<uint32_t>{0});
  EXPECT_THROW(ivl::sample(kLogits, draw), Error);
}

TEST(Sampler, ASeedIsAnAnswer) {
  const auto draw = [](uint64_t seed) {
    Sampler sampler(drawn(1, seed));
    std::vector<int32_t> tokens;
    for (int i = 0; i < 30; ++i) tokens.push_back(ivl::sample(kLogits, sampler.next(tokens)).token);
    return tokens;
  };
  EXPECT_EQ(draw(7), draw(7));
  EXPECT_NE(draw(7), draw(8));
}

TEST(Sampler, LogitsThatAreNoNumbersAreAnError) {
  EXPECT_THROW(sample(Sampler({}), {0, std::nanf(""), 1}), Error);
  EXPECT_THROW(sample(Sampler({}), {0, INFINITY}), Error);
  EXPECT_EQ(sample(Sampler(drawn(1)), {-INFINITY, 0}).token, 1);
}

TEST(Sampler, OptionsOutOfRangeAreNamed) {
  const auto refused = [](auto change, const char* name) {
    Sampling sampling;
    change(sampling);
    try {
      validate(sampling, 100);
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), Status::InvalidArgument);
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos);
    }
  };
  refused([](Sampling& s) { s.temperature = -1; }, "temperature");
  refused([](Sampling& s) { s.temperature = std::nanf(""); }, "temperature");
  refused([](Sampling& s) { s.temperature = INFINITY; }, "temperature");
  refused([](Sampling& s) { s.top_k = -1; }, "top_k");
  refused([](Sampling& s) { s.top_p = 0; }, "top_p");
  refused([](Sampling& s) { s.top_p = 1.5f; }, "top_p");
  refused([](Sampling& s) { s.top_p = std::nanf(""); }, "top_p");
  refused([](Sampling& s) { s.repetition_penalty = 0; }, "repetition_penalty");
  refused([](Sampling& s) { s.max_new_tokens = 0; }, "max_new_tokens");
  refused([](Sampling& s) { s.min_p = 1; }, "min_p");
  refused([](Sampling& s) { s.min_p = std::nanf(""); }, "min_p");
  refused([](Sampling& s) { s.frequency_penalty = INFINITY; }, "frequency_penalty");
  refused([](Sampling& s) { s.presence_penalty = std::nanf(""); }, "presence_penalty");
  refused([](Sampling& s) { s.min_new_tokens = 2; }, "min_new_tokens");
  refused([](Sampling& s) { s.logit_bias = {{100, 1}}; }, "logit_bias of token is 100, expected a token below 100");
  refused([](Sampling& s) { s.logit_bias = {{1, std::nanf("")}}; }, "logit_bias");
  refused([](Sampling& s) { s.top_logprobs = 65; }, "top_logprobs");
}

}  // namespace
}  // namespace ivl
