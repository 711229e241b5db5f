// Random schedules on the CPU, in every type.
#include "generate/schedules.h"

#include "cpu/cpu_backend.h"
#include "model/adapter_folder.h"

namespace ivl {
namespace {

struct ScheduleTypes {
  DType type;
  std::optional<KvType> kv;
  int threads;
};
class RandomSchedules : public ::testing::TestWithParam<ScheduleTypes> {};
INSTANTIATE_TEST_SUITE_P(Types, RandomSchedules,
                         ::testing::Values(ScheduleTypes{DType::F32, {}, 2}, ScheduleTypes{DType::BF16, {}, 1},
                                           ScheduleTypes{DType::F16, KvType::F32, 2}, ScheduleTypes{DType::BF16, KvType::Int8, 2}),
                         [](const auto& p) {
                           return std::string(name_of(p.param.type)) + (p.param.kv ? cat("_kv_", name_of(*p.param.kv)) : "");
                         });

TEST_P(RandomSchedules, GiveTheBitsOfSingleRequests) {
  const testing::Oracle oracle("hermes-d128");
  LoadOptions options;
  options.precision = GetParam().type;
  options.kv = GetParam().kv;
  const auto backend = std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = GetParam().threads});
  const auto engine = oracle.load(testing::always(backend), options);
  testing::Schedules schedules(oracle, engine, {});
  testing::AdapterFolder adapter;
  adapter.pairs_of(ParamTable(engine->config()), 5, false);
  schedules.set_adapter(engine->load_adapter(adapter.write()));
  schedules.set_draft(oracle.load_int8(backend, false));
  if (!schedules.run_all(50)) return;
  EXPECT_GT(schedules.preemptions(), 0) << "or the schedules tried nothing";
  EXPECT_GT(schedules.reused(), 0);
  EXPECT_GT(schedules.guessed(), 0);
  EXPECT_GT(schedules.drafted(), 0);
}

}  // namespace
}  // namespace ivl
