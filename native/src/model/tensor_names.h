// What a checkpoint's tensors are called, as data: a layout says it of the vision tower and the projector, a decoder family of
// the decoder. The names here are those of the remote-code layout and of Llama.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ivl {

// Stands before a linear layer's ".weight" and ".bias" where pairs of LoRA lie beside them in a checkpoint.
inline constexpr std::string_view kBaseLayer = ".base_layer";

// Layers that are stacked to one (q|k|v, gate|up) have a name each, or one together where the file has them stacked already.
using StackedNames = std::vector<std::string>;

struct VisionNames {
  std::string class_token = "embeddings.class_embedding";
  std::string patches = "embeddings.patch_embedding";
  std::string positions = "embeddings.position_embedding";
  std::string blocks = "encoder.layers";  // blocks.N.
  std::string norm1 = "norm1";
  StackedNames qkv = {"attn.qkv"};
  std::string q_norm = "attn.q_norm";
  std::string k_norm = "attn.k_norm";
  std::string out = "attn.proj";
  std::string scale1 = "ls1";
  std::string norm2 = "norm2";
  std::string up = "mlp.fc1";
  std::string down = "mlp.fc2";
  std::string scale2 = "ls2";
  bool wrapped = false;  // the blocks' linear layers stand behind kBaseLayer
};

struct ProjectorNames {
  std::string norm = "0";
  std::string up = "1";
  std::string down = "3";
};

struct DecoderNames {
  std::string tokens = "embed_tokens";
  std::string layers = "layers";  // layers.N.
  std::string norm1 = "input_layernorm";
  StackedNames qkv = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"};
  std::string q_norm = "self_attn.q_norm";
  std::string k_norm = "self_attn.k_norm";
  std::string out = "self_attn.o_proj";
  std::string norm2 = "post_attention_layernorm";
  StackedNames gate_up = {"mlp.gate_proj", "mlp.up_proj"};
  std::string down = "mlp.down_proj";
  std::string router = "mlp.gate";
  std::string experts = "mlp.experts";  // experts.N.
  StackedNames expert_gate_up = {"gate_proj", "up_proj"};
  std::string expert_down = "down_proj";
  std::string norm = "norm";
  std::string head = "lm_head";  // behind Prefixes::head
  bool wrapped = false;          // the layers' linear layers stand behind kBaseLayer
};

// What stands before all of a part's names. A layout may have had several in its time.
struct Prefixes {
  std::string vision = "vision_model.";
  std::string projector = "mlp1.";
  std::string decoder = "language_model.model.";
  std::string head = "language_model.";
};

}  // namespace ivl
