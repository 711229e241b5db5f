// The two layouts of checkpoint folders: how config.json says a model, and what the tensors of the vision tower and the projector
// are called.
#pragma once

#include "checkpoint/config_section.h"
#include "model/config.h"

namespace ivl {

// "GitHub format": InternVLChatModel, whose code lies beside the weights.
ModelConfig read_remote_code(const ConfigSection& top);
// "-hf": InternVLForConditionalGeneration.
ModelConfig read_transformers(const ConfigSection& top);

// What stands before a part's names in either layout, in files and in memory, also in those of a decoder by itself.
const std::vector<Prefixes>& known_prefixes();

// What stands before them in memory, where training tools see them.
const Prefixes& prefixes_in_memory(const ModelConfig& config);

// What both say alike.
int64_t read_downsample(const ConfigSection& top);
NormKind read_norm(const ConfigSection& vision, const char* otherwise);
void check_vision(const ConfigSection& section, const VisionConfig& vision);
// Patches can be folded to tokens: `field` of `section` is where the picture's size stands.
void check_grid(const ConfigSection& section, const char* field, const ModelConfig& model);

}  // namespace ivl
