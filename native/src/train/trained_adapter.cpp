#include "train/trained_adapter.h"

#include <fstream>
#include <set>

#include <nlohmann/json.hpp>

#include "checkpoint/safetensors_writer.h"
#include "model/adapters/module_names.h"
#include "model/layouts/layout.h"

namespace ivl {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

const std::string& prefix_of(const Prefixes& prefixes, Part part) {
  return part == Part::VisionBlock ? prefixes.vision : prefixes.decoder;
}

// A path behind its layer's number: as patterns of targets have it.
std::string within_layer(const std::string& path) {
  size_t begin = 0;
  for (size_t end = path.find('.'); end != std::string::npos; begin = end + 1, end = path.find('.', begin)) {
    if (begin > 0 && path.find_first_not_of("0123456789", begin) == end) return path.substr(end + 1);
  }
  return path;
}

// A module's path as it is in memory, where PEFT finds it.
std::string path_in_memory(const ModelConfig& config, const Param& weight) {
  const std::string& stored = prefix_of(config.prefixes, weight.part);
  return prefix_of(prefixes_in_memory(config), weight.part) + module_of(weight).substr(stored.size());
}

// What the folder has: the tensors, and by part the modules that there are pairs of.
struct Pairs {
  explicit Pairs(const TrainedModel& model) {
    for (const Param& param : model.params().all()) {
      if (param.role != Role::Linear || param.again) continue;
      const PairOfParameters pair = model.parameters().pair(param);
      if (pair.a == nullptr) continue;
      const std::string path = path_in_memory(model.config(), param);
      (param.part == Part::VisionBlock ? vision : decoder).insert(within_layer(path));
      for (const auto& [half, name] : {std::pair(pair.a, kLoraA), std::pair(pair.b, kLoraB)}) {
        tensors.push_back(half->stored_as(cat("base_model.model.", path, name, kWeight)));
        halves.push_back(half);
      }
    }
  }

  std::vector<TensorToWrite> tensors;
  std::vector<const Parameter*> halves;  // one a tensor
  std::set<std::string> decoder, vision;
};

// The vision tower's modules have patterns of their own where the decoder's are the rule.
json config_of(const Pairs& pairs, const Learning& learning, const std::string& base) {
  const LoraShape& shape = pairs.decoder.empty() ? learning.vision_lora : learning.decoder_lora;
  std::set<std::string> targets = pairs.decoder;
  targets.insert(pairs.vision.begin(), pairs.vision.end());
  json ranks = json::object(), alphas = json::object();
  for (const std::string& target : pairs.vision) {
    if (learning.vision_lora.rank != shape.rank) ranks[target] = learning.vision_lora.rank;
    if (learning.vision_lora.alpha != shape.alpha) alphas[target] = learning.vision_lora.alpha;
  }
  return {{"peft_type", "LORA"},
          {"task_type", nullptr},
          {"base_model_name_or_path", base},
          {"r", shape.rank},
          {"lora_alpha", shape.alpha},
          {"lora_dropout", 0.0},
          {"bias", "none"},
          {"fan_in_fan_out", false},
          {"inference_mode", true},
          {"use_rslora", false},
          {"use_dora", false},
          {"init_lora_weights", true},
          {"modules_to_save", nullptr},
          {"rank_pattern", ranks},
          {"alpha_pattern", alphas},
          {"target_modules", targets}};
}

void require_pairs_alone(const Learning& learning) {
  for (const Learns part : {learning.decoder, learning.vision, learning.projector}) {
    if (part != Learns::All) continue;
    fail(Status::Unsupported,
         "an adapter is pairs alone, and here every parameter of a part learns, expected a checkpoint instead");
  }
}

}  // namespace

void write_adapter(const TrainedModel& model, const fs::path& folder, const std::string& base) {
  require_pairs_alone(model.learning());
  const Pairs pairs(model);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(Status::Io, cat(folder.string(), ": cannot be made: ", error.message()));
  SafetensorsWriter writer(folder / "adapter_model.safetensors", pairs.tensors, {{"format", "pt"}});
  for (const Parameter* half : pairs.halves) writer.write(half->value().data, half->bytes());
  writer.finish();
  const fs::path file = folder / "adapter_config.json";
  std::ofstream config(file, std::ios::trunc);
  config << config_of(pairs, model.learning(), base).dump(2) << '\n';
  config.flush();
  if (!config) fail(Status::Io, cat(file.string(), ": cannot write it"));
}

}  // namespace ivl
