// Phi-3: Llama's names, with queries, keys and values in one tensor (all of a kind together), and the gate over the up in another.
#include <algorithm>
#include <limits>

#include "model/families/family.h"

namespace ivl {

DecoderFamily phi3_family() {
  DecoderFamily family{"Phi3ForCausalLM", "phi3"};
  family.defaults.context = 4096;
  family.defaults.rms_eps = 1e-5f;
  family.defaults.names.qkv = {"self_attn.qkv_proj"};
  family.defaults.names.gate_up = {"mlp.gate_up_proj"};
  family.read_more = [](const ConfigSection& section, LanguageConfig& language) {
    section.refuse_if_set("attention_bias", "false");
    if (section.positive("partial_rotary_factor", 1) != 1) section.unsupported("partial_rotary_factor", "1");
    // A window as long as the text hides nothing. The published ones are longer than any text; a shorter one bounds the context, so that
    // it never acts here either.
    constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
    language.context = std::min(language.context, section.integer("sliding_window", 1, kAny, kAny));
  };
  return family;
}

}  // namespace ivl
