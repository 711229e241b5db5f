// Llama: Yi-34B, and what the InternLM2 models became in the transformers-native layout.
#include "model/families/family.h"

namespace ivl {

DecoderFamily llama_family() {
  DecoderFamily family{"LlamaForCausalLM", "llama"};
  family.read_more = [](const ConfigSection& section, LanguageConfig& language) {
    language.plan.qkv_bias = language.plan.out_bias = section.flag("attention_bias", false);
  };
  return family;
}

}  // namespace ivl
