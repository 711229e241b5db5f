// The original's answers with an adapter, and adapters that a batch mixes, for tests of every backend.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/adapter_folder.h"
#include "model/oracle.h"

namespace ivl::testing {

// The case whose adapter is in test-data.
inline const Oracle& gqa7() {
  static const Oracle loaded("hermes-gqa7");
  return loaded;
}

// The original's prompts with their pictures, and what it answers with each kind of weights.
struct OriginalAnswer {
  Prompt prompt;
  std::vector<int32_t> tokens;
  double margin;
  std::vector<float> logits;
};

class AdapterOriginals {
 public:
  AdapterOriginals() : folder_(gqa7().folder() / "adapter"), file_(SafetensorsFile::open(folder_ / "oracle.safetensors")) {}

  const std::filesystem::path& folder() const { return folder_; }
  std::vector<OriginalAnswer> of(Engine& engine, const std::string& weights) const {
    std::vector<OriginalAnswer> cases;
    const auto expected = nlohmann::json::parse(checkpoint_test::read_text(folder_ / "expected.json"));
    for (const auto& each : expected.at("answers")) {
      if (each.at("weights") != weights) continue;
      const std::string name = each.at("prompt");
      OriginalAnswer one{{each.at("input_ids"), 1, {}, {}},
                         each.at("greedy_tokens"),
                         each.at("smallest_top2_margin"),
                         values(cat(name, "/", weights, "/greedy_logits"))};
      if (name != "text") {
        one.prompt.image_token = image_token(one.prompt.tokens);
        const std::vector<float> pixels = values(name);
        const ModelConfig& config = engine.config();
        const int64_t each_picture = config.vision.channels * config.image_size * config.image_size;
        one.prompt.features.push_back(
            engine.encode(pixels.data(), static_cast<int64_t>(pixels.size()) / each_picture, nullptr, nullptr));
      }
      cases.push_back(std::move(one));
    }
    return cases;
  }

 private:
  // The one that stands four times in a row.
  static int32_t image_token(const std::vector<int32_t>& tokens) {
    for (size_t i = 0; i + 3 < tokens.size(); ++i) {
      if (std::count(tokens.begin() + static_cast<int64_t>(i), tokens.begin() + static_cast<int64_t>(i) + 4, tokens[i]) == 4)
        return tokens[i];
    }
    return -1;
  }
  std::vector<float> values(const std::string& name) const {
    const TensorInfo* info = file_.find(name);
    if (info == nullptr) throw std::out_of_range(name);
    std::vector<float> out(static_cast<size_t>(info->elements()));
    for (size_t i = 0; i < out.size(); ++i) out[i] = load_f32(info->data, *info->dtype, i);
    return out;
  }

  std::filesystem::path folder_;
  SafetensorsFile file_;
};

// Three adapters of which one sees, of ranks that fill no register.
class MixedAdapters {
 protected:
  MixedAdapters() {
    const ModelConfig config = load_config(gqa7().folder());
    const ParamTable params(config);
    seeing_.pairs_of(params, 3, true, DType::BF16);
    wide_.pairs_of(params, 65, false);
    seeing_.write();
    wide_.write();
  }
  void load(const std::shared_ptr<Engine>& engine) {
    engine_ = engine;
    first_ = engine->load_adapter(gqa7().folder() / "adapter");
    seeing_loaded_ = engine->load_adapter(seeing_.path());
    wide_loaded_ = engine->load_adapter(wide_.path());
  }
  // A dialog's prompt, its pictures as these adapters have them.
  Prompt prompt(const char* name, const std::vector<AdapterChoice>& adapters) const {
    const Dialog& dialog = gqa7().dialog(name);
    Prompt prompt = gqa7().prompt(*engine_, dialog);
    if (dialog.images.empty()) return prompt;
    const std::vector<float> pixels = gqa7().pixels(dialog);
    const auto count = static_cast<int64_t>(dialog.images.size());
    prompt.features = {engine_->encode(pixels.data(), count, nullptr, nullptr, {adapters, *engine_})};
    return prompt;
  }
  struct Ask {
    const char* dialog;
    std::vector<AdapterChoice> adapters;
  };
  std::vector<Ask> four() const {
    return {
        {"image.0", {{first_}}}, {"image.0", {{seeing_loaded_, 0.5f}, {first_, 2}}}, {"text.0", {}}, {"text.0", {{wide_loaded_}}}};
  }

  AdapterFolder seeing_{11}, wide_{12};
  std::shared_ptr<Engine> engine_;
  std::shared_ptr<const LoadedAdapter> first_, seeing_loaded_, wide_loaded_;
};

}  // namespace ivl::testing
