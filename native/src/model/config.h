// What config.json (and generation_config.json) say about a model: values only, checked, with the defaults of the
// original configuration classes, whatever the layout of the file (layouts/) and the family of the decoder (families/). Anything
// that would need code we don't have is refused here, by name, so that no model runs wrongly.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/tensor_names.h"
#include "tensor/dtype.h"
#include "tensor/norm_kind.h"

namespace ivl {

enum class PixelShuffle : uint8_t { V1, V2 };  // V1 leaves the map transposed

// InternViT. The activation is the exact (erf) GELU, the only one supported.
struct VisionConfig {
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t mlp = 0;
  int64_t layers = 0;
  int64_t patch = 14;        // pixels
  int64_t image_size = 224;  // pixels; the size that the position embeddings were trained for
  int64_t channels = 3;
  NormKind norm = NormKind::RmsNorm;
  float eps = 1e-6f;     // of norm1 and norm2
  float qk_eps = 1e-6f;  // of the q and k norms, which are RMS whatever the kind of the others
  bool qkv_bias = false;
  bool qk_norm = true;
  VisionNames names = {};

  int64_t head_dim() const { return hidden / heads; }
  int64_t trained_grid() const { return image_size / patch; }  // patches on a side, in position_embedding
};

// "longrope" scaling (Ding et al., "LongRoPE", 2024): each frequency is divided by a factor of its own, of two lists: one for texts up
// to `original` tokens, one for longer ones. How a sequence changes over: see rope.h.
struct LongRope {
  std::vector<double> short_factors;  // head_dim / 2
  std::vector<double> long_factors;   // as many
  int64_t original = 0;               // original_max_position_embeddings, tokens
  double magnitude = 1;               // cosines and sines are multiplied by it, whichever the list
};

// Rotary position embeddings.
struct Rope {
  double theta = 10000.0;
  int64_t trained = 2048;  // positions, max_position_embeddings
  // "dynamic" scaling: from position `trained` on theta grows so that the longest wave stretches by about this factor; nothing
  // changes before. 0: there is none.
  double dynamic_factor = 0;
  std::optional<LongRope> longrope = {};  // not with dynamic_factor
};

// How the rows of a file's one tensor of queries, keys and values lie.
enum class QkvRows : uint8_t {
  Apart,   // all of one kind together: the tensors are several, or one in the model's order
  Groups,  // one key/value head after the other: its queries' heads, its key, its value
};

// Layers in whose feed-forward part a token passes a few of many, its "experts", which a router chooses for it.
struct Experts {
  int64_t count = 0;  // of a layer; 0: there are none
  int64_t per_token = 0;
  int64_t width = 0;                // of one's inner rows
  bool normalizes = false;          // the weights of a token's experts are divided by their sum
  std::vector<bool> in_layer = {};  // which layers have them; the others have one feed-forward part, of LanguageConfig::mlp
};

// How a decoder of the Llama kind is put together: pre-norm, RMSNorm, grouped queries, rotate-half RoPE, SiLU, and what differs.
struct DecoderPlan {
  QkvRows qkv_rows = QkvRows::Apart;
  bool qkv_bias = false;
  bool out_bias = false;
  bool qk_norm = false;  // RMSNorm of each head's query and key before RoPE, with the eps of the others
};

struct LanguageConfig {
  int64_t hidden = 0;
  int64_t layers = 0;
  int64_t heads = 0;     // of the queries
  int64_t kv_heads = 0;  // divides heads
  int64_t head_dim = 0;
  int64_t mlp = 0;
  int64_t vocab = 0;
  float rms_eps = 1e-6f;
  Rope rope = {};
  int64_t context = 2048;  // tokens
  // The head's weights are the embeddings'. As the configuration says; whether a head lies in the files decides (as_stored).
  bool tied_head = false;
  bool may_have_head = false;  // and a head of its own in the files is no contradiction to that
  DecoderPlan plan = {};
  Experts experts = {};
  DecoderNames names = {};
  std::string architecture = "LlamaForCausalLM";

  bool has_dense_layers() const {
    return experts.count == 0 || std::count(experts.in_layer.begin(), experts.in_layer.end(), false) > 0;
  }
  bool has_experts(int64_t layer) const { return experts.count > 0 && experts.in_layer.at(static_cast<size_t>(layer)); }
};

// How pictures are cut into tiles before they come to the model.
struct Tiling {
  bool dynamic = false;  // false: a picture is one tile
  bool thumbnail = false;
  int64_t least = 1;  // tiles of a picture, without the thumbnail
  int64_t most = 12;
};

// Pairs of LoRA beside the layers in the checkpoint itself, as the original's training saves them: their ranks; 0: there are none.
struct LoraRanks {
  int64_t vision = 0;
  int64_t language = 0;
};

enum class Layout : uint8_t { RemoteCode, Transformers };

struct ModelConfig {
  VisionConfig vision;
  LanguageConfig language;
  ProjectorNames projector_names;
  Prefixes prefixes;
  std::vector<Prefixes> other_prefixes;  // with which files of this layout are written, too (as_stored)
  Layout layout = Layout::RemoteCode;
  // -1 is the last layer; otherwise an index into (embeddings, layer 1, ..., layer N), from the end if negative.
  int64_t select_layer = -1;
  int64_t downsample = 2;  // 1 / downsample_ratio: this many patches on a side become one token
  int64_t image_size = 0;  // pixels; force_image_size, or else the vision tower's
  PixelShuffle shuffle = PixelShuffle::V1;
  Tiling tiling;
  LoraRanks lora;
  std::string prompt_template;         // "Hermes-2"; empty if not given
  std::optional<int64_t> image_token;  // where the configuration says it
  std::optional<DType> dtype;          // torch_dtype; each tensor has its own type, this is only what was announced
  std::vector<int64_t> eos_ids;        // from generation_config.json, or else from the language model's configuration

  int64_t grid() const { return image_size / vision.patch; }     // patches on a side
  int64_t vision_tokens() const { return grid() * grid() + 1; }  // with the class token
  int64_t tokens_per_image() const { return (grid() / downsample) * (grid() / downsample); }
  int64_t projector_in() const { return vision.hidden * downsample * downsample; }
  // Vision layers to run for select_layer; those behind it do nothing.
  int64_t vision_layers_used() const { return select_layer < 0 ? vision.layers + 1 + select_layer : select_layer; }
};

// Reads `path`, a checkpoint folder with a config.json and perhaps a generation_config.json, or a config.json alone.
// Error(Io): cannot be read. Error(Checkpoint): malformed, or a value that is missing, of the wrong type, out of range
// or at odds with another, as in
//   DIR/config.json: llm_config.hidden_size: expected an integer from 1 to 1048576, got -1
// Error(Unsupported): an architecture or a setting that is not implemented, with its name and value.
ModelConfig load_config(const std::filesystem::path& path);

// The same from text; `file` and `generation_file` are for messages. An empty generation_text means there is none.
ModelConfig parse_config(std::string_view text, const std::string& file = "config.json", std::string_view generation_text = {},
                         const std::string& generation_file = "generation_config.json");

}  // namespace ivl
