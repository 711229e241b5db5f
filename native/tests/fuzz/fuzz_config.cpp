// config.json, behind a NUL generation_config.json, and the memory plans of what they claim: no number in them overflows.
#include "fuzz/fuzz_target.h"
#include "model/config.h"
#include "model/memory_plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ivl;
  const std::string_view text = fuzz::text_of(data, size);
  const size_t nul = text.find('\0');
  fuzz::expect_errors_only([&] {
    const ModelConfig config =
        parse_config(text.substr(0, nul), "config.json", nul == text.npos ? std::string_view() : text.substr(nul + 1));
    const Precision precisions[] = {{.type = DType::F32},
                                    {.type = DType::BF16, .formats = {WeightFormat::Int4, WeightFormat::Int8, WeightFormat::Int8}}};
    for (const Precision& precision : precisions) {
      fuzz::demand(plan_memory(config, precision).total() > 0);
      const MemoryPlan gpu = plan_gpu_memory(config, precision);
      fuzz::demand(for_batch(gpu, config, 8).total() >= gpu.total());
      part_bytes(config, precision, gpu);
    }
  });
  return 0;
}
