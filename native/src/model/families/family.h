// The decoders that are implemented. A family is one file: a function that says by which names configurations call it, what their
// silence means, how the decoder is put together, and what its tensors are called. families.cpp registers it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "checkpoint/config_section.h"
#include "model/config.h"

namespace ivl {

struct DecoderFamily {
  std::string architecture;  // as in llm_config.architectures
  std::string model_type;    // as in text_config.model_type
  // Where a configuration is silent; and the plan and the names. rope.theta 0: it must say. kv_heads 0: as many as heads; head_dim
  // 0: hidden / heads.
  LanguageConfig defaults = {};
  // What only this family's configurations say. May be empty.
  std::function<void(const ConfigSection& section, LanguageConfig& language)> read_more = {};
};

// One file each.
DecoderFamily llama_family();
DecoderFamily internlm2_family();
DecoderFamily internlm3_family();
DecoderFamily phi3_family();
DecoderFamily qwen2_family();
DecoderFamily qwen3_family();
DecoderFamily qwen3_moe_family();

// Adds one, or takes the place of one of the same architecture. Not while configurations are read.
void register_family(DecoderFamily family);

// Which of `field`'s values a configuration can have, by it the family: Error(Unsupported) with the value and all that there are.
const DecoderFamily& family_of_architecture(const ConfigSection& section);
const DecoderFamily& family_of_model_type(const ConfigSection& section, const std::string& otherwise);

// The decoder's section of a configuration.
LanguageConfig read_language(const ConfigSection& section, const DecoderFamily& family);

}  // namespace ivl
