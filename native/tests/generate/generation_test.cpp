// Sequences, batches and their ends. Logits are compared bit for bit: that a request's are the same alone, in any batch, at
// any number of threads, and whether its beginning was kept or computed again.
#include "generate/generation.h"

#include <gtest/gtest.h>

#include <thread>

#include "cpu/cpu_backend.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::Answer;
using testing::answer;
using testing::Dialog;
using testing::greedy;
using testing::Oracle;

const Oracle& oracle() {
  static const Oracle loaded("hermes-d128");
  return loaded;
}

std::shared_ptr<Engine> load(DType type = DType::BF16, int threads = 2, std::optional<KvType> kv = {}) {
  LoadOptions options;
  options.precision = type;
  options.kv = kv;
  return oracle().load(testing::always(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = threads})), options);
}

// Everything a batch says, request by request.
std::vector<Answer> run(Generation& generation, size_t requests) {
  std::vector<Answer> answers(requests);
  for (auto tokens = generation.step(); !tokens.empty(); tokens = generation.step()) {
    for (const Generation::Token& token : tokens) {
      Answer& each = answers[static_cast<size_t>(token.request)];
      each.tokens.push_back(token.token);
      each.logits.push_back(generation.logits(token.request));
      each.finish = token.finish;
    }
  }
  return answers;
}

struct Types {
  DType type;
  std::optional<KvType> kv;
};
class BatchInvariance : public ::testing::TestWithParam<Types> {};
INSTANTIATE_TEST_SUITE_P(Types, BatchInvariance,
                         ::testing::Values(Types{DType::F32, {}}, Types{DType::BF16, {}}, Types{DType::F16, {}},
                                           Types{DType::BF16, KvType::Int8}),
                         [](const auto& p) {
                           return std::string(name_of(p.param.type)) + (p.param.kv ? cat("_", name_of(*p.param.kv)) : "");
                         });

TEST_P(BatchInvariance, LogitsAreTheSameBitsAloneInAnyBatchAndAtAnyThreadCount) {
  const auto single = load(GetParam().type, 1, GetParam().kv);
  std::vector<Answer> alone;
  for (const Dialog& dialog : oracle().dialogs()) alone.push_back(answer(single, oracle().prompt(*single, dialog), greedy(6)));
  for (const int threads : {1, 2}) {
    const auto engine = load(GetParam().type, threads, GetParam().kv);
    for (const size_t together : {size_t{2}, size_t{3}, size_t{8}}) {
      Generation generation(engine, nullptr);
      for (size_t i = 0; i < together; ++i) {
        generation.add(nullptr, oracle().prompt(*engine, oracle().dialogs()[i]), greedy(6), nullptr);
      }
      const std::vector<Answer> batch = run(generation, together);
      for (size_t i = 0; i < together; ++i) {
        EXPECT_EQ(batch[i].tokens, alone[i].tokens);
        EXPECT_EQ(batch[i].logits, alone[i].logits) << oracle().dialogs()[i].name << " of " << together << ", " << threads;
      }
    }
  }
}

TEST(Generation, ARequestMayJoinWhileOthersRun) {
  const auto engine = load();
  const Answer first = answer(engine, oracle().prompt(*engine, oracle().dialog("text.0")), greedy(8));
  const Answer second = answer(engine, oracle().prompt(*engine, oracle().dialog("image.0")), greedy(8));
  Generation generation(engine, nullptr);
  generation.add(nullptr, oracle().prompt(*engine, oracle().dialog("text.0")), greedy(8), nullptr);
  std::vector<int32_t> a, b;
  for (int step = 0; step < 3; ++step) a.push_back(generation.step().at(0).token);
  generation.add(nullptr, oracle().prompt(*engine, oracle().dialog("image.0")), greedy(8), nullptr);
  for (auto tokens = generation.step(); !tokens.empty(); tokens = generation.step()) {
    for (const auto& token : tokens) (token.request == 0 ? a : b).push_back(token.token);
  }
  EXPECT_EQ(a, first.tokens);
  EXPECT_EQ(b, second.tokens);
}

