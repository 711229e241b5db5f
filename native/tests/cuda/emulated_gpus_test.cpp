// GPUs that share a model: each reads and writes its own memory only, what one sends to the next is ordered with what comes
// before and after (the emulation reports it otherwise), and the answer is that of one.
#include "cuda/several_gpus.h"

namespace ivl {
namespace {

using testing::answer;
using testing::Answer;
using testing::greedy;
using testing::Oracle;

using SeveralGpus = testing::SeveralGpusTest;
class OracleOverGpus : public SeveralGpus, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Oracles, OracleOverGpus,
                         ::testing::Values("hermes-d128", "internlm2-tiles", "phi3", "qwen2-tied", "qwen2-hf", "qwen3",
                                           "qwen3-moe"),
                         [](const auto& p) { return testing::test_name(p.param); });

TEST_P(OracleOverGpus, GivesTheBitsOfOne) {
  const Oracle oracle(GetParam());
  const auto one = oracle.load(make_gpu_backend(0, DType::BF16), DType::BF16);
  // Pictures that come from the decoder's second GPU; a text where all begins on one.
  for (const auto& [vision, name] : {std::pair{0, "text.0"}, std::pair{1, "image-rounds.0"}}) {
    const auto two = oracle.load(over(vision, {{0, 1}, {1, one->config().language.layers - 1}}), DType::BF16);
    const Answer expected = answer(one, oracle.prompt(*one, oracle.dialog(name)), greedy(2));
    const Answer got = answer(two, oracle.prompt(*two, oracle.dialog(name)), greedy(2));
    EXPECT_EQ(got.logits, expected.logits) << name;
  }
}

// Prompts that pass the decoder in several pieces: each is sent on while the next is computed, from the same memory.
TEST_F(SeveralGpus, GiveTheBitsOfOneForPromptsOfSeveralPieces) {
  const Oracle oracle("hermes-d128");
  const auto one = oracle.load(make_gpu_backend(0, DType::BF16), DType::BF16);
  const auto three = oracle.load(over(0, {{1, 1}, {0, 1}, {2, 1}}), DType::BF16);
  Prompt pictures = oracle.prompt(*three, oracle.dialog("image.0"));
  Prompt same = oracle.prompt(*one, oracle.dialog("image.0"));
  for (Prompt* prompt : {&pictures, &same}) {
    for (int32_t i = 0; prompt->tokens.size() < kChunkRows + 60; ++i) prompt->tokens.push_back(5 + i * i % 900);
  }
  const Answer expected = answer(one, same, greedy(2));
  const Answer got = answer(three, pictures, greedy(2));
  EXPECT_EQ(got.tokens, expected.tokens);
  EXPECT_EQ(got.logits, expected.logits);
}

// More pictures than the tower takes together, and features that the decoder's first GPU brings over from another.
TEST_F(SeveralGpus, GiveTheBitsOfOneForPicturesInSeveralPieces) {
  const Oracle oracle("hermes-gqa7");
  const auto one = oracle.load(make_gpu_backend(0, DType::BF16), DType::BF16);
  const auto two = oracle.load(over(1, {{0, 2}}), DType::BF16);
  const ModelConfig& config = one->config();
  const int64_t count = InternVLChat::pictures_together(config) + 2;
  std::vector<float> pixels(static_cast<size_t>(count * config.vision.channels * config.image_size * config.image_size));
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i % 977) / 488.0f - 1;
  const auto features_of = [&](Engine& engine) {
    const auto features = engine.encode(pixels.data(), count, nullptr, nullptr);
    std::vector<float> values(static_cast<size_t>(features->rows() * config.language.hidden));
    features->copy_to(values.data());
    return values;
  };
  EXPECT_EQ(features_of(*two), features_of(*one));
}

}  // namespace
}  // namespace ivl
