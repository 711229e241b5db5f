// What befalls one request, and what it leaves the others.
#include <gtest/gtest.h>

#include <cmath>

#include "backend/watched_backend.h"
#include "cpu/cpu_backend.h"
#include "host/host_memory.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::Answer;
using testing::answer;
using testing::greedy;
using testing::hermes;
using testing::Requests;

std::shared_ptr<testing::WatchedBackend> backend() {
  return std::make_shared<testing::WatchedBackend>(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 2}));
}

// A picture whose features are no numbers, as one that overflows would have them.
Prompt spoiled(const std::shared_ptr<Engine>& engine) {
  Prompt prompt = hermes().prompt(*engine, hermes().dialog("image.0"));
  const int64_t rows = prompt.features[0]->rows();
  const int64_t width = prompt.features[0]->width();
  Buffer memory = allocate_host(static_cast<size_t>(rows * width) * sizeof(float));
  std::fill_n(static_cast<float*>(memory.data()), rows * width, std::nanf(""));
  prompt.features = {std::make_shared<Features>(engine, std::move(memory), rows)};
  return prompt;
}

TEST(RequestFailure, ARowThatIsNoNumberEndsItsRequestAlone) {
  const auto engine = hermes().load(backend(), DType::BF16);
  const char* const names[] = {"text.0", "image-rounds.0"};
  Answer alone[2];
  for (size_t i = 0; i < 2; ++i) alone[i] = answer(engine, hermes().prompt(*engine, hermes().dialog(names[i])), greedy(6));

  Requests requests(engine);
  requests.add(hermes().prompt(*engine, hermes().dialog(names[0])), greedy(6));
  requests.add(spoiled(engine), greedy(6));
  requests.add(hermes().prompt(*engine, hermes().dialog(names[1])), greedy(6));
  requests.run();
  EXPECT_EQ(requests.of(1).finish, Finish::Failed);
  EXPECT_EQ(requests.of(1).tokens, std::vector<int32_t>());
  ASSERT_TRUE(requests.of(1).failure.has_value());
  EXPECT_EQ(requests.of(1).failure->status(), Status::NotFinite);
  EXPECT_NE(std::string(requests.of(1).failure->what()).find("not numbers"), std::string::npos) << requests.of(1).failure->what();
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(requests.answers()[2 * i].tokens, alone[i].tokens);
    EXPECT_EQ(requests.answers()[2 * i].logits, alone[i].logits);
  }
  // What it leaves in the cache serves nobody else's picture.
  EXPECT_EQ(requests.answer(hermes().prompt(*engine, hermes().dialog("image.0")), greedy(2)).logits,
            answer(engine, hermes().prompt(*engine, hermes().dialog("image.0")), greedy(2)).logits);
}

TEST(RequestFailure, APassThatFailsEndsThoseThatWereInIt) {
  const auto watched = backend();
  const auto engine = hermes().load(watched, DType::BF16);
  const Prompt prompt = hermes().prompt(*engine, hermes().dialog("text.0"));
  const Answer alone = answer(engine, prompt, greedy(3));
  Requests requests(engine);
  for (int i = 0; i < 2; ++i) requests.add(prompt, greedy(3));
  while (requests.of(1).tokens.empty()) requests.turn();
  watched->in_next("repeat", [] { fail(Status::OutOfMemory, "no memory for the pass"); });
  EXPECT_EQ(requests.turn().size(), 2u);
  for (const Answer& failed : requests.answers()) {
    EXPECT_EQ(failed.finish, Finish::Failed);
    ASSERT_TRUE(failed.failure.has_value());
    EXPECT_EQ(failed.failure->status(), Status::OutOfMemory);
    EXPECT_STREQ(failed.failure->what(), "no memory for the pass");
  }
  EXPECT_EQ(requests.answer(prompt, greedy(3)).tokens, alone.tokens);
}

