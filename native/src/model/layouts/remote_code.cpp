#include "model/config_limits.h"
#include "model/families/family.h"
#include "model/layouts/layout.h"

namespace ivl {
namespace {

VisionConfig read_intern_vit(const ConfigSection& section) {
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
  vision.qk_eps = vision.eps;
  vision.qkv_bias = section.flag("qkv_bias", vision.qkv_bias);
  vision.qk_norm = section.flag("qk_normalization", vision.qk_norm);
  vision.norm = read_norm(section, "rms_norm");
  check_vision(section, vision);
  return vision;
}

Tiling read_tiling(const ConfigSection& top) {
  Tiling tiling;
  tiling.dynamic = top.flag("dynamic_image_size", false);
  tiling.thumbnail = top.flag("use_thumbnail", false);
  tiling.least = top.integer("min_dynamic_patch", 1, kMaxTiles, 1);
  tiling.most = top.integer("max_dynamic_patch", 1, kMaxTiles, 6);
  if (tiling.least > tiling.most) {
    top.expected("min_dynamic_patch", cat("at most max_dynamic_patch (", tiling.most, ")"), std::to_string(tiling.least));
  }
  return tiling;
}

// A whole model with pairs of LoRA beside its layers, under the names that PEFT's wrapper has in memory.
void read_lora(const ConfigSection& top, ModelConfig& model) {
  const auto rank = [&](const char* field) { return top.is_set(field) ? top.integer(field, 1, kMaxWidth) : 0; };
  model.lora = {rank("use_backbone_lora"), rank("use_llm_lora")};
  const std::string wrapper = "base_model.model.";
  if (model.lora.vision > 0) {
    model.prefixes.vision += wrapper;
    model.vision.names.wrapped = true;
  }
  if (model.lora.language > 0) {
    model.prefixes.decoder = model.prefixes.head + wrapper + "model.";
    model.prefixes.head += wrapper;
    model.language.names.wrapped = true;
  }
}

}  // namespace

ModelConfig read_remote_code(const ConfigSection& top) {
  if (top.flag("pad2square", false)) top.unsupported("pad2square", "false");

  ModelConfig model;
  const ConfigSection vision = top.section("vision_config");
  const ConfigSection language = top.section("llm_config");
  model.vision = read_intern_vit(vision);
  model.language = read_language(language, family_of_architecture(language));
  read_lora(top, model);
  model.select_layer = top.integer("select_layer", -model.vision.layers - 1, model.vision.layers, model.select_layer);
  model.downsample = read_downsample(top);
  model.image_size = top.integer("force_image_size", 1, kMaxImage, model.vision.image_size);
  model.tiling = read_tiling(top);
  model.prompt_template = top.text("template", "");
  model.eos_ids = language.ids("eos_token_id", model.language.vocab);

  const std::string shuffle = top.text("ps_version", "v1");
  if (shuffle != "v1" && shuffle != "v2") top.unsupported("ps_version", "v1 and v2");
  model.shuffle = shuffle == "v1" ? PixelShuffle::V1 : PixelShuffle::V2;

  const bool forced = top.has("force_image_size");
  check_grid(forced ? top : vision, forced ? "force_image_size" : "image_size", model);
  return model;
}

}  // namespace ivl
