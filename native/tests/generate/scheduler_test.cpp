// Requests that share passes and caches. Logits are compared bit for bit: that a request's are the same alone, in any company, at any
// number of threads, however its prompt is cut, and whether its beginning was kept, given back or computed again.
#include "generate/scheduler.h"

#include <gtest/gtest.h>

#include "cpu/cpu_backend.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::Answer;
using testing::answer;
using testing::Dialog;
using testing::greedy;
using testing::hermes;
using testing::Requests;

std::shared_ptr<Engine> engine_of(DType type = DType::BF16, int threads = 2, std::optional<KvType> kv = {}) {
  LoadOptions options;
  options.precision = type;
  options.kv = kv;
  return hermes().load(testing::always(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = threads})), options);
}

// So many tokens, others for another first one.
Prompt text(int64_t tokens, int32_t first = 0) {
  Prompt prompt;
  for (int64_t i = 0; i < tokens; ++i) prompt.tokens.push_back(static_cast<int32_t>((first + 7 * i) % 900 + 10));
  return prompt;
}

struct BatchTypes {
  DType type;
  std::optional<KvType> kv;
};
class BatchInvariance : public ::testing::TestWithParam<BatchTypes> {};
INSTANTIATE_TEST_SUITE_P(Types, BatchInvariance,
                         ::testing::Values(BatchTypes{DType::F32, {}}, BatchTypes{DType::BF16, {}}, BatchTypes{DType::F16, {}},
                                           BatchTypes{DType::BF16, KvType::Int8}),
                         [](const auto& p) {
                           return std::string(name_of(p.param.type)) + (p.param.kv ? cat("_", name_of(*p.param.kv)) : "");
                         });

TEST_P(BatchInvariance, LogitsAreTheSameBitsAloneInAnyBatchAndAtAnyThreadCount) {
  const auto single = engine_of(GetParam().type, 1, GetParam().kv);
  std::vector<Answer> alone;
  for (const Dialog& dialog : hermes().dialogs()) alone.push_back(answer(single, hermes().prompt(*single, dialog), greedy(6)));
  for (const int threads : {1, 2}) {
    const auto engine = engine_of(GetParam().type, threads, GetParam().kv);
    for (const size_t together : {size_t{2}, size_t{3}, size_t{8}}) {
      Requests batch(engine);
      for (size_t i = 0; i < together; ++i) batch.add(hermes().prompt(*engine, hermes().dialogs()[i]), greedy(6));
      batch.run();
      for (size_t i = 0; i < together; ++i) {
        EXPECT_EQ(batch.answers()[i].tokens, alone[i].tokens);
        EXPECT_EQ(batch.answers()[i].logits, alone[i].logits)
            << hermes().dialogs()[i].name << " of " << together << ", " << threads;
      }
    }
  }
}

TEST(Scheduler, ARequestMayJoinWhileOthersRun) {
  const auto engine = engine_of();
  const Answer first = answer(engine, hermes().prompt(*engine, hermes().dialog("text.0")), greedy(8));
  const Answer second = answer(engine, hermes().prompt(*engine, hermes().dialog("image.0")), greedy(8));
  Requests requests(engine);
  requests.add(hermes().prompt(*engine, hermes().dialog("text.0")), greedy(8));
  while (requests.of(0).tokens.size() < 3) requests.turn();
  requests.add(hermes().prompt(*engine, hermes().dialog("image.0")), greedy(8));
  requests.run();
  EXPECT_EQ(requests.of(0).logits, first.logits);
  EXPECT_EQ(requests.of(1).logits, second.logits);
}

TEST(Scheduler, APromptLongerThanAPassIsOnePrompt) {
  const auto engine = engine_of(DType::F32);
  const Prompt prompt = text(3 * kChunkRows / 2);
  const Answer whole = answer(engine, prompt, greedy(2));
  // The same prompt, its beginning computed in an earlier request of another cut.
  Requests rounds(engine);
  rounds.answer(text(77), greedy(1));
  const Answer again = rounds.answer(prompt, greedy(2));
  EXPECT_EQ(again.reused, 77);
  EXPECT_EQ(again.logits, whole.logits);
}

