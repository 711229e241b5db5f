// The whole model over the CUDA backend, against the original's activations and tokens.
#include "cuda/gpu_test.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::answer;
using testing::Answer;
using testing::Dialog;
using testing::greedy;
using testing::Oracle;
using testing::relative_error;

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
                                           Case{"hermes-gqa7", DType::BF16}, Case{"hermes-gqa7", DType::F16}),
                         [](const auto& p) { return std::string(p.param.oracle).substr(7) + name_of(p.param.type); });

TEST_P(ModelOverCuda, ActivationsAreTheOriginals) {
  const Oracle oracle(GetParam().oracle);
  const auto engine = load(oracle);
  const Dialog& dialog = oracle.dialog("images-separate.0");
  auto recording = std::make_shared<Recording>();
  Prompt prompt = oracle.prompt(*engine, dialog, recording.get());
  Generation generation(engine, nullptr);
  generation.add(nullptr, std::move(prompt), greedy(1), recording);
  generation.step();
  EXPECT_EQ(recording->entries().size(), dialog.bfloat16_error.size());
  for (const Recording::Entry& entry : recording->entries()) {
    const std::vector<float> expected = oracle.activation(dialog.name + "/" + entry.name);
    ASSERT_EQ(entry.values.size(), expected.size()) << entry.name;
    // FlashAttention's rule for 16-bit types: at most twice the error of PyTorch in bfloat16.
    EXPECT_LE(relative_error(entry.values, expected), 2 * dialog.bfloat16_error.at(entry.name) + 1e-3) << entry.name;
  }
}

// A token may differ only where the original's own two best logits are closer than the rounding of the type.
TEST_P(ModelOverCuda, GreedyTokensAreTheOriginals) {
  constexpr size_t kTokens = 4;
  const Oracle oracle(GetParam().oracle);
  const auto engine = load(oracle);
  const auto vocabulary = static_cast<size_t>(engine->config().language.vocab);
  for (const Dialog& dialog : oracle.dialogs()) {
    const Answer got = answer(engine, oracle.prompt(*engine, dialog), greedy(kTokens));
    const std::vector<float> expected = oracle.activation(dialog.name + "/greedy_logits");
    for (size_t i = 0; i < got.tokens.size(); ++i) {
      const auto token = static_cast<size_t>(got.tokens[i]);
      const auto best = static_cast<size_t>(dialog.greedy_tokens[i]);
      if (token == best) continue;
      const float margin = expected[i * vocabulary + best] - expected[i * vocabulary + token];
      EXPECT_LE(margin, 0.05f) << dialog.name << ", token " << i;
      break;  // what follows answers another text
    }
  }
}

}  // namespace
}  // namespace ivl
