// The model against the original's activations and tokens: over the plain reference backend, which proves the model, and
// over the CPU backend in every precision, which proves its kernels.
#include "model/oracle.h"

#include <gtest/gtest.h>

#include "backend/reference_backend.h"
#include "cpu/cpu_backend.h"

namespace ivl {
namespace {

using testing::answer;
using testing::Answer;
using testing::Dialog;
using testing::expect_activations;
using testing::greedy;
using testing::Oracle;
using testing::relative_error;

TEST(ModelOverReference, ActivationsAreTheOriginals) {
  const Oracle oracle("hermes-gqa7");
  expect_activations(oracle, oracle.load(std::make_shared<testing::ReferenceBackend>(), DType::F32), DType::F32);
}

class ModelOverCpu : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Oracles, ModelOverCpu, ::testing::Values("hermes-d128", "hermes-gqa7"),
                         [](const auto& p) { return std::string(p.param).substr(7); });

TEST_P(ModelOverCpu, ActivationsAreTheOriginals) {
  const Oracle oracle(GetParam());
  for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
    SCOPED_TRACE(name_of(type));
    expect_activations(oracle, oracle.load(std::make_shared<cpu::CpuBackend>(), type), type);
  }
}

TEST_P(ModelOverCpu, RoundedActivationsAreWithinTheBoundOfBf16) {
  const Oracle oracle(GetParam());
  expect_activations(oracle, oracle.load(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.bf16_activations = true}), DType::BF16),
                     DType::BF16);
}

TEST_P(ModelOverCpu, EveryDialogsTokensAndLogitsAreTheOriginalsInF32) {
  const Oracle oracle(GetParam());
  const auto engine = oracle.load(std::make_shared<cpu::CpuBackend>(), DType::F32);
  for (const Dialog& dialog : oracle.dialogs()) {
    const testing::Answer got = answer(engine, oracle.prompt(*engine, dialog), greedy(dialog.greedy_tokens.size()));
    EXPECT_EQ(got.tokens, dialog.greedy_tokens) << dialog.name;
    std::vector<float> logits;
    for (const auto& row : got.logits) logits.insert(logits.end(), row.begin(), row.end());
    const std::vector<float> expected = oracle.activation(dialog.name + "/greedy_logits");
    ASSERT_EQ(logits.size(), expected.size());
    EXPECT_LE(relative_error(logits, expected), 1e-4) << dialog.name;
  }
}

// Random weights and few of them: eight bits put the logits up to 0.078 off, relative; the bound is twice that.
TEST_P(ModelOverCpu, Int8LogitsAreNearTheOriginals) {
  const Oracle oracle(GetParam());
  for (const bool vision : {false, true}) {
    const auto engine = oracle.load_int8(std::make_shared<cpu::CpuBackend>(), vision);
    EXPECT_TRUE(engine->precision().int8_decoder);
    double worst = 0;
    for (const Dialog& dialog : oracle.dialogs()) worst = std::max(worst, testing::logits_error(oracle, engine, dialog));
    EXPECT_LE(worst, 0.15) << (vision ? "with" : "without") << " the vision tower";
    RecordProperty(vision ? "worst_with_vision" : "worst", std::to_string(worst));
  }
}

TEST_P(ModelOverCpu, Int8IsTheSameOverTheReference) {
  const Oracle oracle(GetParam());
  const Dialog& dialog = oracle.dialog("image.0");
  const auto expected = oracle.load_int8(std::make_shared<testing::ReferenceBackend>(), false);
  const auto actual = oracle.load_int8(std::make_shared<cpu::CpuBackend>(), false);
  const Answer want = answer(expected, oracle.prompt(*expected, dialog), greedy(1));
  const Answer got = answer(actual, oracle.prompt(*actual, dialog), greedy(1));
  // A value on the edge between two of int8's may be rounded either way.
  EXPECT_LE(relative_error(got.logits.at(0), want.logits.at(0)), 2e-2);
}

TEST_P(ModelOverCpu, WeightsReadIntoMemoryGiveTheSameBitsAsMappedOnes) {
  const Oracle oracle(GetParam());
  const Dialog& dialog = oracle.dialog("image.0");
  std::vector<std::vector<float>> logits;
  for (const bool map : {true, false}) {
    LoadOptions options;
    options.map_weights = map;
    auto loader = ModelLoader::open(testing::always(std::make_shared<cpu::CpuBackend>()), oracle.folder(), options);
    while (loader->done() < loader->total()) loader->step();
    const auto engine = std::make_shared<Engine>(loader->take());
    logits.push_back(answer(engine, oracle.prompt(*engine, dialog), greedy(1)).logits.at(0));
  }
  EXPECT_EQ(logits[0], logits[1]);
}

}  // namespace
}  // namespace ivl
