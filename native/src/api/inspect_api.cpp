// A checkpoint before it is loaded, and the machine it would run on.
#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>

#include "api/barrier.h"
#include "api/convert.h"
#include "api/device_choice.h"
#include "api/handles.h"
#include "backend/gpus.h"
#include "checkpoint/non_finite.h"
#include "host/processor.h"
#include "model/weight_formats.h"
#include "model/weights.h"

namespace ivl::api {
namespace {

using nlohmann::json;

json devices() {
  json all = json::array({{{"name", "cpu"}, {"available", true}, {"reason", ""}}});
  const Gpus gpus = find_gpus();
  for (const Gpu& gpu : gpus.found) {
    const std::string reason = why_gpu_cannot(gpu.ordinal);
    all.push_back({{"name", cat("cuda:", gpu.ordinal, " (", gpu.name, ", ", gpu.memory >> 20, " MiB)")},
                   {"available", reason.empty()},
                   {"reason", reason}});
  }
  if (gpus.found.empty()) all.push_back({{"name", "cuda"}, {"available", false}, {"reason", gpus.reason}});
  return all;
}

json non_finite(const Checkpoint& checkpoint) {
  json found = json::array();
  for (const TensorInfo& tensor : checkpoint.tensors()) {
    if (!tensor.dtype) continue;
    const NonFinite bad = scan_non_finite(tensor);
    if (bad.count > 0) found.push_back({{"tensor", tensor.name}, {"count", bad.count}, {"first", *bad.first}});
  }
  return found;
}

json check(const std::filesystem::path& folder, bool scan_values) {
  const Checkpoint checkpoint = Checkpoint::open(folder);
  const ModelConfig config = as_stored(load_config(folder), checkpoint);
  CheckReport report = check_weights(checkpoint, config);
  std::vector<std::string> wrong = std::move(report.wrong_shape);
  wrong.insert(wrong.end(), report.wrong_dtype.begin(), report.wrong_dtype.end());
  if (!report.unmerged.empty()) wrong.push_back(report.unmerged);
  std::vector<std::string> unexpected = std::move(report.unexpected);
  unexpected.insert(unexpected.end(), checkpoint.unindexed().begin(), checkpoint.unindexed().end());
  return {{"missing", report.missing},
          {"wrong", wrong},
          {"unexpected", unexpected},
          {"non_finite", scan_values ? non_finite(checkpoint) : json::array()}};
}

// A checkpoint's plans, from the headers of its weights, and where it would go; of a configuration alone those of random weights.
struct Planned {
  Planned(const char* directory, const ivl_load_options& options)
      : load(load_options_from(options)),
        folder(&given(directory, "directory")),
        config(load_config_for(folder, load)),
        checkpoint(open(folder)),
        precision(checked_precision()),
        plans(checkpoint ? &*checkpoint : nullptr, config, precision, load.max_batch, load.map_weights, load.kv_memory),
        to(destination(device_from(options), load.memory_limit, precision, plans)) {}
  Planned(const Planned&) = delete;  // the plans point at their neighbours
  Planned& operator=(const Planned&) = delete;

  static std::optional<Checkpoint> open(const std::filesystem::path& path) {
    if (std::filesystem::is_regular_file(path)) return std::nullopt;
    return Checkpoint::open(path, {Mapping::Map, false, {}});
  }

  Precision checked_precision() {
    if (!checkpoint) return precision_for(load, {DType::BF16});
    config = as_stored(std::move(config), *checkpoint);
    require_weights(*checkpoint, config);
    return precision_for(load, stored_precision(*checkpoint, ParamTable(config)));
  }

  LoadOptions load;
  std::filesystem::path folder;
  ModelConfig config;
  std::optional<Checkpoint> checkpoint;
  Precision precision;
  MemoryPlans plans;
  Destination to;
};

ivl_text* text_of(const json& value) {
  // Names from a hostile file may be anything; the reply stays valid UTF-8.
  return new ivl_text{value.dump(2, ' ', false, json::error_handler_t::replace)};
}

}  // namespace
}  // namespace ivl::api

using namespace ivl;
using namespace ivl::api;

extern "C" {

const char* ivl_text_data(const ivl_text* text) { return text == nullptr ? "" : text->text.c_str(); }
void ivl_text_free(ivl_text* text) { delete text; }

ivl_status ivl_system_info(ivl_text** out) {
  return guarded([&] {
    const json cpu = {{"isa", name_of(chosen_isa())}, {"features", feature_names()}, {"threads", default_threads()}};
    const json info = {{"version", IVL_VERSION}, {"cpu", cpu}, {"devices", devices()}};
    hand_over(out, [&] { return text_of(info); });
  });
}

void ivl_load_options_init(ivl_load_options* options) {
  if (options != nullptr) *options = {IVL_PRECISION_AUTO, 0, IVL_KV_CACHE_AUTO, 0, 0, 1, 0, 1, 0, 0, "auto", "none"};
}

ivl_status ivl_inspect(const char* path, ivl_model_info* out) {
  return guarded([&] {
    const ModelConfig config = load_config(&given(path, "path"));
    describe(config, given(out, "out"));
  });
}

ivl_status ivl_inspect_texts(const char* path, ivl_text** out) {
  return guarded([&] {
    const ModelConfig config = load_config(&given(path, "path"));
    hand_over(out, [&] { return new ivl_text{texts_of(config)}; });
  });
}

ivl_status ivl_plan(const char* directory, const ivl_load_options* options, ivl_memory_plan* out) {
  return guarded([&] {
    const Planned planned(directory, given(options, "options"));
    const MemoryPlan& plan = planned.to.plan;
    given(out, "out") = {plan.weights_mapped,
                         plan.weights_owned,
                         plan.kv_cache_per_token,
                         plan.kv_cache,
                         plan.kv_cache_batch,
                         plan.scratch,
                         plan.picture_batch,
                         plan.total(),
                         planned.to.available,
                         static_cast<int32_t>(plan.pictures_together),
                         static_cast<int32_t>(plan.max_batch),
                         kv_cache_to(planned.precision.kv_type())};
  });
}

ivl_status ivl_plan_advice(const char* directory, const ivl_load_options* options, ivl_text** out) {
  return guarded([&] {
    const Planned planned(directory, given(options, "options"));
    hand_over(out, [&] { return new ivl_text{planned.plans.advice(planned.to.place(), planned.to.available)}; });
  });
}

ivl_status ivl_plan_device(const char* directory, const ivl_load_options* options, ivl_text** out) {
  return guarded([&] {
    const Planned planned(directory, given(options, "options"));
    hand_over(out, [&] { return new ivl_text{planned.to.description()}; });
  });
}

ivl_status ivl_check(const char* directory, int32_t scan_values, ivl_text** out) {
  return guarded([&] { hand_over(out, [&] { return text_of(check(&given(directory, "directory"), scan_values != 0)); }); });
}

}  // extern "C"
