// Qwen3: Llama's names; each head's query and key are normalized, and heads are as wide as they like.
#include "model/families/family.h"

namespace ivl {

DecoderFamily qwen3_family() {
  DecoderFamily family{"Qwen3ForCausalLM", "qwen3"};
  family.defaults.context = 32768;
  family.defaults.rope.theta = 0;
  family.defaults.head_dim = 128;
  family.defaults.plan.qk_norm = true;
  family.read_more = [](const ConfigSection& section, LanguageConfig& language) {
    language.plan.qkv_bias = language.plan.out_bias = section.flag("attention_bias", false);
  };
  return family;
}

}  // namespace ivl
