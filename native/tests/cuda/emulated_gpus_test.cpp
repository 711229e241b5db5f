// Two GPUs that share a model: each reads and writes its own memory only, and the answer is that of one.
#include "cuda/gpu_test.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::answer;
using testing::Answer;
using testing::greedy;
using testing::Oracle;

class SeveralGpus : public testing::GpuTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    simt::set_device_count(2);
    GpuTest::SetUp();
  }
  void TearDown() override {
    GpuTest::TearDown();
    simt::set_device_count(1);
  }
};
INSTANTIATE_TEST_SUITE_P(Oracles, SeveralGpus,
                         ::testing::Values("hermes-d128", "internlm2-tiles", "qwen2-tied", "qwen2-hf", "qwen3"),
                         [](const auto& p) { return testing::test_name(p.param); });

TEST_P(SeveralGpus, GiveTheBitsOfOne) {
  const Oracle oracle(GetParam());
  const auto one = oracle.load(make_gpu_backend(0, DType::BF16), DType::BF16);
  for (const bool vision_apart : {false, true}) {
    const Placer over_two = [&](const ModelConfig& config, const Precision& precision, const MemoryPlan&) {
      const std::shared_ptr<Backend> first = make_gpu_backend(0, precision.type);
      const std::shared_ptr<Backend> second = make_gpu_backend(1, precision.type);
      return Placement{vision_apart ? second : first, {{first, 1}, {second, config.language.layers - 1}}};
    };
    const auto two = oracle.load(over_two, DType::BF16);
    for (const char* name : {"text.0", "image-rounds.0"}) {
      const Answer expected = answer(one, oracle.prompt(*one, oracle.dialog(name)), greedy(2));
      const Answer got = answer(two, oracle.prompt(*two, oracle.dialog(name)), greedy(2));
      EXPECT_EQ(got.logits, expected.logits) << name;
    }
  }
}

}  // namespace
}  // namespace ivl
