// Adapters of requests on one emulated GPU and on two that share the decoder: against the original's logits, and that a request's bits
// are those it has alone.
#include "cuda/gpu_test.h"
#include "generate/mixed_adapters.h"

namespace ivl {
namespace {

using testing::answer;
using testing::Answer;
using testing::gqa7;
using testing::greedy;

class AdaptersOnGpus : public testing::GpuTest, protected testing::MixedAdapters {
 protected:
  void SetUp() override {
    simt::set_device_count(2);
    GpuTest::SetUp();
  }
  void TearDown() override {
    first_ = seeing_loaded_ = wide_loaded_ = nullptr;
    engine_ = nullptr;
    GpuTest::TearDown();
    simt::set_device_count(1);
  }

  // A layer of the decoder on each GPU, the tower on the first.
  static std::shared_ptr<Engine> over(int64_t gpus, const LoadOptions& options) {
    const Placer placer = [gpus](const ModelConfig& config, const Precision& precision, const MemoryPlan&) {
      Placement placement;
      for (int64_t i = 0; i < gpus; ++i) {
        placement.decoder.push_back({make_gpu_backend(static_cast<int>(i), precision.type), config.language.layers / gpus});
      }
      placement.vision = placement.decoder.front().backend;
      return placement;
    };
    return gqa7().load(placer, options);
  }
  static LoadOptions in(DType type, WeightFormat format = WeightFormat::Plain) {
    LoadOptions options;
    options.precision = type;
    options.formats = {format, format, format};
    return options;
  }
  // A dozen tokens of the ask's prompt, its picture among them: the emulation takes long for all.
  Prompt some(const Ask& ask) const {
    Prompt some = prompt(ask.dialog, ask.adapters);
    const auto picture = std::find(some.tokens.begin(), some.tokens.end(), some.image_token);
    const auto begin = picture == some.tokens.end() ? some.tokens.begin() : picture - 4;
    some.tokens = std::vector<int32_t>(begin, begin + 12);
    return some;
  }
};

TEST_F(AdaptersOnGpus, LogitsBesideTheWeightsAreNearTheOriginals) {
  const testing::AdapterOriginals originals;
  const double bound = 2 * gqa7().dialog("image.0").bfloat16_error.at("logits");
  engine_ = over(1, in(DType::BF16));
  first_ = engine_->load_adapter(originals.folder());
  for (const testing::OriginalAnswer& each : originals.of(*engine_, "adapter")) {
    std::vector<float> got = answer(engine_, each.prompt, greedy(1), {.adapters = {{first_}}}).logits[0];
    const std::vector<float> expected(each.logits.begin(), each.logits.begin() + static_cast<int64_t>(got.size()));
    EXPECT_LE(testing::relative_error(got, expected), bound);
    if (!each.prompt.features.empty()) continue;
    got = answer(engine_, each.prompt, greedy(1)).logits[0];
    EXPECT_GT(testing::relative_error(got, expected), 2 * bound) << "or the adapter changes nothing that is seen";
  }
}

TEST_F(AdaptersOnGpus, ABatchGivesEachRequestTheBitsThatItHasAloneOnOneGpuAndOnTwo) {
  load(over(1, in(DType::BF16, WeightFormat::Int8)));
  std::vector<Answer> expected;
  for (const Ask& ask : four()) expected.push_back(answer(engine_, some(ask), greedy(2), {.adapters = ask.adapters}));
  for (const int64_t gpus : {1, 2}) {
    if (gpus == 2) load(over(gpus, in(DType::BF16, WeightFormat::Int8)));
    testing::Requests batch(engine_);
    for (const Ask& ask : four()) batch.add(some(ask), greedy(2), {.adapters = ask.adapters});
    batch.run();
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(batch.of(static_cast<int64_t>(i)).logits, expected[i].logits) << i << ", over " << gpus;
      for (size_t j = 0; j < i; ++j) EXPECT_NE(expected[i].logits, expected[j].logits) << i << " and " << j;
    }
  }
}

}  // namespace
}  // namespace ivl
