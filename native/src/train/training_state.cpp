// A training's state as a file: values, moments and the number of steps, to go on from.
#include <cstring>

#include <nlohmann/json.hpp>

#include "checkpoint/safetensors.h"
#include "checkpoint/safetensors_writer.h"
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
    for (const auto& stored : kStored) tensors.push_back(parameter->stored_as(parameter->name + stored.name));
  }
  SafetensorsWriter writer(file, tensors,
                           {{kFormat, kState}, {kMadeOf, made_of()}, {kSteps, std::to_string(steps_)}, {kText, text}});
  for (const auto& parameter : model_.parameters().all()) {
    for (const auto& stored : kStored) writer.write(parameter->of(stored.kind).data, parameter->bytes());
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
    for (const auto& [kind, name] : kStored) {
      const TensorInfo& tensor = tensor_in(state, file, parameter->name + name, parameter->shape);
      std::memcpy(parameter->of(kind).data, tensor.data, tensor.bytes);
    }
  }
  steps_ = steps;
  drop();
  model_.reload();
}

}  // namespace ivl
