// What a training leaves behind: its state, to go on from, and its pairs as a folder that PEFT loads.
#include <cstring>
#include <fstream>
#include <set>

#include <nlohmann/json.hpp>

#include "checkpoint/safetensors.h"
#include "checkpoint/safetensors_writer.h"
#include "model/adapters/module_names.h"
#include "model/layouts/layout.h"
#include "train/training.h"

namespace ivl {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char *kFormat = "format", *kState = "internvl4j training state 1";
constexpr const char *kMadeOf = "made_of", *kSteps = "steps", *kText = "text";
constexpr struct {
  Parameter::Kind kind;
  const char* name;
} kStored[] = {{Parameter::kValue, ".value"}, {Parameter::kFirst, ".first"}, {Parameter::kSecond, ".second"}};

TensorToWrite f32_tensor(std::string name, const std::vector<int64_t>& shape, int64_t elements) {
  return {std::move(name), "F32", shape, static_cast<uint64_t>(elements) * sizeof(float)};
}

const std::string& metadata_of(const SafetensorsFile& state, const fs::path& file, const char* key) {
  const auto found = state.metadata().find(key);
  if (found != state.metadata().end()) return found->second;
  fail(Status::Checkpoint, cat(file.string(), ": __metadata__ has no \"", key, "\", expected the state of a training"));
}

SafetensorsFile open_state(const fs::path& file) {
  SafetensorsFile state = SafetensorsFile::open(file);
  const std::string& format = metadata_of(state, file, kFormat);
  if (format != kState) fail(Status::Checkpoint, cat(file.string(), ": format is \"", format, "\", expected \"", kState, "\""));
  return state;
}

int64_t steps_in(const SafetensorsFile& state, const fs::path& file) {
  const std::string& text = metadata_of(state, file, kSteps);
  const bool digits = !text.empty() && text.size() < 18 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) fail(Status::Checkpoint, cat(file.string(), ": steps is \"", text, "\", expected a number"));
  return std::stoll(text);
}

const TensorInfo& tensor_in(const SafetensorsFile& state, const fs::path& file, const std::string& name,
                            const std::vector<int64_t>& shape) {
  const TensorInfo* tensor = state.find(name);
  if (tensor == nullptr) fail(Status::Checkpoint, cat(file.string(), ": tensor '", name, "' is missing"));
  if (tensor->dtype == DType::F32 && tensor->shape == shape) return *tensor;
  fail(Status::Checkpoint, cat(place_of(*tensor), ": is not of the type and the shape that this training has"));
}

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

