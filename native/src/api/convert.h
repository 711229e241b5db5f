// The API's plain structs to and from the runtime's types.
#pragma once

#include <optional>

#include "generate/request.h"
#include "internvl4j/internvl4j.h"
#include "model/model_loader.h"

namespace ivl::api {

std::optional<DType> precision_from(int32_t precision);
std::optional<KvType> kv_cache_from(int32_t type);
std::optional<bool> bf16_activations_from(int32_t activations);
ivl_precision precision_to(DType type);
ivl_precision precision_to(const Precision& precision);
ivl_kv_cache kv_cache_to(KvType type);
// Of an ivl_precision and a quantize_vision; all plain where the precision is not a quantized one.
WeightFormats formats_from(int32_t precision, int32_t quantize_vision);
// Of a CheckpointRewriter or a CalibratedQuantizer.
template <class Steps>
ivl_load_progress progress_of(const Steps& steps) {
  return {steps.done(), steps.total(), static_cast<int64_t>(steps.bytes_done()), static_cast<int64_t>(steps.bytes_total())};
}
LoadOptions load_options_from(const ivl_load_options& options);
std::string affinity_from(const ivl_load_options& options);
Sampling sampling_from(const ivl_sampling& sampling);
ivl_finish finish_to(Finish finish);

int64_t count_parameters(const ModelConfig& config);
void describe(const ModelConfig& config, ivl_model_info& out);
// What ivl_model_info has no place for, as ivl_inspect_texts says.
std::string texts_of(const ModelConfig& config);

}  // namespace ivl::api
