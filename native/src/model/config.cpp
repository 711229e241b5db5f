#include "model/config.h"

#include <cmath>

#include "checkpoint/config_section.h"
#include "checkpoint/json.h"
#include "checkpoint/message.h"
#include "model/config_limits.h"
#include "model/layouts/layout.h"
#include "model/quantization_config.h"
#include "tensor/error.h"

namespace ivl {
namespace fs = std::filesystem;
namespace {

struct KnownLayout {
  const char* architecture;
  const char* model_type;
  ModelConfig (*read)(const ConfigSection& top);
};
constexpr KnownLayout kLayouts[] = {
    {"InternVLChatModel", "internvl_chat", read_remote_code},
    {"InternVLForConditionalGeneration", "internvl", read_transformers},
};

// Where `architectures` is missing, the model type stands for it; without both it is the first layout.
const KnownLayout& layout_of(const ConfigSection& top) {
  const std::vector<std::string> names = top.texts("architectures");
  std::string known;
  for (const KnownLayout& layout : kLayouts) {
    const char* name = names.empty() ? layout.model_type : layout.architecture;
    if ((names.empty() ? top.text("model_type", kLayouts[0].model_type) : names.front()) == name) return layout;
    known += cat(known.empty() ? "" : " and ", name);
  }
  top.unsupported(names.empty() ? "model_type" : "architectures", known);
}

// With or without "torch." before it; what leaves it to the weights says nothing.
std::optional<DType> read_dtype(const ConfigSection& top) {
  const char* field = top.has("torch_dtype") ? "torch_dtype" : "dtype";
  std::string name = top.text(field, "");
  if (name.empty() || name == "auto") return std::nullopt;
  constexpr std::string_view kModule = "torch.";
  if (name.starts_with(kModule)) name.erase(0, kModule.size());
  if (name == "float32") return DType::F32;
  if (name == "bfloat16") return DType::BF16;
  if (name == "float16") return DType::F16;
  top.unsupported(field, "float32, bfloat16 and float16");
}

ModelConfig read_documents(const nlohmann::json& config, const std::string& file, const nlohmann::json* generation,
                           const std::string& generation_file) {
  const ConfigSection top(config, file, "");
  const KnownLayout& layout = layout_of(top);
  require_readable_quantization(top);
  ModelConfig model = layout.read(top);
  model.dtype = read_dtype(top);
  if (generation != nullptr) {
    auto ids = ConfigSection(*generation, generation_file, "").ids("eos_token_id", model.language.vocab);
    if (!ids.empty()) model.eos_ids = std::move(ids);
  }
  return model;
}

}  // namespace

// downsample_ratio is 1/n.
int64_t read_downsample(const ConfigSection& top) {
  constexpr int64_t kMaxDownsample = 64;
  const double ratio = top.positive("downsample_ratio", 0.5);
  const double factor = std::round(1.0 / ratio);
  if (!(factor >= 1.0 && factor <= static_cast<double>(kMaxDownsample)) || std::abs(ratio * factor - 1.0) > 1e-6) {
    top.expected("downsample_ratio", cat("1/n for an integer n up to ", kMaxDownsample));
  }
  return static_cast<int64_t>(factor);
}

NormKind read_norm(const ConfigSection& vision, const char* otherwise) {
  const std::string norm = vision.text("norm_type", otherwise);
  if (norm != "rms_norm" && norm != "layer_norm") vision.unsupported("norm_type", "rms_norm and layer_norm");
  return norm == "rms_norm" ? NormKind::RmsNorm : NormKind::LayerNorm;
}

void check_vision(const ConfigSection& section, const VisionConfig& vision) {
  if (vision.channels != 3) section.unsupported("num_channels", "3");
  require_divisible(section, "hidden_size", vision.hidden, "num_attention_heads", vision.heads);
  require_divisible(section, "image_size", vision.image_size, "patch_size", vision.patch);
  require_head_dim(section, "hidden_size", vision.head_dim());
}

void check_grid(const ConfigSection& section, const char* field, const ModelConfig& model) {
  require_divisible(section, field, model.image_size, "vision_config.patch_size", model.vision.patch);
  if (model.grid() % model.downsample == 0) return;
  section.expected(field, cat("a multiple of ", model.downsample, " (1 / downsample_ratio) patches on a side"),
                   cat(model.grid(), " patches"));
}

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