// There is memory for one block: the second request waits for it, and its bits are the same.
TEST(RequestFailure, ACacheThatFindsNoMemoryIsASmallerOne) {
  const auto watched = backend();
  const auto engine = hermes().load(watched, DType::BF16);
  const Prompt prompt = hermes().prompt(*engine, hermes().dialog("text.0"));
  const Answer alone = answer(engine, prompt, greedy(3));
  Requests requests(engine);
  requests.add(prompt, greedy(3));
  requests.turn();
  watched->in_next("allocate", [] { fail(Status::OutOfMemory, "no memory for the cache"); });
  requests.add(prompt, greedy(3), {.salt = "another"});
  requests.turn();
  EXPECT_EQ(requests.scheduler().counts().blocks, 1);
  requests.run();
  EXPECT_EQ(requests.scheduler().counts().blocks, 16) << "once nobody has any, there may be memory again";
  for (const Answer& each : requests.answers()) EXPECT_EQ(each.logits, alone.logits);
}

TEST(RequestFailure, WithoutMemoryForOneBlockARequestFails) {
  const auto watched = backend();
  const auto engine = hermes().load(watched, DType::BF16);
  Requests requests(engine);
  watched->in_next("allocate", [] { fail(Status::OutOfMemory, "no memory for the cache"); });
  requests.add({{5, 6}, -1, {}, {}}, greedy(1));
  requests.run();
  ASSERT_TRUE(requests.of(0).failure.has_value());
  EXPECT_EQ(requests.of(0).failure->status(), Status::OutOfMemory);
  EXPECT_EQ(requests.answer({{5, 6}, -1, {}, {}}, greedy(1)).tokens.size(), 1u);
}

TEST(RequestFailure, APictureThatCannotBeEncodedEndsThoseWhoWaitForIt) {
  const auto watched = backend();
  const auto engine = hermes().load(watched, DType::BF16);
  const auto pixels = hermes().pixels(hermes().dialog("image.0"));
  Prompt prompt = hermes().prompt(*engine, hermes().dialog("image.0"));
  const Answer alone = answer(engine, prompt, greedy(3));
  prompt.features = {std::make_shared<Features>(engine, pixels, 1)};
  Requests requests(engine);
  requests.add(prompt, greedy(3));
  requests.add(prompt, greedy(3), {.salt = "another"});  // or it would wait for what the first computes
  requests.add({{5, 6, 7}, -1, {}, {}}, greedy(3));
  watched->in_next("vision_attention", [] { fail(Status::OutOfMemory, "no memory for the picture"); });
  requests.run();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(requests.of(i).failure.has_value()) << i;
    EXPECT_STREQ(requests.of(i).failure->what(), "no memory for the picture");
  }
  EXPECT_EQ(requests.of(2).finish, Finish::Length);
  EXPECT_EQ(requests.answer(prompt, greedy(3)).logits, alone.logits) << "the next one tries again";
}

TEST(RequestFailure, ATurnThatIsGivenUpFailsNobodyWhoWaitsForAPicture) {
  const auto engine = hermes().load(backend(), DType::BF16);
  Prompt prompt = hermes().prompt(*engine, hermes().dialog("image.0"));
  const Answer alone = answer(engine, prompt, greedy(3));
  prompt.features = {std::make_shared<Features>(engine, hermes().pixels(hermes().dialog("image.0")), 1)};
  Requests requests(engine);
  requests.add(prompt, greedy(3));
  const std::atomic<bool> abort{true};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(requests.turn(&abort).empty());
  requests.run();
  EXPECT_EQ(requests.of(0).finish, Finish::Length);
  EXPECT_EQ(requests.of(0).logits, alone.logits);
}

TEST(Request, WhatIsAnotherModelsIsRefused) {
  const auto engine = hermes().load(backend(), DType::BF16);
  const auto other = hermes().load(backend(), DType::BF16);
  const auto refused = [&](Prompt prompt, std::shared_ptr<Recording> recording, const char* words) {
    try {
      const Request request(*engine, std::move(prompt), {.sampling = greedy(1), .recording = std::move(recording)});
      ADD_FAILURE() << words;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), Status::InvalidArgument);
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  refused(hermes().prompt(*other, hermes().dialog("image.0")), nullptr, "features 0 were encoded by another model");
  const auto recording = std::make_shared<Recording>();
  other->claim(*recording);
  refused({{5, 6}, -1, {}, {}}, recording, "the recording holds activations of another model");
}

}  // namespace
}  // namespace ivl
