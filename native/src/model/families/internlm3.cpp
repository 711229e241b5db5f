// InternLM3: Llama's names and shapes, and biases that its configurations call otherwise.
#include "model/families/family.h"

namespace ivl {

DecoderFamily internlm3_family() {
  DecoderFamily family{"InternLM3ForCausalLM", "internlm3"};
  family.defaults.context = 32768;
  family.defaults.rope.theta = 0;
  family.read_more = [](const ConfigSection& section, LanguageConfig& language) {
    section.refuse_if_set("bias", "false");  // of the output projection and the MLP's layers
    language.plan.qkv_bias = section.flag("qkv_bias", false);
  };
  return family;
}

}  // namespace ivl
