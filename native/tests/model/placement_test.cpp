// Models whose layers lie on several backends.
#include "model/placement.h"

#include <gtest/gtest.h>

#include "cpu/cpu_backend.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::answer;
using testing::Answer;
using testing::greedy;
using testing::Oracle;

TEST(SplitLayers, FillsDevicesEqually) {
  // InternVL-Chat-V1-2 in GB: vision 12, embeddings and head 1 each, 60 layers of 1.1.
  const PartBytes bytes{12, 1, 1, 1, 0};
  EXPECT_EQ(split_layers(bytes, 60, {80}), std::vector<int64_t>({60}));
  EXPECT_EQ(split_layers(bytes, 60, {80, 80}), std::vector<int64_t>({24, 36}));
  EXPECT_EQ(split_layers(bytes, 60, {40, 80}), std::vector<int64_t>({12, 48}));
  EXPECT_EQ(split_layers(bytes, 60, {24, 24, 24, 24}), std::vector<int64_t>({6, 19, 18, 17}));
}

TEST(SplitLayers, GivesNothingToADeviceThatVisionFills) {
  EXPECT_EQ(split_layers({50, 0, 1, 0, 0}, 10, {40, 40}), std::vector<int64_t>({0, 10}));
  EXPECT_EQ(split_layers({0, 0, 1, 0, 0}, 3, {0, 10}), std::vector<int64_t>({0, 3}));
}

// Wherever the layers lie, the answer is the same, bit for bit: with and without pictures, in a later round over its cache.
TEST(Placement, AModelInStagesGivesTheSameBits) {
  const Oracle oracle("hermes-d128");
  const auto whole = oracle.load(std::make_shared<cpu::CpuBackend>(), DType::F32);
  for (const std::vector<int64_t>& layers : {std::vector<int64_t>{1, 2}, {2, 0, 1}, {0, 3}}) {
    const Placer in_stages = [&](const ModelConfig&, const Precision&, const MemoryPlan&) {
      Placement placement;
      placement.vision = std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 1});
      for (const int64_t count : layers) {
        placement.decoder.push_back({std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 1}), count});
      }
      return placement;
    };
    const auto staged = oracle.load(in_stages, DType::F32);
    testing::Requests rounds(staged);
    for (const char* name : {"image-rounds.0", "image-rounds.1"}) {
      const Answer expected = answer(whole, oracle.prompt(*whole, oracle.dialog(name)), greedy(3));
      const Answer got = rounds.answer(oracle.prompt(*staged, oracle.dialog(name)), greedy(3));
      EXPECT_EQ(got.tokens, expected.tokens) << name;
      EXPECT_EQ(got.logits, expected.logits) << name;
    }
  }
}

}  // namespace
}  // namespace ivl