// A pass has each running answer's next token, whatever prompts stand beside it.
TEST(Scheduler, PromptsDoNotHoldAnswersUp) {
  const auto engine = engine_of(DType::F32);
  Requests requests(engine, {.kv_blocks = 40, .pass_seconds = 1e-9});
  requests.add(text(5), greedy(60));
  requests.turn();
  requests.add(text(900, 3), greedy(2));
  for (size_t tokens = 2; requests.of(1).tokens.empty(); ++tokens) {
    requests.turn();
    ASSERT_EQ(requests.of(0).tokens.size(), tokens) << "the prompt comes in pieces beside it";
    ASSERT_LT(tokens, 60u);
  }
  EXPECT_GE(requests.of(0).tokens.size(), 900u / 32) << "in small pieces, since a pass may take no time";
  requests.run();
  EXPECT_EQ(requests.of(1).logits, answer(engine, text(900, 3), greedy(2)).logits);
  EXPECT_EQ(requests.of(0).logits, answer(engine, text(5), greedy(60)).logits);
}

TEST(Scheduler, WhoCameFirstIsServedFirstButForPriority) {
  const auto engine = engine_of(DType::F32);
  Requests requests(engine, {.kv_blocks = 40});
  for (int32_t i = 0; i < 3; ++i) requests.add(text(kChunkRows, i), greedy(1));
  requests.add(text(kChunkRows, 3), greedy(1), {.priority = 1});
  std::vector<int64_t> order;
  while (!requests.scheduler().idle()) {
    for (const Event& event : requests.turn()) order.push_back(event.request);
  }
  EXPECT_EQ(order, (std::vector<int64_t>{3, 0, 1, 2}));
}

class SecondTurn : public ::testing::TestWithParam<std::optional<KvType>> {};
INSTANTIATE_TEST_SUITE_P(Caches, SecondTurn, ::testing::Values(std::nullopt, KvType::Int8, KvType::F32));

TEST_P(SecondTurn, ComputesOnlyWhatIsNewAndGivesTheSameBits) {
  const auto engine = engine_of(DType::BF16, 2, GetParam());
  const Dialog& first = hermes().dialog("image-rounds.0");
  const Dialog& second = hermes().dialog("image-rounds.1");
  Requests rounds(engine);
  Prompt one = hermes().prompt(*engine, first);
  Prompt two = one;  // the same picture's features
  two.tokens = second.input_ids;
  rounds.answer(one, greedy(24));
  const Answer kept = rounds.answer(two, greedy(3));
  EXPECT_GE(kept.reused, static_cast<int64_t>(first.input_ids.size()));
  EXPECT_EQ(rounds.scheduler().counts().reused_tokens, kept.reused);
  EXPECT_EQ(kept.logits, answer(engine, hermes().prompt(*engine, second), greedy(3)).logits);
}

TEST(PrefixCache, AnotherPictureInTheSamePlaceIsNotReused) {
  const auto engine = engine_of();
  const Dialog& dialog = hermes().dialog("image.0");
  Requests rounds(engine);
  rounds.answer(hermes().prompt(*engine, dialog), greedy(1));
  Prompt other = hermes().prompt(*engine, hermes().dialog("image-rounds.0"));
  other.tokens = dialog.input_ids;
  const auto place = std::find(dialog.input_ids.begin(), dialog.input_ids.end(), other.image_token);
  const Answer got = rounds.answer(other, greedy(1));
  EXPECT_EQ(got.reused, place - dialog.input_ids.begin());
  EXPECT_EQ(got.logits, answer(engine, other, greedy(1)).logits);
}

TEST(PrefixCache, IsSharedByThoseWhoRunAndByThoseWhoCome) {
  const auto engine = engine_of(DType::F32);
  Prompt one = text(600), two = text(600);
  for (int32_t i = 0; i < 30; ++i) {
    one.tokens.push_back(20 + i);
    two.tokens.push_back(90 + i);
  }
  Requests requests(engine, {.kv_blocks = 20});
  requests.add(one, greedy(20));
  while (requests.of(0).tokens.empty()) requests.turn();
  const int64_t before = requests.scheduler().counts().blocks_used;
  requests.add(two, greedy(20));
  requests.run();
  EXPECT_EQ(before, 3);
  EXPECT_EQ(requests.of(1).reused, 600) << "of one that still runs";
  EXPECT_EQ(requests.of(0).logits, answer(engine, one, greedy(20)).logits);
  EXPECT_EQ(requests.of(1).logits, answer(engine, two, greedy(20)).logits);
  EXPECT_EQ(requests.answer(one, greedy(1)).reused, 629) << "and all of one that has ended";
  EXPECT_EQ(requests.answer(two, greedy(1)).reused, 629);
}

