// Adapters of requests on one emulated GPU and on two that share the decoder: against the original's logits, and that a request's bits
// are those it has alone.
#include "cuda/several_gpus.h"
#include "generate/mixed_adapters.h"

namespace ivl {
namespace {

using testing::answer;
using testing::Answer;
using testing::gqa7;
using testing::greedy;

class AdaptersOnGpus : public testing::SeveralGpusTest, protected testing::MixedAdapters {
 protected:
  void TearDown() override {
    first_ = seeing_loaded_ = wide_loaded_ = nullptr;
    engine_ = nullptr;
    SeveralGpusTest::TearDown();
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
  engine_ = gqa7().load(over(1), in(DType::BF16));
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
  load(gqa7().load(over(1), in(DType::BF16, WeightFormat::Int8)));
  std::vector<Answer> expected;
  for (const Ask& ask : four()) expected.push_back(answer(engine_, some(ask), greedy(2), {.adapters = ask.adapters}));
  for (const int gpus : {1, 2}) {
    if (gpus == 2) load(gqa7().load(over(gpus), in(DType::BF16, WeightFormat::Int8)));
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
