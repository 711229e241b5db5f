// Steps of decoding are captured once and replayed: with the bits of the launches they stand for, and only for those.
#include "cuda/cuda_backend.h"
#include "cuda/gpu_test.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::answer;
using testing::Answer;
using testing::greedy;
using testing::Oracle;

class LaunchGraphsTest : public testing::GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    gpu_ = std::make_shared<cuda::CudaBackend<gpu::bf16>>(0);
    engine_ = Oracle("hermes-gqa7").load(gpu_, DType::BF16);
  }
  void TearDown() override {
    engine_.reset();
    gpu_.reset();
    GpuTest::TearDown();
  }

  Prompt prompt(size_t length) const {
    Prompt prompt;
    for (size_t i = 0; i < length; ++i) prompt.tokens.push_back(static_cast<int32_t>(i * i % 700));
    return prompt;
  }
  // The logits behind the answer's last token as those of a prompt: no step, no graph.
  std::vector<float> without_steps(Prompt prompt, const Answer& answered) const {
    prompt.tokens.insert(prompt.tokens.end(), answered.tokens.begin(), answered.tokens.end() - 1);
    return answer(engine_, prompt, greedy(1)).logits.at(0);
  }

  std::shared_ptr<cuda::CudaBackend<gpu::bf16>> gpu_;
  std::shared_ptr<Engine> engine_;
};

TEST_F(LaunchGraphsTest, AnAnswerIsOneCaptureAndItsReplays) {
  const Answer stepped = answer(engine_, prompt(40), greedy(6));
  // Another sequence, other memory for its cache: that is in the arrays, not in the graph.
  const Answer other = answer(engine_, prompt(33), greedy(4));
  EXPECT_EQ(gpu_->captured_graphs(), 1);
  EXPECT_EQ(stepped.logits.back(), without_steps(prompt(40), stepped));
  EXPECT_EQ(other.logits.back(), without_steps(prompt(33), other));
}

TEST_F(LaunchGraphsTest, ALongerCacheIsAnotherGraph) {
  const size_t near_the_split = gpu::kSplit - 3;
  const Answer stepped = answer(engine_, prompt(near_the_split), greedy(6));
  EXPECT_EQ(gpu_->captured_graphs(), 2);
  EXPECT_EQ(stepped.logits.back(), without_steps(prompt(near_the_split), stepped));
}

TEST_F(LaunchGraphsTest, APassThatFailsLeavesTheDeviceUsable) {
  const auto fails = [] { fail(Status::Cancelled, "in the middle"); };
  EXPECT_THROW(gpu_->repeat(fails), Error);
  int calls = 0;
  const auto fails_when_captured = [&] {
    if (++calls == 2) fail(Status::Cancelled, "in the middle");
  };
  EXPECT_THROW(gpu_->repeat(fails_when_captured), Error);
  EXPECT_EQ(answer(engine_, prompt(5), greedy(3)).tokens.size(), 3u);
}

// Each size of a batch is a graph of its own. Once the largest was there, buffers grow no more, and all are kept.
TEST_F(LaunchGraphsTest, BatchesOfSeveralSizesKeepTheirGraphs) {
  int captured = 0;
  for (int round = 0; round < 3; ++round) {
    captured = gpu_->captured_graphs();
    for (const int requests : {3, 2, 1}) {
      testing::Requests together(engine_);
      for (int i = 0; i < requests; ++i) together.add(prompt(12), greedy(3));
      together.run();
    }
  }
  EXPECT_EQ(gpu_->captured_graphs(), captured);
  EXPECT_EQ(captured, 3);
}

}  // namespace
}  // namespace ivl
