// Guessed tokens: what is looked up, and that an answer is the same with and without.
#include "generate/prompt_lookup.h"

#include <gtest/gtest.h>

#include "cpu/cpu_backend.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::Answer;
using testing::Requests;
using Tokens = std::vector<int32_t>;

TEST(PromptLookup, GuessesWhatStoodBehindTheSameTokens) {
  PromptLookup lookup(4);
  Tokens tokens{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(lookup.guess(tokens, 0), Tokens());
  for (const int32_t token : {2, 3, 4}) tokens.push_back(token);
  EXPECT_EQ(lookup.guess(tokens, 0), (Tokens{5, 6, 7, 8}));
  for (const int32_t token : {5, 6, 7, 8}) tokens.push_back(token);
  EXPECT_EQ(lookup.guess(tokens, 0), (Tokens{2, 3, 4, 5})) << "the last place counts";
  tokens.push_back(9);
  EXPECT_EQ(lookup.guess(tokens, 0), Tokens());
  EXPECT_EQ(PromptLookup(0).guess(Tokens{1, 1, 1, 1, 1, 1}, 0), Tokens());
  EXPECT_EQ(PromptLookup(4).guess(Tokens{1, 1}, 0), Tokens());
}

TEST(PromptLookup, IsSilentWhereItDoesNotPayAndTriesAgain) {
  PromptLookup lookup(2);
  const Tokens tokens{1, 2, 3, 1, 2, 3};
  for (int i = 0; i < 20; ++i) {
    if (!lookup.guess(tokens, 0.1).empty()) lookup.judge(2, 0);
  }
  int guesses = 0;
  for (int i = 0; i < 320; ++i) guesses += lookup.guess(tokens, 0.1).empty() ? 0 : 1;
  EXPECT_EQ(guesses, 10);
  for (int i = 0; i < 10; ++i) lookup.judge(2, 2);
  EXPECT_EQ(lookup.guess(tokens, 0.1), (Tokens{1, 2}));
}

// Greedy and drawn, with penalties that depend on every token before.
TEST(Guesses, ChangeNothingInAnAnswer) {
  const testing::Oracle oracle("hermes-d128");
  const auto engine = oracle.load(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 2}), DType::BF16);
  Prompt prompt;
  for (int i = 0; i < 60; ++i) prompt.tokens.push_back(50 + i % 7);
  int64_t right = 0;
  for (const float temperature : {0.0f, 0.7f}) {
    for (const float penalty : {1.0f, 1.3f}) {
      Sampling sampling = testing::greedy(60);
      sampling.temperature = temperature;
      sampling.repetition_penalty = penalty;
      // Goes round: each token that is drawn falls behind the other two.
      sampling.logit_bias = {{5, 1020}, {6, 1010}, {7, 1000}};
      sampling.frequency_penalty = 30;
      sampling.top_logprobs = 3;
      sampling.seed = 5;
      Answer answers[2];
      for (const int guesses : {0, 8}) {
        Requests requests(engine, {.kv_blocks = 0, .row_cost = 0});
        requests.add(prompt, sampling, {.most_guessed = guesses});
        requests.run();
        answers[guesses / 8] = requests.of(0);
        right += requests.scheduler().counts().right_tokens;
        EXPECT_EQ(requests.scheduler().counts().passes, 60 - requests.scheduler().counts().right_tokens);
      }
      EXPECT_EQ(answers[0].tokens, answers[1].tokens);
      EXPECT_EQ(answers[0].logits, answers[1].logits);
      EXPECT_EQ(answers[0].finish, answers[1].finish);
    }
  }
  EXPECT_GT(right, 30) << "or nothing was tried";
}

// Behind a stop token that was guessed right nothing comes.
TEST(Guesses, EndWithTheAnswer) {
  const testing::Oracle oracle("hermes-d128");
  const auto engine = oracle.load(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 2}), DType::F32);
  Prompt prompt;
  for (int i = 0; i < 60; ++i) prompt.tokens.push_back(50 + i % 7);
  const Answer whole = testing::answer(engine, prompt, testing::greedy(40));
  for (size_t at = 1; at < 40; at += 6) {
    Prompt stopping = prompt;
    stopping.stop_tokens = {whole.tokens[at]};
    const Answer alone = testing::answer(engine, stopping, testing::greedy(40));
    Requests requests(engine, {.kv_blocks = 0, .row_cost = 0});
    requests.add(stopping, testing::greedy(40), {.most_guessed = 8});
    requests.run();
    EXPECT_EQ(requests.of(0).tokens, alone.tokens) << at;
    EXPECT_EQ(requests.of(0).finish, Finish::Stop);
    EXPECT_EQ(requests.scheduler().counts().blocks_used, 0);
  }
}

}  // namespace
}  // namespace ivl