json adapter_config(const Learning& learning, const std::string& base, const std::set<std::string>& targets,
                    const std::map<std::string, LoraShape>& vision_targets) {
  const bool both = learning.decoder == Learns::Lora;
  const LoraShape& shape = both ? learning.decoder_lora : learning.vision_lora;
  json ranks = json::object(), alphas = json::object();
  for (const auto& [target, own] : vision_targets) {
    if (!both) break;
    if (own.rank != shape.rank) ranks[target] = own.rank;
    if (own.alpha != shape.alpha) alphas[target] = own.alpha;
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

void write_whole(const fs::path& file, const std::string& text) {
  fs::path partial = file;
  partial += ".partial";
  std::ofstream out(partial, std::ios::binary);
  out << text;
  out.close();
  std::error_code error;
  if (out) fs::rename(partial, file, error);
  if (!out || error) fail(Status::Io, cat(file.string(), ": cannot be written"));
}

}  // namespace

// What a state must have been made of to go on with it here.
std::string Training::made_of() const {
  json parameters = json::array();
  for (const auto& parameter : model_.parameters().all()) parameters.push_back({parameter->name, parameter->shape});
  const Learning& learning = model_.learning();
  const Gradients::AdamW& optimizer = options_.optimizer;
  const json made = {{"parameters", parameters},
                     {"alpha", {learning.decoder_lora.alpha, learning.vision_lora.alpha}},
                     {"optimizer", {optimizer.beta1, optimizer.beta2, optimizer.eps, optimizer.decay}},
                     {"most_norm", options_.most_norm},
                     {"bf16_activations", model_.precision().bf16_activations}};
  return made.dump();
}

void Training::save(const fs::path& file, const std::string& text) const {
  std::vector<TensorToWrite> tensors;
  for (const auto& parameter : model_.parameters().all()) {
    for (const auto& [kind, name] : kStored)
      tensors.push_back(f32_tensor(parameter->name + name, parameter->shape, parameter->elements()));
  }
  SafetensorsWriter writer(file, tensors,
                           {{kFormat, kState}, {kMadeOf, made_of()}, {kSteps, std::to_string(steps_)}, {kText, text}});
  for (const auto& parameter : model_.parameters().all()) {
    std::vector<float> values(static_cast<size_t>(parameter->elements()));
    for (const auto& [kind, name] : kStored) {
      read(*parameter, kind, values.data());
      writer.write(values.data(), values.size() * sizeof(float));
    }
  }
  writer.finish();
}

std::string Training::saved_text(const fs::path& file) { return metadata_of(open_state(file), file, kText); }

void Training::resume(const fs::path& file) {
  const SafetensorsFile state = open_state(file);
  if (metadata_of(state, file, kMadeOf) != made_of()) {
    fail(Status::Checkpoint,
         cat(file.string(), ": is the state of a training of another model or with other settings (what learns, ranks, ",
             "decay, clipping, type of activations), expected those of this one"));
  }
  const int64_t steps = steps_in(state, file);
  // Everything is looked for before anything changes.
  for (const auto& parameter : model_.parameters().all()) {
    for (const auto& stored : kStored) tensor_in(state, file, parameter->name + stored.name, parameter->shape);
  }
  for (const auto& parameter : model_.parameters().all()) {
    std::vector<float> values(static_cast<size_t>(parameter->elements()));
    for (const auto& [kind, name] : kStored) {
      const TensorInfo& tensor = tensor_in(state, file, parameter->name + name, parameter->shape);
      std::memcpy(values.data(), tensor.data, tensor.bytes);
      model_.backend().from_host(parameter->of(kind), values.data());
    }
  }
  steps_ = steps;
  drop();
  model_.reload();
}

void Training::write_adapter(const fs::path& folder, const std::string& base) const {
  const Learning& learning = model_.learning();
  for (const Learns part : {learning.decoder, learning.vision, learning.projector}) {
    if (part != Learns::All) continue;
    fail(Status::Unsupported,
         "an adapter is pairs alone, and here every parameter of a part learns, expected a checkpoint instead");
  }
  std::vector<TensorToWrite> tensors;
  std::vector<const Parameter*> halves;
  std::set<std::string> targets;
  std::map<std::string, LoraShape> vision_targets;
  for (const Param& param : model_.params().all()) {
    if (param.role != Role::Linear || param.again) continue;
    const PairOfParameters pair = model_.parameters().pair(param);
    if (pair.a == nullptr) continue;
    const std::string path = path_in_memory(model_.config(), param), target = within_layer(path);
    targets.insert(target);
    if (param.part == Part::VisionBlock) vision_targets[target] = learning.vision_lora;
    for (const auto& [half, name] : {std::pair(pair.a, kLoraA), std::pair(pair.b, kLoraB)}) {
      tensors.push_back(f32_tensor(cat("base_model.model.", path, name, kWeight), half->shape, half->elements()));
      halves.push_back(half);
    }
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(Status::Io, cat(folder.string(), ": cannot be made: ", error.message()));
  SafetensorsWriter writer(folder / "adapter_model.safetensors", tensors, {{kFormat, "pt"}});
  for (const Parameter* half : halves) {
    std::vector<float> values(static_cast<size_t>(half->elements()));
    read(*half, Parameter::kValue, values.data());
    writer.write(values.data(), values.size() * sizeof(float));
  }
  writer.finish();
  write_whole(folder / "adapter_config.json", adapter_config(learning, base, targets, vision_targets).dump(2) + "\n");
}

}  // namespace ivl
