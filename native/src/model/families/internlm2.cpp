// InternLM2: names of its own, and queries, keys and values in one tensor, a key/value head after the other.
#include "model/families/family.h"

namespace ivl {

DecoderFamily internlm2_family() {
  DecoderFamily family{"InternLM2ForCausalLM", "internlm2"};
  family.defaults.rope.theta = 0;
  family.defaults.plan.qkv_rows = QkvRows::Groups;
  family.defaults.names = {
      .tokens = "tok_embeddings",
      .norm1 = "attention_norm",
      .qkv = {"attention.wqkv"},
      .out = "attention.wo",
      .norm2 = "ffn_norm",
      .gate_up = {"feed_forward.w1", "feed_forward.w3"},
      .down = "feed_forward.w2",
      .head = "output",
  };
  family.read_more = [](const ConfigSection& section, LanguageConfig& language) {
    language.plan.qkv_bias = language.plan.out_bias = section.flag("bias", false);
  };
  return family;
}

}  // namespace ivl
