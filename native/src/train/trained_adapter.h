// The pairs that were learnt as a folder that PEFT loads: adapter_config.json and adapter_model.safetensors.
#pragma once

#include <filesystem>

#include "train/trained_model.h"

namespace ivl {

// `base` is what adapter_config.json calls the checkpoint. Error(Unsupported) if more than pairs learns.
void write_adapter(const TrainedModel& model, const std::filesystem::path& folder, const std::string& base);

}  // namespace ivl
