// Qwen2 and 2.5: Llama's names, and a bias of queries, keys and values that no configuration tells of.
#include "model/families/family.h"

namespace ivl {

DecoderFamily qwen2_family() {
  DecoderFamily family{"Qwen2ForCausalLM", "qwen2"};
  family.defaults.context = 32768;
  family.defaults.rope.theta = 0;
  family.defaults.plan.qkv_bias = true;
  return family;
}

}  // namespace ivl
