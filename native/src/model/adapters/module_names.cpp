#include "model/adapters/module_names.h"

#include "model/layouts/layout.h"
#include "tensor/error.h"

namespace ivl {
namespace {

using Layers = std::unordered_map<std::string, const Param*>;

const Param* find_behind(const Layers& layers, std::string_view module, std::string_view prefix) {
  if (!module.starts_with(prefix)) return nullptr;
  const auto found = layers.find(std::string(module.substr(prefix.size())));
  return found == layers.end() ? nullptr : found->second;
}

}  // namespace

ModuleNames::ModuleNames(const ModelConfig& config, const ParamTable& params) : config_(config) {
  const Prefixes& own = config.prefixes;
  const auto put = [](Layers& layers, const Param& param, const std::string& prefix) {
    std::string name = param.name.substr(prefix.size());
    name.resize(name.size() - kWeight.size());
    if (name.ends_with(kBaseLayer)) name.resize(name.size() - kBaseLayer.size());
    layers.emplace(std::move(name), &param);
  };
  for (const Param& param : params.all()) {
    if (param.role != Role::Linear) continue;
    switch (param.part) {
      case Part::VisionEmbeddings:
      case Part::VisionBlock: put(vision_, param, own.vision); break;
      case Part::Projector: put(projector_, param, own.projector); break;
      case Part::Tokens:
      case Part::DecoderLayer: put(decoder_, param, own.decoder); break;
      case Part::Head: head_.emplace(config.language.names.head, &param); break;  // by this name, also where it is the embeddings
    }
  }
}

const Param* ModuleNames::find(std::string_view module) const {
  for (const Prefixes& prefixes : known_prefixes()) {
    for (const auto& [layers, prefix] : {std::pair(&vision_, &prefixes.vision), std::pair(&projector_, &prefixes.projector),
                                         std::pair(&decoder_, &prefixes.decoder), std::pair(&head_, &prefixes.head)}) {
      if (const Param* param = find_behind(*layers, module, *prefix); param != nullptr) return param;
    }
  }
  return nullptr;
}

std::string ModuleNames::example() const {
  const Prefixes& prefixes = config_.prefixes;
  const DecoderNames& names = config_.language.names;
  return cat(prefixes.decoder, names.layers, ".N.", names.qkv.front(), " with N from 0 to ", config_.language.layers - 1);
}

}  // namespace ivl
