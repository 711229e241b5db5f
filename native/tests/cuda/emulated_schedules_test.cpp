// Random schedules on one emulated GPU and on two.
#include "generate/schedules.h"

#include "cuda/gpu_test.h"

namespace ivl {
namespace {

class GpuSchedules : public testing::GpuTest {
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

Placer over(int gpus) {
  return [gpus](const ModelConfig& config, const Precision& precision, const MemoryPlans&) {
    Placement placement;
    for (int i = 0; i < gpus; ++i) {
      const int64_t layers = config.language.layers / gpus + (i < config.language.layers % gpus ? 1 : 0);
      placement.decoder.push_back({make_gpu_backend(i, precision.type), layers});
    }
    placement.vision = placement.decoder.front().backend;
    return placement;
  };
}

TEST_F(GpuSchedules, GiveTheBitsOfSingleRequestsOnOneAndOnTwo) {
  const testing::Oracle oracle("hermes-gqa7");
  LoadOptions draft;
  draft.formats.decoder = draft.formats.head = WeightFormat::Int8;  // which is wrong now and then
  for (const int gpus : {1, 2}) {
    const auto engine = oracle.load(over(gpus), DType::BF16);
    testing::Schedules schedules(oracle, engine,
                                 {.dialogs = {"image.0"}, .longer = 9, .texts = {40, 259}, .answer = 4, .requests = 5});
    schedules.set_adapter(engine->load_adapter(oracle.folder() / "adapter"));
    schedules.set_draft(oracle.load(over(1), draft));
    schedules.run_all(1);
    EXPECT_GT(schedules.reused(), 0) << "or the schedules tried nothing";
    EXPECT_GT(schedules.drafted(), 0);
  }
}

}  // namespace
}  // namespace ivl