// Several answers to one prompt: who comes meanwhile waits for the first, instead of computing the same.
TEST(PrefixCache, APromptAskedByManyIsComputedOnce) {
  const auto engine = engine_of(DType::F32);
  Requests requests(engine, {.kv_blocks = 40});
  for (uint64_t i = 0; i < 4; ++i) {
    Sampling drawn = greedy(9);
    drawn.temperature = 1;
    drawn.seed = i;
    requests.add(text(700), drawn);
  }
  requests.run();
  EXPECT_EQ(requests.scheduler().counts().reused_tokens, 3 * 699);
  for (int64_t i = 0; i < 4; ++i) {
    Sampling drawn = greedy(9);
    drawn.temperature = 1;
    drawn.seed = static_cast<uint64_t>(i);
    EXPECT_EQ(requests.of(i).logits, answer(engine, text(700), drawn).logits) << i;
  }
}

TEST(PrefixCache, IsNotSharedAcrossSalts) {
  const auto engine = engine_of(DType::F32);
  Requests requests(engine);
  for (const auto& [salt, reused] : {std::pair{"", 0}, {"a", 0}, {"b", 0}, {"a", 299}, {"", 299}}) {
    const int64_t request = requests.add(text(300), greedy(1), {.salt = salt});
    requests.run();
    EXPECT_EQ(requests.of(request).reused, reused) << salt;
  }
}

TEST(Scheduler, EndsForTheRightReason) {
  const auto engine = engine_of(DType::F32);
  const Dialog& dialog = hermes().dialog("text.0");
  Prompt prompt = hermes().prompt(*engine, dialog);
  EXPECT_EQ(answer(engine, prompt, greedy(3)).finish, Finish::Length);
  prompt.stop_tokens.push_back(dialog.greedy_tokens[2]);
  const Answer stopped = answer(engine, prompt, greedy(24));
  EXPECT_EQ(stopped.finish, Finish::Stop);
  EXPECT_EQ(stopped.tokens, std::vector<int32_t>(dialog.greedy_tokens.begin(), dialog.greedy_tokens.begin() + 3));
  Prompt full{std::vector<int32_t>(4094, 20), -1, {}, {}};
  const Answer last = answer(engine, full, greedy(50));
  EXPECT_EQ(last.finish, Finish::Length);
  EXPECT_EQ(last.tokens.size(), 2u);
}

TEST(Request, BadPromptsAreRefusedWithTheirNumbers) {
  const auto engine = engine_of();
  const auto refused = [&](Prompt prompt, Status status, const char* words) {
    try {
      const Request request(*engine, std::move(prompt), {.sampling = greedy(1)});
      FAIL() << words;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), status);
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  refused({{}, -1, {}, {}}, Status::InvalidArgument, "no tokens");
  refused({{5, 1033}, -1, {}, {}}, Status::InvalidArgument, "1033");
  refused({{5, -1}, -2, {}, {}}, Status::InvalidArgument, "position 1");
  refused({std::vector<int32_t>(4096, 5), -1, {}, {}}, Status::ContextLength, "4096");
  Prompt pictures = hermes().prompt(*engine, hermes().dialog("image.0"));
  pictures.tokens.pop_back();
  pictures.tokens.push_back(pictures.image_token);
  refused(pictures, Status::InvalidArgument, "17");
}

// Three long answers over blocks for two: who came last waits, and goes on where it was.
TEST(Scheduler, AFullCacheTakesBlocksFromWhoCameLast) {
  const auto engine = engine_of(DType::F32);
  Requests requests(engine, {.kv_blocks = 4});
  for (int32_t i = 0; i < 3; ++i) requests.add(text(250, 5 * i), greedy(40 + 10 * i));
  requests.run();
  EXPECT_GT(requests.scheduler().counts().preemptions, 0);
  EXPECT_EQ(requests.scheduler().counts().blocks_used, 0);
  for (int32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(requests.of(i).logits, answer(engine, text(250, 5 * i), greedy(40 + 10 * i)).logits) << i;
  }
}

