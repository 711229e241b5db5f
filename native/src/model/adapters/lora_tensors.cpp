#include "model/adapters/lora_tensors.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "checkpoint/message.h"
#include "checkpoint/non_finite.h"
#include "host/host_memory.h"
#include "model/adapters/lora_config.h"
#include "model/adapters/module_names.h"

namespace ivl {
namespace {

namespace fs = std::filesystem;

constexpr const char *kConfig = "adapter_config.json", *kWeights = "adapter_model.safetensors";
constexpr std::string_view kWrapper = "base_model.model.";
constexpr const char *kBesideA = ".lora_A.default.weight", *kBesideB = ".lora_B.default.weight";

// The halves of a tensor's name: MODULE.lora_A.weight, or MODULE.lora_A.default.weight as it is called in memory.
struct Half {
  std::string module;
  bool is_b;
};

std::optional<Half> half_of(std::string_view name) {
  if (name.starts_with(kWrapper)) name.remove_prefix(kWrapper.size());
  for (const auto& [part, is_b] : {std::pair<std::string_view, bool>{".lora_A", false}, {".lora_B", true}}) {
    for (const std::string_view middle : {"", ".default"}) {
      const std::string end = cat(part, middle, kWeight);
      if (name.ends_with(end)) return Half{std::string(name.substr(0, name.size() - end.size())), is_b};
    }
  }
  return std::nullopt;
}

[[noreturn]] void refuse_tensor(const TensorInfo& tensor) {
  const struct {
    const char *part, *is;
  } known[] = {
      {"lora_magnitude_vector", "is of DoRA"},
      {"lora_embedding_", "is a pair of the embeddings"},
      {".lora_A.bias", "is a bias"},
      {".lora_B.bias", "is a bias"},
      {"modules_to_save", "is a whole layer (modules_to_save)"},
  };
  for (const auto& [part, is] : known) {
    if (tensor.name.find(part) == std::string::npos) continue;
    fail(Status::Unsupported,
         cat(place_of(tensor), ": ", is, ", expected pairs of linear layers alone; merge it into the model with ",
             "PEFT (merge_and_unload) and save that"));
  }
  fail(Status::Unsupported,
       cat(place_of(tensor), ": expected a name that ends with .lora_A.weight or .lora_B.weight: whole layers ",
           "beside the pairs (modules_to_save, biases) are not supported"));
}

// A copy of our own, which no other process can change.
HostTensor copied(const TensorInfo& tensor) {
  if (!tensor.dtype) {
    fail(Status::Checkpoint, cat(place_of(tensor), ": expected type F32, BF16 or F16, got ", printable(tensor.dtype_name, 40)));
  }
  const NonFinite bad = scan_non_finite(tensor);
  if (bad.count > 0) {
    fail(Status::Checkpoint,
         cat(place_of(tensor), ": ", bad.count, " of ", tensor.elements(), " values are NaN or infinite, the first ", "at ",
             *bad.first, ", expected numbers; the training has diverged"));
  }
  auto memory = std::make_shared<const Buffer>(allocate_host(tensor.bytes));
  std::memcpy(memory->data(), tensor.data, tensor.bytes);
  return {memory->data(), *tensor.dtype, tensor.shape, {}, place_of(tensor), memory};
}

void require_shape(const TensorInfo& tensor, const std::vector<int64_t>& expected, const char* why) {
  if (tensor.shape == expected) return;
  fail(Status::Checkpoint,
       cat(place_of(tensor), ": expected shape ", shape_text(expected), why, ", got ", shape_text(tensor.shape)));
}

bool is_vision(const Param& param) { return param.part == Part::VisionBlock || param.part == Part::Projector; }

void refuse_layer(const Param& param, const std::string& place) {
  const char* kind = param.use == Use::Patches  ? "the patch convolution"
                     : param.use == Use::Router ? "a router of experts"
                     : param.expert >= 0        ? "an expert"
                                                : nullptr;
  if (kind == nullptr) return;
  fail(Status::Unsupported,
       cat(place, ": is a pair of ", kind, ", expected pairs of the other linear layers; internvl4j merge takes it"));
}

}  // namespace

// Pairs the halves up as they come, and checks them against the model.
struct LoraTensors::Reader {
  const ModuleNames& names;
  const LoraConfig& config;
  LoraTensors& to;
  struct Halves {
    const Param* param = nullptr;
    std::string module;
    const TensorInfo *a = nullptr, *b = nullptr;
  };
  std::map<std::string, Halves> halves = {};

  void add(const TensorInfo& tensor, const Half& half) {
    const Param* param = names.find(half.module);
    if (param == nullptr) {
      fail(Status::Checkpoint,
           cat(place_of(tensor), ": the model has no linear layer ", quote(half.module), ", expected one of its own, ", "such as ",
               names.example(), "; is the adapter of another model?"));
    }
    Halves& found = halves.try_emplace(param->name, Halves{param, half.module}).first->second;
    const TensorInfo*& place = half.is_b ? found.b : found.a;
    if (place != nullptr) fail(Status::Checkpoint, cat(place_of(tensor), ": is for the same layer as ", place_of(*place)));
    place = &tensor;
  }