TEST(Generation, APromptLongerThanAChunkIsOnePrompt) {
  const auto engine = load(DType::F32);
  Prompt prompt;
  for (int32_t i = 0; i < 3 * kChunkRows / 2; ++i) prompt.tokens.push_back(i % 900 + 10);
  const Answer whole = answer(engine, prompt, greedy(2));
  // The same prompt, its beginning computed in an earlier request of another cut.
  auto sequence = std::make_shared<Sequence>(engine);
  Prompt beginning = prompt;
  beginning.tokens.resize(77);
  answer(engine, beginning, greedy(1), sequence);
  EXPECT_EQ(sequence->length(), 77);
  EXPECT_EQ(answer(engine, prompt, greedy(2), sequence).logits, whole.logits);
}

// They are brought to the host when they are asked for, and until then nothing may be written over them.
TEST(Generation, LogitsOfTheLastStepStayWhateverElseIsComputed) {
  const auto engine = load(DType::F32);
  const auto of = [](int32_t first) {
    Prompt prompt;
    for (int32_t i = 0; i < kChunkRows; ++i) prompt.tokens.push_back((first + 7 * i) % 900 + 10);
    return prompt;
  };
  std::vector<std::vector<float>> alone;
  for (const int32_t first : {0, 1}) alone.push_back(answer(engine, of(first), greedy(1)).logits.at(0));
  Generation generation(engine, nullptr);
  for (const int32_t first : {0, 1}) generation.add(nullptr, of(first), greedy(1), nullptr);
  EXPECT_EQ(generation.logits(0), std::vector<float>());
  EXPECT_EQ(generation.step().size(), 2u);  // a pass for each, since each fills one
  EXPECT_EQ(generation.logits(0), alone[0]);
  EXPECT_EQ(generation.logits(1), alone[1]);
  answer(engine, of(2), greedy(2));
  EXPECT_EQ(generation.logits(0), alone[0]);
  engine->close();
  EXPECT_EQ(generation.logits(1), alone[1]);
  EXPECT_TRUE(generation.step().empty());
  EXPECT_EQ(generation.logits(1), std::vector<float>());
}

class SecondRound : public ::testing::TestWithParam<std::optional<KvType>> {};
INSTANTIATE_TEST_SUITE_P(Caches, SecondRound, ::testing::Values(std::nullopt, KvType::Int8, KvType::F32));

TEST_P(SecondRound, ComputesOnlyWhatIsNewAndGivesTheSameBits) {
  const auto engine = load(DType::BF16, 2, GetParam());
  const Dialog& first = oracle().dialog("image-rounds.0");
  const Dialog& second = oracle().dialog("image-rounds.1");
  auto sequence = std::make_shared<Sequence>(engine);
  Prompt one = oracle().prompt(*engine, first);
  Prompt two = one;  // the same picture's features
  two.tokens = second.input_ids;
  answer(engine, one, greedy(24), sequence);
  EXPECT_EQ(sequence->length(), static_cast<int64_t>(first.input_ids.size()) + 23);

  Generation generation(engine, nullptr);
  const int32_t request = generation.add(sequence, two, greedy(3), nullptr);
  EXPECT_GE(generation.reused(request), static_cast<int64_t>(first.input_ids.size()));
  const Answer kept = run(generation, 1)[0];
  const Answer fresh = answer(engine, oracle().prompt(*engine, second), greedy(3));
  EXPECT_EQ(kept.logits, fresh.logits);
}

TEST(Sequence, AnotherPictureInTheSamePlaceIsNotReused) {
  const auto engine = load();
  const Dialog& dialog = oracle().dialog("image.0");
  auto sequence = std::make_shared<Sequence>(engine);
  answer(engine, oracle().prompt(*engine, dialog), greedy(1), sequence);
  Prompt other = oracle().prompt(*engine, oracle().dialog("image-rounds.0"));
  other.tokens = dialog.input_ids;
  const auto place = std::find(dialog.input_ids.begin(), dialog.input_ids.end(), other.image_token);
  Generation generation(engine, nullptr);
  const int32_t request = generation.add(sequence, other, greedy(1), nullptr);
  EXPECT_EQ(generation.reused(request), place - dialog.input_ids.begin());
}

