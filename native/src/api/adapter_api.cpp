// Adapters of a loaded model.
#include "api/adapters.h"
#include "api/barrier.h"
#include "api/handles.h"

using namespace ivl;
using namespace ivl::api;

namespace ivl::api {

std::vector<AdapterChoice> choices_of(const ivl_adapters* adapters) {
  std::vector<AdapterChoice> choices;
  if (adapters == nullptr) return choices;
  if (adapters->count < 0) fail(Status::InvalidArgument, cat("the count of adapters is ", adapters->count));
  for (int64_t i = 0; i < adapters->count; ++i) {
    const ivl_adapter_use& use = (&given(adapters->uses, "uses"))[i];
    choices.push_back({given(use.adapter, "one of the adapters").adapter, use.weight});
  }
  return choices;
}

}  // namespace ivl::api

extern "C" {

ivl_status ivl_adapter_load(ivl_model* model, const char* directory, ivl_adapter** out) {
  return guarded([&] {
    Engine& engine = *given(model, "model").engine;
    const std::filesystem::path folder = &given(directory, "directory");
    hand_over(out, [&] { return new ivl_adapter{engine.load_adapter(folder)}; });
  });
}

ivl_status ivl_adapter_describe(const ivl_adapter* adapter, ivl_adapter_info* out) {
  return guarded([&] {
    const LoadedAdapter& loaded = *given(adapter, "adapter").adapter;
    given(out, "out") = {static_cast<int64_t>(loaded.bytes()), loaded.sees() ? 1 : 0};
  });
}

void ivl_adapter_free(ivl_adapter* adapter) { delete adapter; }

}  // extern "C"
