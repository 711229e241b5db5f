#include "model/config_limits.h"
#include "model/families/family.h"
#include "model/layouts/layout.h"

namespace ivl {
namespace {

const VisionNames kVisionNames{
    .class_token = "embeddings.cls_token",
    .patches = "embeddings.patch_embeddings.projection",
    .positions = "embeddings.position_embeddings",
    .blocks = "encoder.layer",
    .norm1 = "layernorm_before",
    .qkv = {"attention.q_proj", "attention.k_proj", "attention.v_proj"},
    .q_norm = "attention.q_norm",
    .k_norm = "attention.k_norm",
    .out = "attention.projection_layer",
    .scale1 = "lambda_1",
    .norm2 = "layernorm_after",
    .up = "mlp.fc1",
    .down = "mlp.fc2",
    .scale2 = "lambda_2",
};
const ProjectorNames kProjectorNames{"layer_norm", "linear_1", "linear_2"};
// What files hold, and what transformers has in memory since 4.52.
const Prefixes kPrefixes{"vision_tower.", "multi_modal_projector.", "language_model.model.", "language_model."};
const Prefixes kPrefixesInMemory{"model.vision_tower.", "model.multi_modal_projector.", "model.language_model.", ""};

constexpr float kQkEps = 1e-6f;  // of the tower's q and k norms, whatever layer_norm_eps says

VisionConfig read_internvl_vision(const ConfigSection& section) {
  require_text(section, "model_type", "internvl_vision");
  require_text(section, "hidden_act", "gelu");
  if (!section.flag("use_mean_pooling", true)) section.unsupported("use_mean_pooling", "true: no norm behind the last layer");
  if (!section.flag("use_absolute_position_embeddings", true)) section.unsupported("use_absolute_position_embeddings", "true");
  VisionConfig vision;
  vision.names = kVisionNames;
  vision.hidden = section.integer("hidden_size", 1, kMaxWidth, 1024);
  vision.heads = section.integer("num_attention_heads", 1, kMaxHeads, 16);
  vision.mlp = section.integer("intermediate_size", 1, kMaxWidth, 4096);
  vision.layers = section.integer("num_hidden_layers", 1, kMaxLayers, 24);
  vision.patch = section.side("patch_size", 1, kMaxImage, 14);
  vision.image_size = section.side("image_size", 1, kMaxImage, 448);
  vision.channels = section.integer("num_channels", 1, kMaxWidth, vision.channels);
  vision.eps = static_cast<float>(section.positive("layer_norm_eps", 1e-6));
  vision.qk_eps = kQkEps;
  vision.qkv_bias = section.flag("attention_bias", false);
  vision.qk_norm = section.flag("use_qk_norm", false);
  vision.norm = read_norm(section, "layer_norm");
  check_vision(section, vision);
  return vision;
}

}  // namespace

const std::vector<Prefixes>& known_prefixes() {
  static const std::vector<Prefixes> all{
      Prefixes{}, kPrefixes, kPrefixesInMemory, {"vision_model.", "mlp1.", "model.", ""}, {"vision_model.", "mlp1.", "", ""}};
  return all;
}

const Prefixes& prefixes_in_memory(const ModelConfig& config) {
  return config.layout == Layout::Transformers ? kPrefixesInMemory : config.prefixes;
}

ModelConfig read_transformers(const ConfigSection& top) {
  require_text(top, "projector_hidden_act", "gelu");
  require_text(top, "vision_feature_select_strategy", "default");

  ModelConfig model;
  model.layout = Layout::Transformers;
  const ConfigSection vision = top.section("vision_config");
  const ConfigSection language = top.section("text_config");
  model.vision = read_internvl_vision(vision);
  model.language = read_language(language, family_of_model_type(language, "qwen2"));
  // Version 4 looks at the decoder's flag; version 5 at this one, which is true for heads of their own, too.
  if (!model.language.tied_head) {
    model.language.tied_head = top.flag("tie_word_embeddings", false);
    model.language.may_have_head = true;
  }
  model.projector_names = kProjectorNames;
  model.prefixes = kPrefixes;
  model.other_prefixes = {kPrefixesInMemory};
  model.select_layer = top.integer("vision_feature_layer", -model.vision.layers - 1, model.vision.layers, model.select_layer);
  model.downsample = read_downsample(top);
  model.image_size = model.vision.image_size;
  model.tiling = {.dynamic = true, .thumbnail = true};  // the processor's default, which its file does not change
  model.shuffle = PixelShuffle::V2;
  model.image_token = top.integer("image_token_id", 0, model.language.vocab - 1);
  model.eos_ids = language.ids("eos_token_id", model.language.vocab);
  check_grid(vision, "image_size", model);
  const int64_t tokens = model.tokens_per_image();
  if (top.integer("image_seq_length", 1, kMaxContext, tokens) != tokens) {
    top.expected("image_seq_length", cat(tokens, ", as image_size, patch_size and downsample_ratio make it"));
  }
  return model;
}

}  // namespace ivl
