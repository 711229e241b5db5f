// The API's plain structs to and from the runtime's types.
#pragma once

#include <optional>

#include "internvl4j/internvl4j.h"
#include "generate/request.h"
#include "model/model_loader.h"

namespace ivl::api {

std::optional<DType> precision_from(int32_t precision);
ivl_precision precision_to(DType type);
ivl_precision precision_to(const Precision& precision);
LoadOptions load_options_from(const ivl_load_options& options);
Sampling sampling_from(const ivl_sampling& sampling);
ivl_finish finish_to(Finish finish);

int64_t count_parameters(const ModelConfig& config);
void describe(const ModelConfig& config, ivl_model_info& out);

}  // namespace ivl::api