TEST(Sequence, ServesOneRequestAtATime) {
  const auto engine = load();
  auto sequence = std::make_shared<Sequence>(engine);
  const Prompt prompt{{1, 2, 3}, -1, {}, {}};
  Generation generation(engine, nullptr);
  const int32_t request = generation.add(sequence, prompt, greedy(5), nullptr);
  EXPECT_THROW(generation.add(sequence, prompt, greedy(5), nullptr), Error);
  generation.step();
  generation.end(request);
  EXPECT_NO_THROW(generation.add(sequence, prompt, greedy(1), nullptr));
  EXPECT_EQ(generation.step().size(), 1u);
  EXPECT_TRUE(generation.step().empty());
}

TEST(Generation, EndsForTheRightReason) {
  const auto engine = load(DType::F32);
  const Dialog& dialog = oracle().dialog("text.0");
  Prompt prompt = oracle().prompt(*engine, dialog);
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

TEST(Generation, BadPromptsAreRefusedWithTheirNumbers) {
  const auto engine = load();
  Generation generation(engine, nullptr);
  const auto refused = [&](Prompt prompt, Status status, const char* words) {
    try {
      generation.add(nullptr, std::move(prompt), greedy(1), nullptr);
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
  Prompt pictures = oracle().prompt(*engine, oracle().dialog("image.0"));
  pictures.tokens.pop_back();
  pictures.tokens.push_back(pictures.image_token);
  refused(pictures, Status::InvalidArgument, "17");
  EXPECT_TRUE(generation.step().empty());
}

TEST(GenerationThreads, CancellingLeavesTheSequenceUsable) {
  const auto engine = load();
  const auto flag = std::make_shared<std::atomic<bool>>(false);
  auto sequence = std::make_shared<Sequence>(engine);
  const Prompt prompt{std::vector<int32_t>(2000, 33), -1, {}, {}};
  {
    Generation generation(engine, flag);
    generation.add(sequence, prompt, greedy(100), nullptr);
    std::thread canceller([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(15));
      flag->store(true);
    });
    try {
      while (!generation.step().empty()) {
      }
      ADD_FAILURE() << "was not cancelled";
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), Status::Cancelled);
    }
    canceller.join();
    EXPECT_TRUE(generation.step().empty());
  }
  EXPECT_EQ(answer(engine, prompt, greedy(2), sequence).logits, answer(engine, prompt, greedy(2)).logits);
}

TEST(GenerationThreads, ClosingTheModelEndsWhatRuns) {
  const auto engine = load();
  Generation generation(engine, nullptr);
  generation.add(nullptr, {std::vector<int32_t>(2000, 33), -1, {}, {}}, greedy(2000), nullptr);
  std::thread closer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    engine->close();
    engine->close();
  });
  try {
    while (!generation.step().empty()) {
    }
    ADD_FAILURE() << "was not ended";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::Closed);
  }
  closer.join();
  EXPECT_THROW(generation.add(nullptr, {{1}, -1, {}, {}}, greedy(1), nullptr), Error);
  EXPECT_THROW(engine->encode(nullptr, 1, nullptr, nullptr), Error);
}

TEST(GenerationThreads, ThreadsShareAModel) {
  const auto engine = load(DType::F32);
  std::vector<std::vector<int32_t>> tokens(4);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < tokens.size(); ++i) {
    threads.emplace_back([&, i] {
      const Dialog& dialog = oracle().dialogs()[i];
      tokens[i] = answer(engine, oracle().prompt(*engine, dialog), greedy(dialog.greedy_tokens.size())).tokens;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < tokens.size(); ++i) EXPECT_EQ(tokens[i], oracle().dialogs()[i].greedy_tokens);
}

}  // namespace
}  // namespace ivl
