// Models over random weights, from a configuration alone.
#pragma once

#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "model/model_loader.h"
#include "model/oracle.h"

namespace ivl::testing {

inline nlohmann::json tiny_config() {
  return {{"architectures", {"InternVLChatModel"}},
          {"model_type", "internvl_chat"},
          {"downsample_ratio", 0.5},
          {"dynamic_image_size", false},
          {"force_image_size", 56},
          {"ps_version", "v1"},
          {"select_layer", -1},
          {"template", "Hermes-2"},
          {"llm_config",
           {{"architectures", {"LlamaForCausalLM"}},
            {"hidden_size", 48},
            {"intermediate_size", 80},
            {"num_hidden_layers", 2},
            {"num_attention_heads", 6},
            {"num_key_value_heads", 2},
            {"max_position_embeddings", 256},
            {"rope_theta", 10000.0},
            {"vocab_size", 90}}},
          {"vision_config",
           {{"model_type", "intern_vit_6b"},
            {"hidden_size", 32},
            {"image_size", 56},
            {"intermediate_size", 60},
            {"num_attention_heads", 2},
            {"num_hidden_layers", 2},
            {"patch_size", 14},
            {"norm_type", "rms_norm"},
            {"qk_normalization", true},
            {"qkv_bias", false}}}};
}

// The same with Phi-3's decoder, whose factors change behind 16 tokens.
inline nlohmann::json tiny_phi3() {
  nlohmann::json config = tiny_config();
  config["template"] = "phi3-chat";
  nlohmann::json& decoder = config["llm_config"];
  decoder["architectures"] = {"Phi3ForCausalLM"};
  decoder["max_position_embeddings"] = 1024;
  decoder["original_max_position_embeddings"] = 16;
  decoder["rope_scaling"] = {{"type", "su"}, {"short_factor", {1.0, 1.05, 1.1, 1.3}}, {"long_factor", {1.1, 1.7, 2.5, 9.0}}};
  return config;
}

inline std::unique_ptr<InternVLChat> load_random(std::shared_ptr<Backend> backend, const nlohmann::json& config,
                                                 const LoadOptions& options) {
  const auto file = std::filesystem::temp_directory_path() / ("ivl-tiny-" + std::to_string(getpid()) + ".json");
  std::ofstream(file) << config;
  auto loader = ModelLoader::random(always(std::move(backend)), file, options, 5);
  while (loader->done() < loader->total()) loader->step();
  std::filesystem::remove(file);
  return loader->take();
}

}  // namespace ivl::testing
