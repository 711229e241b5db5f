// The whole model over the CUDA backend, against the original's activations and tokens.
#include <cmath>
#include <numeric>
#include <span>

#include "cpu/cpu_backend.h"
#include "cuda/gpu_test.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::answer;
using testing::Answer;
using testing::Dialog;
using testing::greedy;
using testing::Oracle;

struct Case {
  const char* oracle;
  DType type;
};

class ModelOverCuda : public testing::GpuTest, public ::testing::WithParamInterface<Case> {
 protected:
  std::shared_ptr<Engine> load(const Oracle& oracle) const {
    return oracle.load(make_gpu_backend(0, GetParam().type), GetParam().type);
  }
};
INSTANTIATE_TEST_SUITE_P(Oracles, ModelOverCuda,
                         ::testing::Values(Case{"hermes-d128", DType::BF16}, Case{"hermes-d128", DType::F16},
                                           Case{"hermes-gqa7", DType::BF16}, Case{"hermes-gqa7", DType::F16},
                                           Case{"internlm2-tiles", DType::BF16}, Case{"llama2-zh", DType::BF16},
                                           Case{"llama3-bpe", DType::BF16}, Case{"phi3", DType::BF16},
                                           Case{"qwen2-tied", DType::BF16}, Case{"qwen2-hf", DType::BF16},
                                           Case{"qwen3", DType::BF16}, Case{"qwen3", DType::F16}, Case{"qwen3-moe", DType::BF16}),
                         [](const auto& p) { return testing::test_name(p.param.oracle) + "_" + name_of(p.param.type); });

TEST_P(ModelOverCuda, ActivationsAreTheOriginals) {
  const Oracle oracle(GetParam().oracle);
  testing::expect_activations(oracle, load(oracle), GetParam().type);
}

TEST_P(ModelOverCuda, Int8LogitsAreNearTheOriginalsAndTheCpus) {
  const Oracle oracle(GetParam().oracle);
  const Dialog& dialog = oracle.dialog("image.0");
  // A row that goes to another expert is off by all that random ones differ in.
  const bool has_experts = load_config(oracle.folder()).language.experts.count > 0;
  const auto over = [&](std::shared_ptr<Backend> backend) {
    LoadOptions options;
    options.precision = GetParam().type;
    options.formats.decoder = options.formats.head = WeightFormat::Int8;
    options.formats.vision = WeightFormat::Int8;
    const auto engine = oracle.load(testing::always(std::move(backend)), options);
    EXPECT_LE(testing::logits_error(oracle, engine, dialog), has_experts ? 0.6 : 0.15);
    return answer(engine, oracle.prompt(*engine, dialog), greedy(1)).logits.at(0);
  };
  const std::vector<float> cuda = over(make_gpu_backend(0, GetParam().type));
  const std::vector<float> cpu = over(std::make_shared<cpu::CpuBackend>());
  // The CPU's activations are f32, and what is rounded otherwise before it is quantized is another byte: up to 0.049 here.
  EXPECT_LE(testing::relative_error(cuda, cpu), has_experts ? 0.6 : 0.1);
}

// The emulation takes minutes for all of them, and runs nothing that these do not: a text, several rounds, a picture of several.
bool is_asked([[maybe_unused]] const Dialog& dialog) {
#if defined(GPU_EMULATED)
  return dialog.name == "text.0" || dialog.name == "image-rounds.0" || dialog.name == "images-combined.0";
#else
  return true;
#endif
}

// How far a logit of the row is from its true value in PyTorch's own run in bfloat16, in the mean; f16 has three bits more.
double rounding(std::span<const float> logits, double bfloat16_error, DType type) {
  const double squares = std::inner_product(logits.begin(), logits.end(), logits.begin(), 0.0);
  return bfloat16_error * std::sqrt(squares / static_cast<double>(logits.size())) / (type == DType::F16 ? 8 : 1);
}

// A token may differ only where the rounding of the type, which both logits have, can turn their order.
TEST_P(ModelOverCuda, GreedyTokensAreTheOriginals) {
  constexpr size_t kTokens = 4;
  const Oracle oracle(GetParam().oracle);
  const auto engine = load(oracle);
  const auto vocabulary = static_cast<size_t>(engine->config().language.vocab);
  for (const Dialog& dialog : oracle.dialogs()) {
    if (!is_asked(dialog)) continue;
    const Answer got = answer(engine, oracle.prompt(*engine, dialog), greedy(kTokens));
    const std::vector<float> expected = oracle.greedy_logits(dialog);
    for (size_t i = 0; i < got.tokens.size(); ++i) {
      const auto token = static_cast<size_t>(got.tokens[i]);
      const auto best = static_cast<size_t>(dialog.greedy_tokens[i]);
      if (token == best) continue;
      const std::span<const float> logits = std::span(expected).subspan(i * vocabulary, vocabulary);
      EXPECT_LE(logits[best] - logits[token], 2 * rounding(logits, dialog.bfloat16_error.at("logits"), GetParam().type))
          << dialog.name << ", token " << i;
      break;  // what follows answers another text
    }
  }
}

}  // namespace
}  // namespace ivl
