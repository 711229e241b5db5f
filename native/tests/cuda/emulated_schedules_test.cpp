// Random schedules on one emulated GPU and on two.
#include "generate/schedules.h"

#include "cuda/several_gpus.h"
#include "model/adapter_folder.h"

namespace ivl {
namespace {

class GpuSchedules : public testing::SeveralGpusTest, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Gpus, GpuSchedules, ::testing::Values(1, 2), ::testing::PrintToStringParamName());

TEST_P(GpuSchedules, GiveTheBitsOfSingleRequests) {
  const testing::Oracle oracle("qwen2-tied");
  LoadOptions draft;
  draft.formats.decoder = draft.formats.head = WeightFormat::Int8;  // which is wrong now and then
  const auto engine = oracle.load(over(GetParam()), DType::BF16);
  testing::Schedules schedules(oracle, engine,
                               {.dialogs = {"image.0"}, .longer = 9, .texts = {40, 259}, .answer = 4, .requests = 5});
  testing::AdapterFolder adapter;
  adapter.pairs_of(ParamTable(engine->config()), 5, false);
  schedules.set_adapter(engine->load_adapter(adapter.write()));
  schedules.set_draft(oracle.load(over(1), draft));
  schedules.run_all(1);
  EXPECT_GT(schedules.reused(), 0) << "or the schedules tried nothing";
  EXPECT_GT(schedules.drafted(), 0);
}

}  // namespace
}  // namespace ivl
