// Qwen3-MoE: Qwen3, in most of whose layers a token passes a few of many experts.
#include <algorithm>

#include "model/config_limits.h"
#include "model/families/family.h"

namespace ivl {
namespace {

// transformers 5 calls it num_local_experts.
int64_t read_count(const ConfigSection& section, int64_t layers) {
  constexpr const char *kName = "num_experts", *kNewName = "num_local_experts";
  const char* field = section.has(kNewName) ? kNewName : kName;
  const int64_t count = section.integer(field, 1, kMaxExperts / layers);
  if (section.integer(kName, 1, kMaxExperts / layers, count) != count) {
    section.expected(kNewName, cat("that of ", section.place(kName)));
  }
  return count;
}

std::vector<bool> read_layers(const ConfigSection& section, int64_t layers) {
  const int64_t step = section.integer("decoder_sparse_step", 1, kMaxLayers, 1);
  std::vector<bool> in_layer;
  for (int64_t i = 0; i < layers; ++i) in_layer.push_back((i + 1) % step == 0);
  for (const int64_t dense : section.integers("mlp_only_layers", 0, layers - 1)) in_layer[static_cast<size_t>(dense)] = false;
  return in_layer;
}

}  // namespace

DecoderFamily qwen3_moe_family() {
  DecoderFamily family = qwen3_family();
  family.architecture = "Qwen3MoeForCausalLM";
  family.model_type = "qwen3_moe";
  family.read_more = [attention = family.read_more](const ConfigSection& section, LanguageConfig& language) {
    attention(section, language);
    Experts& experts = language.experts;
    experts.count = read_count(section, language.layers);
    experts.per_token = section.integer("num_experts_per_tok", 1, experts.count);
    experts.width = section.integer("moe_intermediate_size", 1, std::min(kMaxWidth, kMaxExpertWidth / experts.count));
    experts.normalizes = section.flag("norm_topk_prob", false);
    experts.in_layer = read_layers(section, language.layers);
  };
  return family;
}

}  // namespace ivl
