// Phi-3's decoder on a GPU around the length at which its factors change, over random weights.
#include "cpu/cpu_backend.h"
#include "cuda/gpu_test.h"
#include "model/tiny_model.h"

namespace ivl {
namespace {

using testing::Answer;
using testing::answer;
using testing::greedy;

constexpr size_t kOriginal = 16;  // of tiny_phi3()

// Its heads of 96, and a tower that GPUs can do.
std::shared_ptr<Engine> load(std::shared_ptr<Backend> backend, bool int8 = false) {
  nlohmann::json config = testing::tiny_phi3();
  nlohmann::json& decoder = config["llm_config"];
  decoder["hidden_size"] = 192;
  decoder["num_attention_heads"] = decoder["num_key_value_heads"] = 2;
  std::vector<double> shorts, longs;
  for (int i = 0; i < 48; ++i) {
    shorts.push_back(1 + 0.01 * i);
    longs.push_back(1 + 0.2 * i);
  }
  decoder["rope_scaling"]["short_factor"] = shorts;
  decoder["rope_scaling"]["long_factor"] = longs;
  decoder["rope_scaling"]["attention_factor"] = 1.0;  // larger scores make more of each rounding
  config["vision_config"]["hidden_size"] = config["vision_config"]["intermediate_size"] = 64;
  LoadOptions options;
  options.precision = DType::BF16;
  options.formats.decoder = options.formats.head = int8 ? WeightFormat::Int8 : WeightFormat::Plain;
  return std::make_shared<Engine>(testing::load_random(std::move(backend), config, options));
}

Prompt prompt_of(size_t tokens) {
  Prompt prompt;
  for (size_t i = 0; i < tokens; ++i) prompt.tokens.push_back(static_cast<int32_t>((7 * i + i * i / 3) % 90));
  return prompt;
}

class CudaLongRope : public testing::GpuTest {};

// Prompts of either kind, and what is decoded over the change: the CPU's activations are f32.
TEST_F(CudaLongRope, LogitsAreTheCpus) {
  const auto gpu = load(make_gpu_backend(0, DType::BF16));
  const auto cpu = load(std::make_shared<cpu::CpuBackend>());
  for (const size_t tokens : {kOriginal - 3, kOriginal, kOriginal + 1}) {
    const Answer expected = answer(cpu, prompt_of(tokens), greedy(6));
    const Answer got = answer(gpu, prompt_of(tokens), greedy(6));
    for (size_t i = 0; i < 6; ++i) {
      EXPECT_LE(testing::relative_error(got.logits[i], expected.logits[i]), 0.05) << tokens << ", token " << i;
      ASSERT_EQ(got.tokens[i], expected.tokens[i]) << tokens << ", token " << i;
    }
  }
}

TEST_F(CudaLongRope, AConversationHasTheBitsOfOneAskedAnew) {
  for (const bool int8 : {false, true}) {
    const auto engine = load(make_gpu_backend(0, DType::BF16), int8);
    testing::Requests rounds(engine);
    for (const auto& [tokens, answered] : {std::pair{kOriginal - 4, size_t{8}},
                                           {kOriginal + 2, size_t{2}},
                                           {kOriginal + 6, size_t{2}},
                                           {kOriginal - 2, size_t{4}}}) {
      const Answer kept = rounds.answer(prompt_of(tokens), greedy(answered));
      EXPECT_EQ(kept.logits, answer(engine, prompt_of(tokens), greedy(answered)).logits) << tokens << (int8 ? " int8" : "");
    }
  }
}

}  // namespace
}  // namespace ivl
