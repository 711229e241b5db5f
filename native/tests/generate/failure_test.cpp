// What befalls one request, and what it leaves the others.
#include <gtest/gtest.h>

#include <cmath>

#include "host/host_memory.h"
#include "backend/watched_backend.h"
#include "cpu/cpu_backend.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::Answer;
using testing::answer;
using testing::greedy;
using testing::Oracle;

const Oracle& oracle() {
  static const Oracle loaded("hermes-d128");
  return loaded;
}

std::shared_ptr<testing::WatchedBackend> backend() {
  return std::make_shared<testing::WatchedBackend>(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 2}));
}

// A picture whose features are no numbers, as one that overflows would have them.
Prompt spoiled(const std::shared_ptr<Engine>& engine) {
  Prompt prompt = oracle().prompt(*engine, oracle().dialog("image.0"));
  const int64_t rows = prompt.features[0]->rows();
  const int64_t width = prompt.features[0]->width();
  Buffer memory = allocate_host(static_cast<size_t>(rows * width) * sizeof(float));
  std::fill_n(static_cast<float*>(memory.data()), rows * width, std::nanf(""));
  prompt.features = {std::make_shared<const Features>(engine, std::move(memory), DType::F32, rows, width)};
  return prompt;
}

TEST(GenerationFailure, ARowThatIsNoNumberEndsItsRequestAlone) {
  const auto engine = oracle().load(backend(), DType::BF16);
  const char* const names[] = {"text.0", "image-rounds.0"};
  Answer alone[2];
  for (size_t i = 0; i < 2; ++i) alone[i] = answer(engine, oracle().prompt(*engine, oracle().dialog(names[i])), greedy(6));

  Generation generation(engine, nullptr);
  generation.add(nullptr, oracle().prompt(*engine, oracle().dialog(names[0])), greedy(6), nullptr);
  const auto sequence = std::make_shared<Sequence>(engine);
  generation.add(sequence, spoiled(engine), greedy(6), nullptr);
  generation.add(nullptr, oracle().prompt(*engine, oracle().dialog(names[1])), greedy(6), nullptr);
  Answer together[3];
  for (auto tokens = generation.step(); !tokens.empty(); tokens = generation.step()) {
    for (const Generation::Token& token : tokens) {
      Answer& each = together[token.request];
      each.finish = token.finish;
      each.tokens.push_back(token.token);
      each.logits.push_back(generation.logits(token.request));
      const auto failure = generation.failure(token.request);
      EXPECT_EQ(failure.has_value(), token.request == 1);
      if (!failure) continue;
      EXPECT_EQ(failure->status(), Status::NotFinite);
      EXPECT_NE(std::string(failure->what()).find("not numbers"), std::string::npos) << failure->what();
    }
  }
  EXPECT_EQ(together[1].finish, Finish::Failed);
  EXPECT_EQ(together[1].tokens, std::vector<int32_t>{-1});
  EXPECT_EQ(generation.failure(1), std::nullopt) << "forgotten by the steps behind it";
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(together[2 * i].tokens, alone[i].tokens);
    EXPECT_EQ(together[2 * i].logits, alone[i].logits);
  }
  // Its sequence serves another prompt.
  EXPECT_EQ(answer(engine, oracle().prompt(*engine, oracle().dialog(names[0])), greedy(6), sequence).logits, alone[0].logits);
}

TEST(GenerationFailure, APassThatFailsEndsThoseThatWereInIt) {
  const auto watched = backend();
  const auto engine = oracle().load(watched, DType::BF16);
  const Prompt prompt = oracle().prompt(*engine, oracle().dialog("text.0"));
  const Answer alone = answer(engine, prompt, greedy(3));
  Generation generation(engine, nullptr);
  for (int i = 0; i < 2; ++i) generation.add(nullptr, prompt, greedy(3), nullptr);
  generation.step();
  watched->in_next("repeat", [] { fail(Status::OutOfMemory, "no memory for the pass"); });
  const auto failed = generation.step();
  ASSERT_EQ(failed.size(), 2u);
  for (const Generation::Token& token : failed) {
    EXPECT_EQ(token.finish, Finish::Failed);
    const auto failure = generation.failure(token.request);
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->status(), Status::OutOfMemory);
    EXPECT_STREQ(failure->what(), "no memory for the pass");
  }
  const int32_t next = generation.add(nullptr, prompt, greedy(3), nullptr);
  std::vector<int32_t> tokens;
  for (auto step = generation.step(); !step.empty(); step = generation.step()) {
    EXPECT_EQ(step.at(0).request, next);
    tokens.push_back(step.at(0).token);
  }
  EXPECT_EQ(tokens, alone.tokens);
}

