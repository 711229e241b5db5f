// Prompts around the length at which longrope's factors change, over random weights: logits are compared bit for bit.
#include <gtest/gtest.h>

#include "backend/reference_backend.h"
#include "cpu/cpu_backend.h"
#include "model/tiny_model.h"

namespace ivl {
namespace {

using nlohmann::json;
using testing::Answer;
using testing::answer;
using testing::greedy;

constexpr int64_t kOriginal = 16;  // of tiny_phi3()

std::shared_ptr<Engine> engine_of(const json& config, std::shared_ptr<Backend> backend, DType type = DType::F32,
                                  std::optional<KvType> kv = {}, bool int8 = false) {
  LoadOptions options;
  options.precision = type;
  options.kv = kv;
  options.formats.decoder = options.formats.head = int8 ? WeightFormat::Int8 : WeightFormat::Plain;
  return std::make_shared<Engine>(testing::load_random(std::move(backend), config, options));
}

std::shared_ptr<Engine> engine_of(const json& config) { return engine_of(config, std::make_shared<cpu::CpuBackend>()); }

Prompt prompt_of(int64_t tokens) {
  Prompt prompt;
  for (int64_t i = 0; i < tokens; ++i) prompt.tokens.push_back(static_cast<int32_t>((7 * i + i * i / 3) % 90));
  return prompt;
}

// tiny_phi3() with one list in both places.
json with_both(const char* list) {
  json config = testing::tiny_phi3();
  json& scaling = config["llm_config"]["rope_scaling"];
  scaling["short_factor"] = scaling["long_factor"] = json(scaling[list]);
  return config;
}

TEST(LongRope, APromptTurnsByOneListAsAWhole) {
  const auto engine = engine_of(testing::tiny_phi3());
  const auto all_short = engine_of(with_both("short_factor")), all_long = engine_of(with_both("long_factor"));
  for (const int64_t tokens : {kOriginal - 1, kOriginal, kOriginal + 1, int64_t{40}}) {
    const auto logits = [&](const std::shared_ptr<Engine>& of) { return answer(of, prompt_of(tokens), greedy(1)).logits; };
    const bool is_long = tokens > kOriginal;
    EXPECT_EQ(logits(engine), logits(is_long ? all_long : all_short)) << tokens;
    EXPECT_NE(logits(engine), logits(is_long ? all_short : all_long)) << tokens;
  }
}

// Behind a short prompt the answer's keys are short up to the change, and stay so.
TEST(LongRope, AnAnswerTurnsLongFromTheChangeOn) {
  const auto engine = engine_of(testing::tiny_phi3());
  const auto all_short = engine_of(with_both("short_factor")), all_long = engine_of(with_both("long_factor"));
  const Answer mixed = answer(engine, prompt_of(kOriginal - 2), greedy(8));
  const Answer shorts = answer(all_short, prompt_of(kOriginal - 2), greedy(8));
  const Answer longs = answer(all_long, prompt_of(kOriginal - 2), greedy(8));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(mixed.logits[i], shorts.logits[i]) << i;
  // The token at position kOriginal is the first one turned long, over keys that are short.
  EXPECT_NE(mixed.logits[3], shorts.logits[3]);
  EXPECT_NE(mixed.logits[3], longs.logits[3]);
  const auto over_reference = engine_of(testing::tiny_phi3(), std::make_shared<testing::ReferenceBackend>());
  const Answer expected = answer(over_reference, prompt_of(kOriginal - 2), greedy(8));
  ASSERT_EQ(mixed.tokens, expected.tokens);
  for (size_t i = 0; i < 8; ++i) EXPECT_LT(testing::relative_error(mixed.logits[i], expected.logits[i]), 1e-5) << i;
}

struct LongRopeTypes {
  DType type;
  std::optional<KvType> kv;
  bool int8;
};
class LongRopeReuse : public ::testing::TestWithParam<LongRopeTypes> {};
INSTANTIATE_TEST_SUITE_P(Types, LongRopeReuse,
                         ::testing::Values(LongRopeTypes{DType::F32, {}, false}, LongRopeTypes{DType::BF16, {}, false},
                                           LongRopeTypes{DType::F16, KvType::F32, false},
                                           LongRopeTypes{DType::BF16, KvType::Int8, true}),
                         [](const auto& p) {
                           return std::string(name_of(p.param.type)) + (p.param.kv ? cat("_kv_", name_of(*p.param.kv)) : "") +
                                  (p.param.int8 ? "_int8" : "");
                         });

// A round of a chat: what it gives with the cache and asked anew, and how much it reuses.
TEST_P(LongRopeReuse, AConversationHasTheBitsOfOneAskedAnew) {
  const auto engine =
      engine_of(testing::tiny_phi3(), std::make_shared<cpu::CpuBackend>(), GetParam().type, GetParam().kv, GetParam().int8);
  testing::Requests conversation(engine);
  const auto round = [&](int64_t tokens, size_t answered, int64_t reused) {
    SCOPED_TRACE(tokens);
    const Answer got = conversation.answer(prompt_of(tokens), greedy(answered));
    EXPECT_EQ(got.reused, reused);
    EXPECT_EQ(got.logits, answer(engine, prompt_of(tokens), greedy(answered)).logits);
  };
  round(8, 1, 0);
  round(12, 3, 8);
  round(kOriginal, 7, 12);     // its answer grows behind the change
  round(kOriginal + 4, 2, 0);  // all that is there is turned short, or saw what is
  round(kOriginal + 9, 2, kOriginal + 4);
  round(kOriginal - 3, 2, kOriginal - 4);  // and back, to what the third round had
  round(kOriginal - 1, 1, kOriginal - 2);
}

// Beside others, and cut where a pass ends: the list is the whole prompt's, whatever part of it is computed.
TEST(LongRope, APromptHasTheSameBitsHoweverItIsCut) {
  json config = testing::tiny_phi3();
  config["llm_config"]["original_max_position_embeddings"] = kChunkRows + 20;
  const auto engine = engine_of(config);
  const std::vector<int64_t> sizes{kChunkRows + 19, kChunkRows + 30, 5, kChunkRows + 20, kChunkRows + 21};
  testing::Requests together(engine, {.kv_blocks = 20});
  for (const int64_t tokens : sizes) together.add(prompt_of(tokens), greedy(4));
  together.run();
  for (size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(together.of(static_cast<int64_t>(i)).logits, answer(engine, prompt_of(sizes[i]), greedy(4)).logits) << sizes[i];
  }
}

}  // namespace
}  // namespace ivl