// A prompt takes the blocks of a running answer that stands behind it: the answer's row goes from the pass, the prompt's stay counted.
TEST(Scheduler, APassHasAChunksRowsWhoeverLosesItsBlocks) {
  const auto engine = engine_of(DType::F32);
  for (const int64_t last : {100, 250}) {
    Requests requests(engine, {.kv_blocks = 9, .pass_seconds = 1e9});
    const std::vector<int64_t> lengths = {300, 1000, 1300, last};
    requests.add(text(lengths[0]), greedy(20));
    while (requests.of(0).tokens.empty()) requests.turn();
    for (size_t i = 1; i < lengths.size(); ++i) {
      requests.add(text(lengths[i], static_cast<int32_t>(i)), greedy(2), {.priority = 1});
    }
    requests.run();
    EXPECT_GT(requests.scheduler().counts().preemptions, 0);
    for (size_t i = 0; i < lengths.size(); ++i) EXPECT_EQ(requests.of(static_cast<int64_t>(i)).finish, Finish::Length) << i;
  }
}

// What is reserved for an answer that never comes is no use to anybody.
TEST(Scheduler, BlocksGrowWithAnswers) {
  const auto engine = engine_of(DType::F32);
  Requests requests(engine, {.kv_blocks = 8});
  for (int32_t i = 0; i < 8; ++i) requests.add(text(100, i), greedy(1000));
  while (requests.of(7).tokens.empty()) requests.turn();
  EXPECT_EQ(requests.scheduler().counts().running, 8);
  for (int64_t i = 0; i < 8; ++i) requests.cancel(i);
  requests.run();
  EXPECT_EQ(requests.scheduler().counts().blocks_used, 0);
}

TEST(Scheduler, ACancelledRequestEndsAndLeavesTheOthersTheirBits) {
  const auto engine = engine_of();
  Requests requests(engine);
  requests.add(text(50), greedy(10));
  requests.add(text(60, 3), greedy(10));
  while (requests.of(1).tokens.size() < 3) requests.turn();
  requests.cancel(0);
  requests.run();
  EXPECT_EQ(requests.of(0).finish, Finish::Cancelled);
  EXPECT_EQ(requests.of(1).logits, answer(engine, text(60, 3), greedy(10)).logits);
  EXPECT_GE(requests.answer(text(50), greedy(2)).reused, 49) << "what was computed is still known";
}

TEST(Scheduler, ARecordedRequestIsAloneWhoeverComes) {
  const auto engine = engine_of(DType::F32);
  Requests requests(engine, {.kv_blocks = 40});
  const auto recording = std::make_shared<Recording>();
  requests.add(text(20, 5), greedy(3));
  requests.add(text(700), greedy(1), {.recording = recording});
  while (requests.of(0).finish == Finish::None) requests.turn();
  requests.turn();
  requests.add(text(30, 2), greedy(2), {.priority = 1});
  requests.run();
  for (const Recording::Entry& entry : recording->entries()) EXPECT_EQ(entry.shape[1], 700) << entry.name;
  EXPECT_EQ(requests.of(2).logits, answer(engine, text(30, 2), greedy(2)).logits);
}

// A token at a time, as a grammar would have it: between two of them the others go on.
TEST(Scheduler, AGuidedRequestTakesWhatItsMasksAllow) {
  const auto engine = engine_of(DType::F32);
  Requests requests(engine);
  requests.add(text(20), greedy(4), {.guided = true});
  requests.add(text(30, 2), greedy(6));
  while (requests.of(1).finish == Finish::None) requests.turn();
  EXPECT_TRUE(requests.of(0).tokens.empty());
  EXPECT_FALSE(requests.scheduler().stalled());
  for (const int32_t token : {700, 5, 1032, 64}) {
    EXPECT_TRUE(requests.turn().empty());
    EXPECT_TRUE(requests.scheduler().stalled());
    std::vector<uint32_t> words((1033 + 31) / 32);
    words[static_cast<size_t>(token / 32)] = 1u << (token % 32);
    requests.scheduler().allow(0, std::make_shared<const std::vector<uint32_t>>(words));
    EXPECT_FALSE(requests.scheduler().stalled());
    requests.turn();
  }
  EXPECT_EQ(requests.of(0).tokens, (std::vector<int32_t>{700, 5, 1032, 64}));
  EXPECT_EQ(requests.of(0).finish, Finish::Length);
}

TEST(Scheduler, AnAbortedPassCountsForNothing) {
  const auto engine = engine_of();
  Requests requests(engine);
  requests.add(text(700), greedy(3));
  const std::atomic<bool> abort{true};
  EXPECT_TRUE(requests.turn(&abort).empty());
  EXPECT_EQ(requests.scheduler().counts().passes, 0);
  requests.run();
  EXPECT_EQ(requests.of(0).logits, answer(engine, text(700), greedy(3)).logits);
}

}  // namespace
}  // namespace ivl