TEST(GenerationFailure, ARequestWhoseCacheFindsNoMemoryIsRefusedAlone) {
  const auto watched = backend();
  const auto engine = oracle().load(watched, DType::BF16);
  const Prompt prompt = oracle().prompt(*engine, oracle().dialog("text.0"));
  const Answer alone = answer(engine, prompt, greedy(3));
  Generation generation(engine, nullptr);
  generation.add(nullptr, prompt, greedy(3), nullptr);
  std::vector<int32_t> tokens{generation.step().at(0).token};
  const auto sequence = std::make_shared<Sequence>(engine);
  watched->in_next("allocate", [] { fail(Status::OutOfMemory, "no memory for the cache"); });
  EXPECT_THROW(generation.add(sequence, prompt, greedy(3), nullptr), Error);
  for (auto step = generation.step(); !step.empty(); step = generation.step()) tokens.push_back(step.at(0).token);
  EXPECT_EQ(tokens, alone.tokens);
  EXPECT_EQ(answer(engine, prompt, greedy(3), sequence).tokens, alone.tokens);
}

TEST(Generation, WhatHasEndedIsForgottenByTheNextStep) {
  const auto engine = oracle().load(backend(), DType::BF16);
  Generation generation(engine, nullptr);
  const int32_t longest = generation.add(nullptr, {{5, 6}, -1, {}, {}}, greedy(200), nullptr);
  constexpr int kTogether = 100;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < kTogether; ++i) generation.add(nullptr, {{5, 6, 7}, -1, {}, {}}, greedy(1), nullptr);
    EXPECT_EQ(generation.step().size(), 1u + kTogether);
    EXPECT_EQ(generation.remembered(), 1u + kTogether);
  }
  const int32_t last = 100 * kTogether;
  EXPECT_FALSE(generation.logits(last).empty());
  EXPECT_EQ(generation.reused(last), 0);
  EXPECT_EQ(generation.step().at(0).request, longest);
  EXPECT_EQ(generation.remembered(), 1u);
  EXPECT_TRUE(generation.logits(last).empty());
  EXPECT_NO_THROW(generation.end(last));
  EXPECT_THROW(generation.reused(last), Error);
  EXPECT_THROW(generation.end(last + 1), Error);
}

TEST(Generation, WhatIsAnotherModelsIsRefused) {
  const auto engine = oracle().load(backend(), DType::BF16);
  const auto other = oracle().load(backend(), DType::BF16);
  Generation generation(engine, nullptr);
  const auto refused = [&](std::shared_ptr<Sequence> sequence, Prompt prompt, std::shared_ptr<Recording> recording,
                           const char* words) {
    try {
      generation.add(std::move(sequence), std::move(prompt), greedy(1), std::move(recording));
      ADD_FAILURE() << words;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), Status::InvalidArgument);
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  const Prompt text{{5, 6}, -1, {}, {}};
  refused(std::make_shared<Sequence>(other), text, nullptr, "the sequence belongs to another model");
  refused(nullptr, oracle().prompt(*other, oracle().dialog("image.0")), nullptr, "features 0 were encoded by another model");
  const auto recording = std::make_shared<Recording>();
  other->claim(*recording);
  refused(nullptr, text, recording, "the recording holds activations of another model");
  EXPECT_TRUE(generation.step().empty());
  generation.add(std::make_shared<Sequence>(engine), text, greedy(1), std::make_shared<Recording>());
  EXPECT_EQ(generation.step().size(), 1u);
}

}  // namespace
}  // namespace ivl
