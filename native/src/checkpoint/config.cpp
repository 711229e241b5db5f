#include "checkpoint/config.h"

#include <cmath>

#include "checkpoint/config_section.h"
#include "checkpoint/json.h"
#include "checkpoint/message.h"
#include "tensor/error.h"

namespace ivl {
namespace fs = std::filesystem;
namespace {

// Far beyond any real model, and small enough that every product of them that a size is computed from (layers *
// context * width * bytes is the largest) stays below 2^63.
constexpr int64_t kMaxWidth = int64_t{1} << 20;  // hidden sizes
constexpr int64_t kMaxLayers = int64_t{1} << 12;
constexpr int64_t kMaxHeads = int64_t{1} << 12;
constexpr int64_t kMaxVocab = int64_t{1} << 26;
constexpr int64_t kMaxContext = int64_t{1} << 26;
constexpr int64_t kMaxImage = int64_t{1} << 14;
constexpr int64_t kMaxDownsample = 64;
constexpr int64_t kMaxHeadDim = 256;  // what the attention kernels are written for

// `value` is the field's, or its default.
void require_divisible(const ConfigSection& section, const char* field, int64_t value, const char* divisor_name,
                       int64_t divisor) {
  if (value % divisor == 0) return;
  section.expected(field, cat("a multiple of ", divisor_name, " (", divisor, ")"), std::to_string(value));
}

void require_head_dim(const ConfigSection& section, const char* field, int64_t head_dim) {
  if (head_dim % 8 == 0 && head_dim <= kMaxHeadDim) return;
  section.unsupported(field, cat("multiples of 8 up to ", kMaxHeadDim, " a head (here ", head_dim, ")"));
}

void require_text(const ConfigSection& section, const char* field, const std::string& only) {
  if (section.text(field, only) != only) section.unsupported(field, only);
}

// Where `architectures` is missing, the model type stands for it; without both it is `otherwise`.
void require_architecture(const ConfigSection& section, const std::string& architecture,
                          const std::string& model_type, const std::string& otherwise) {
  const std::vector<std::string> names = section.texts("architectures");
  if (names.empty()) {
    if (section.text("model_type", otherwise) != model_type) section.unsupported("model_type", model_type);
  } else if (names.front() != architecture) {
    section.unsupported("architectures", architecture);
  }
}

VisionConfig read_vision(const ConfigSection& section) {
  require_text(section, "model_type", "intern_vit_6b");
  require_text(section, "hidden_act", "gelu");
  VisionConfig vision;
  vision.hidden = section.integer("hidden_size", 1, kMaxWidth);
  vision.heads = section.integer("num_attention_heads", 1, kMaxHeads);
  vision.mlp = section.integer("intermediate_size", 1, kMaxWidth);
  vision.layers = section.integer("num_hidden_layers", 1, kMaxLayers);
  vision.patch = section.integer("patch_size", 1, kMaxImage, vision.patch);
  vision.image_size = section.integer("image_size", 1, kMaxImage, vision.image_size);
  vision.channels = section.integer("num_channels", 1, kMaxWidth, vision.channels);
  vision.eps = static_cast<float>(section.positive("layer_norm_eps", 1e-6));
  vision.qkv_bias = section.flag("qkv_bias", vision.qkv_bias);
  vision.qk_norm = section.flag("qk_normalization", vision.qk_norm);

  const std::string norm = section.text("norm_type", "rms_norm");
  if (norm != "rms_norm" && norm != "layer_norm") section.unsupported("norm_type", "rms_norm and layer_norm");
  vision.norm = norm == "rms_norm" ? NormKind::RmsNorm : NormKind::LayerNorm;

  if (vision.channels != 3) section.unsupported("num_channels", "3");
  require_divisible(section, "hidden_size", vision.hidden, "num_attention_heads", vision.heads);
  require_divisible(section, "image_size", vision.image_size, "patch_size", vision.patch);
  require_head_dim(section, "hidden_size", vision.head_dim());
  return vision;
}

// Positions scaled in no way, as rope_scaling or rope_parameters may say in several.
void require_default_rope(const ConfigSection& rope) {
  for (const char* field : {"rope_type", "type"}) require_text(rope, field, "default");
  const bool named = rope.has("rope_type") || rope.has("type");
  if (!named && rope.has("factor")) rope.expected("rope_type", "the kind of scaling that the factor is for");
  if (rope.positive("partial_rotary_factor", 1) != 1) rope.unsupported("partial_rotary_factor", "1");
}

// Before transformers 5 in rope_theta, from it on in rope_parameters.
double read_rope_theta(const ConfigSection& section, double otherwise) {
  double theta = section.positive("rope_theta", otherwise);
  for (const char* field : {"rope_scaling", "rope_parameters"}) {
    if (!section.is_set(field)) continue;
    const ConfigSection rope = section.section(field);
    require_default_rope(rope);
    const double own = rope.positive("rope_theta", theta);
    if (section.has("rope_theta") && own != theta) rope.expected("rope_theta", cat("that of ", section.place("rope_theta"), ", ", theta));
    theta = own;
  }
  return theta;
}

LanguageConfig read_language(const ConfigSection& section) {
  require_architecture(section, "LlamaForCausalLM", "llama", "");
  require_text(section, "hidden_act", "silu");
  section.refuse_if_set("mlp_bias", "false");
  section.refuse_if_set("quantization_config", "unquantized weights");

  LanguageConfig language;
  language.hidden = section.integer("hidden_size", 1, kMaxWidth);
  language.layers = section.integer("num_hidden_layers", 1, kMaxLayers);
  language.heads = section.integer("num_attention_heads", 1, kMaxHeads);
  language.kv_heads = section.integer("num_key_value_heads", 1, kMaxHeads, language.heads);
  language.mlp = section.integer("intermediate_size", 1, kMaxWidth);
  language.vocab = section.integer("vocab_size", 1, kMaxVocab);
  language.context = section.integer("max_position_embeddings", 1, kMaxContext, language.context);
  language.rms_eps = static_cast<float>(section.positive("rms_norm_eps", 1e-6));
  language.rope_theta = read_rope_theta(section, language.rope_theta);
  language.attention_bias = section.flag("attention_bias", language.attention_bias);
  language.tie_word_embeddings = section.flag("tie_word_embeddings", language.tie_word_embeddings);

  require_divisible(section, "num_attention_heads", language.heads, "num_key_value_heads", language.kv_heads);
  if (section.has("head_dim")) {
    language.head_dim = section.integer("head_dim", 1, kMaxWidth);
    require_head_dim(section, "head_dim", language.head_dim);
  } else {
    require_divisible(section, "hidden_size", language.hidden, "num_attention_heads", language.heads);
    language.head_dim = language.hidden / language.heads;
    require_head_dim(section, "hidden_size", language.head_dim);
  }
  return language;
}

// downsample_ratio is 1/n.
int64_t read_downsample(const ConfigSection& top) {
  const double ratio = top.positive("downsample_ratio", 0.5);
  const double factor = std::round(1.0 / ratio);
  if (!(factor >= 1.0 && factor <= static_cast<double>(kMaxDownsample)) || std::abs(ratio * factor - 1.0) > 1e-6) {
    top.expected("downsample_ratio", cat("1/n for an integer n up to ", kMaxDownsample));
  }
  return static_cast<int64_t>(factor);
}

// With or without "torch." before it; what leaves it to the weights says nothing.
std::optional<DType> read_dtype(const ConfigSection& top) {
  const char* field = top.has("torch_dtype") ? "torch_dtype" : "dtype";
  std::string name = top.text(field, "");
  if (name.starts_with("torch.")) name.erase(0, std::string_view("torch.").size());
  if (name.empty() || name == "auto") return std::nullopt;
  if (name == "float32") return DType::F32;
  if (name == "bfloat16") return DType::BF16;
  if (name == "float16") return DType::F16;
  top.unsupported(field, "float32, bfloat16 and float16");
}

ModelConfig read_model(const ConfigSection& top) {
  require_architecture(top, "InternVLChatModel", "internvl_chat", "internvl_chat");
  top.refuse_if_set("quantization_config", "unquantized weights");
  top.refuse_if_set("use_backbone_lora", "0: merge the LoRA weights first");
  top.refuse_if_set("use_llm_lora", "0: merge the LoRA weights first");
  if (top.flag("dynamic_image_size", false)) top.unsupported("dynamic_image_size", "false: pictures are not tiled");
  if (top.flag("pad2square", false)) top.unsupported("pad2square", "false");

  ModelConfig model;
  const ConfigSection vision = top.section("vision_config");
  model.vision = read_vision(vision);
  model.language = read_language(top.section("llm_config"));
  model.select_layer = top.integer("select_layer", -model.vision.layers - 1, model.vision.layers, model.select_layer);
  model.downsample = read_downsample(top);
  model.image_size = top.integer("force_image_size", 1, kMaxImage, model.vision.image_size);
  model.prompt_template = top.text("template", "");
  model.dtype = read_dtype(top);

  const std::string shuffle = top.text("ps_version", "v1");
  if (shuffle != "v1" && shuffle != "v2") top.unsupported("ps_version", "v1 and v2");
  model.shuffle = shuffle == "v1" ? PixelShuffle::V1 : PixelShuffle::V2;

  const bool forced = top.has("force_image_size");
  const ConfigSection& sized = forced ? top : vision;
  const char* size_field = forced ? "force_image_size" : "image_size";
  require_divisible(sized, size_field, model.image_size, "vision_config.patch_size", model.vision.patch);
  if (model.grid() % model.downsample != 0) {
    sized.expected(size_field, cat("a multiple of ", model.downsample, " (1 / downsample_ratio) patches on a side"),
                   cat(model.grid(), " patches"));
  }
  return model;
}

ModelConfig read_documents(const nlohmann::json& config, const std::string& file, const nlohmann::json* generation,
                           const std::string& generation_file) {
  const ConfigSection top(config, file, "");
  ModelConfig model = read_model(top);
  if (generation != nullptr) {
    model.eos_ids = ConfigSection(*generation, generation_file, "").ids("eos_token_id", model.language.vocab);
  }
  if (model.eos_ids.empty()) model.eos_ids = top.section("llm_config").ids("eos_token_id", model.language.vocab);
  return model;
}

}  // namespace

ModelConfig load_config(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return read_documents(read_json(path), path.string(), nullptr, "");
  const fs::path file = path / "config.json";
  const fs::path generation_file = path / "generation_config.json";
  const nlohmann::json config = read_json(file);
  if (!fs::exists(generation_file, ignored)) return read_documents(config, file.string(), nullptr, "");
  const nlohmann::json generation = read_json(generation_file);
  return read_documents(config, file.string(), &generation, generation_file.string());
}

ModelConfig parse_config(std::string_view text, const std::string& file, std::string_view generation_text,
                         const std::string& generation_file) {
  const nlohmann::json config = parse_json(text, file);
  if (generation_text.empty()) return read_documents(config, file, nullptr, "");
  const nlohmann::json generation = parse_json(generation_text, generation_file);
  return read_documents(config, file, &generation, generation_file);
}

}  // namespace ivl