  void finish() {
    for (const auto& [name, pair] : halves) to.pairs_.emplace(name, checked(pair));
  }

  LoraPair checked(const Halves& pair) {
    const TensorInfo& there = pair.a != nullptr ? *pair.a : *pair.b;
    if (pair.a == nullptr || pair.b == nullptr) {
      fail(Status::Checkpoint, cat(place_of(there), ": has no lora_", pair.a == nullptr ? "A" : "B",
                                   " beside it, expected both of the ", "pair; the file is not whole"));
    }
    const Param& param = *pair.param;
    const int64_t rank = config.rank(pair.module), out = param.shape[0], in = param.elements() / out;
    require_shape(*pair.a, {rank, in}, cat(", as ", config.place(), " (rank) and the model's layer (inputs) have it").c_str());
    require_shape(*pair.b, {out, rank}, cat(", as the model's layer (outputs) and ", config.place(), " (rank) have it").c_str());
    to.sees_ = to.sees_ || is_vision(param);
    return {copied(*pair.a), copied(*pair.b), static_cast<float>(config.scale(pair.module))};
  }
};

LoraTensors LoraTensors::of_folder(const fs::path& folder, const ModelConfig& config, const ParamTable& params) {
  const fs::path weights = folder / kWeights;
  std::error_code ignored;
  if (fs::is_directory(folder, ignored) && !fs::exists(weights, ignored)) {
    if (fs::exists(folder / "adapter_model.bin", ignored)) {
      fail(Status::Unsupported, cat((folder / "adapter_model.bin").string(), ": is a PyTorch pickle, expected ", kWeights,
                                    "; save the adapter again with safe_serialization=True"));
    }
    fail(Status::Io, cat(folder.string(), ": has no ", kWeights, ", expected an adapter as PEFT saves it"));
  }
  const LoraConfig lora = LoraConfig::read(folder / kConfig);
  const SafetensorsFile file = SafetensorsFile::open(weights, Mapping::Copy);
  const ModuleNames names(config, params);
  LoraTensors tensors;
  Reader reader{names, lora, tensors};
  for (const TensorInfo& tensor : file.tensors()) {
    const std::optional<Half> half = half_of(tensor.name);
    if (!half) refuse_tensor(tensor);
    reader.add(tensor, *half);
  }
  reader.finish();
  if (tensors.pairs_.empty()) {
    fail(Status::Checkpoint,
         cat(weights.string(), ": has no tensors, expected pairs of the model's layers, such as ", names.example()));
  }
  return tensors;
}

std::vector<std::string> LoraTensors::names_beside(const Param& param) {
  const std::string end = cat(kBaseLayer, kWeight);
  if (!param.name.ends_with(end)) return {};
  const std::string layer = param.name.substr(0, param.name.size() - end.size());
  return {layer + kBesideA, layer + kBesideB};
}

LoraTensors LoraTensors::of_checkpoint(const Checkpoint& checkpoint, const ModelConfig& config, const ParamTable& params) {
  LoraTensors tensors;
  const ModuleNames names(config, params);
  for (const auto& [rank, field, vision] :
       {std::tuple(config.lora.vision, "use_backbone_lora", true), std::tuple(config.lora.language, "use_llm_lora", false)}) {
    if (rank == 0) continue;
    const LoraConfig lora = LoraConfig::of_rank(rank, cat(checkpoint.folder(), "/config.json: ", field));
    Reader reader{names, lora, tensors};
    for (const Param& param : params.all()) {
      const std::vector<std::string> pair = names_beside(param);
      if (pair.empty() || is_vision(param) != vision) continue;
      reader.halves[param.name] = {&param, param.name, &checkpoint.get(pair[0]), &checkpoint.get(pair[1])};
    }
    reader.finish();
  }
  return tensors;
}

const LoraPair* LoraTensors::find(const Param& param) const {
  const auto found = pairs_.find(param.name);
  return found == pairs_.end() ? nullptr : &found->second;
}

void LoraTensors::require_unmerged(const ParamTable& params) const {
  for (const Param& param : params.all()) {
    if (const LoraPair* pair = find(param); pair != nullptr) refuse_layer(param, pair->a.where);
  }
}

AdapterSource LoraTensors::source(std::span<const Param> part, Use use) const {
  return adapter_source(part, use, [this](const Param& param) { return find(param); });
}

size_t LoraTensors::bytes() const {
  size_t bytes = 0;
  for (const auto& [name, pair] : pairs_) {
    for (const HostTensor* tensor : {&pair.a, &pair.b})
      bytes += static_cast<size_t>(tensor->shape[0] * tensor->shape[1]) * size_of(tensor->dtype);
  }
  return bytes;
}

}  // namespace ivl
