// Which families there are, and what all of their configurations say alike.
#include <algorithm>
#include <cmath>

#include "model/config_limits.h"
#include "model/families/family.h"
#include "model/quantization_config.h"

namespace ivl {
namespace {

std::vector<DecoderFamily>& families() {
  static std::vector<DecoderFamily> all{internlm2_family(), internlm3_family(), llama_family(),    phi3_family(),
                                        qwen2_family(),     qwen3_family(),     qwen3_moe_family()};
  return all;
}

const DecoderFamily& find_family(const ConfigSection& section, const char* field, std::string DecoderFamily::*name,
                                 const std::string& wanted) {
  std::string known;
  for (const DecoderFamily& family : families()) {
    if (family.*name == wanted) return family;
    known += (known.empty() ? "" : ", ") + family.*name;
  }
  section.unsupported(field, known);
}

std::vector<double> read_factors(const ConfigSection& scaling, const char* field, int64_t count) {
  std::vector<double> factors = scaling.positives(field);
  const std::string wanted = cat("a list of ", count, " positive numbers, half of a head's size");
  if (factors.empty()) scaling.expected(field, wanted);
  if (static_cast<int64_t>(factors.size()) != count) scaling.expected(field, wanted, cat(factors.size(), " of them"));
  return factors;
}

// The length up to which the short factors are for stands beside the scaling; from transformers 5 on in it.
int64_t read_original(const ConfigSection& section, const ConfigSection& scaling) {
  const char* field = "original_max_position_embeddings";
  const ConfigSection& from = section.has(field) || !scaling.has(field) ? section : scaling;
  const int64_t original = from.integer(field, 2, kMaxContext);
  if (scaling.integer(field, 2, kMaxContext, original) != original) {
    scaling.expected(field, cat("that of ", section.place(field), ", ", original));
  }
  return original;
}

// As transformers' _compute_longrope_parameters.
LongRope read_longrope(const ConfigSection& section, const ConfigSection& scaling, const LanguageConfig& language) {
  LongRope longrope;
  longrope.short_factors = read_factors(scaling, "short_factor", language.head_dim / 2);
  longrope.long_factors = read_factors(scaling, "long_factor", language.head_dim / 2);
  longrope.original = read_original(section, scaling);
  const auto original = static_cast<double>(longrope.original);
  const double stretch = scaling.positive("factor", static_cast<double>(language.context) / original);
  longrope.magnitude =
      scaling.positive("attention_factor", stretch <= 1 ? 1 : std::sqrt(1 + std::log(stretch) / std::log(original)));
  return longrope;
}

// How a rope_scaling or rope_parameters scales positions: "default", or no type at all, is RoPE as it is.
void read_scaling(const ConfigSection& section, const ConfigSection& scaling, LanguageConfig& language) {
  if (scaling.positive("partial_rotary_factor", 1) != 1) scaling.unsupported("partial_rotary_factor", "1");
  const char* field = scaling.has("type") && !scaling.has("rope_type") ? "type" : "rope_type";
  const std::string type = scaling.text(field, "default");
  if (type == "dynamic") {
    const double factor = scaling.positive("factor", 0.0);
    if (!(factor >= 1.0)) scaling.expected("factor", "a number from 1 up");
    language.rope.dynamic_factor = std::max(language.rope.dynamic_factor, factor);
  } else if (type == "longrope" || type == "su") {
    language.rope.longrope = read_longrope(section, scaling, language);
  } else if (type != "default") {
    scaling.unsupported(field, "default, dynamic and longrope (su)");
  } else if (!scaling.has(field) && scaling.has("factor")) {
    scaling.expected(field, "the kind of scaling that the factor is for");
  }
}

// Before transformers 5 in rope_theta and rope_scaling, from it on in rope_parameters.
void read_rope(const ConfigSection& section, LanguageConfig& language) {
  Rope& rope = language.rope;
  const bool said = section.has("rope_theta");
  const bool together = section.is_set("rope_parameters");
  if (said || together) rope.theta = section.positive("rope_theta", 0.0);
  for (const char* field : {"rope_scaling", "rope_parameters"}) {
    if (!section.is_set(field)) continue;
    const ConfigSection scaling = section.section(field);
    read_scaling(section, scaling, language);
    const double theta = scaling.positive("rope_theta", rope.theta);
    if (said && theta != rope.theta) {
      scaling.expected("rope_theta", cat("that of ", section.place("rope_theta"), ", ", rope.theta));
    }
    rope.theta = theta;
    if (rope.theta == 0 && together) scaling.expected("rope_theta", "a positive number");
  }
  if (rope.theta == 0) section.expected("rope_theta", "a positive number");
}

void read_heads(const ConfigSection& section, LanguageConfig& language) {
  language.heads = section.integer("num_attention_heads", 1, kMaxHeads);
  const int64_t kv_heads = language.kv_heads == 0 ? language.heads : language.kv_heads;
  language.kv_heads = section.integer("num_key_value_heads", 1, kMaxHeads, kv_heads);
  require_divisible(section, "num_attention_heads", language.heads, "num_key_value_heads", language.kv_heads);
  if (section.has("head_dim") || language.head_dim > 0) {
    language.head_dim = section.integer("head_dim", 1, kMaxWidth, language.head_dim);
    require_head_dim(section, "head_dim", language.head_dim);
  } else {
    require_divisible(section, "hidden_size", language.hidden, "num_attention_heads", language.heads);
    language.head_dim = language.hidden / language.heads;
    require_head_dim(section, "hidden_size", language.head_dim);
  }
}

}  // namespace

void register_family(DecoderFamily family) {
  std::erase_if(families(), [&](const DecoderFamily& known) { return known.architecture == family.architecture; });
  families().push_back(std::move(family));
}

const DecoderFamily& family_of_architecture(const ConfigSection& section) {
  const std::vector<std::string> names = section.texts("architectures");
  if (names.empty()) return family_of_model_type(section, "");
  return find_family(section, "architectures", &DecoderFamily::architecture, names.front());
}

const DecoderFamily& family_of_model_type(const ConfigSection& section, const std::string& otherwise) {
  return find_family(section, "model_type", &DecoderFamily::model_type, section.text("model_type", otherwise));
}

LanguageConfig read_language(const ConfigSection& section, const DecoderFamily& family) {
  require_text(section, "hidden_act", "silu");
  section.refuse_if_set("mlp_bias", "false");
  section.refuse_if_set("use_sliding_window", "false");
  require_readable_quantization(section);

  LanguageConfig language = family.defaults;
  language.architecture = family.architecture;
  language.hidden = section.integer("hidden_size", 1, kMaxWidth);
  language.layers = section.integer("num_hidden_layers", 1, kMaxLayers);
  language.mlp = section.integer("intermediate_size", 1, kMaxWidth);
  language.vocab = section.integer("vocab_size", 1, kMaxVocab);
  language.context = section.integer("max_position_embeddings", 1, kMaxContext, language.context);
  language.rms_eps = static_cast<float>(section.positive("rms_norm_eps", static_cast<double>(language.rms_eps)));
  language.tied_head = section.flag("tie_word_embeddings", language.tied_head);
  read_heads(section, language);
  language.rope.trained = language.context;
  read_rope(section, language);
  if (family.read_more) family.read_more(section, language);
  return language;
}

}  // namespace ivl
