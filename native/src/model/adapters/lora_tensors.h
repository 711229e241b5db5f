// An adapter's pairs of matrices in host memory, by the parameter that each belongs to.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "backend/backend.h"
#include "checkpoint/checkpoint.h"
#include "model/adapters/adapter_source.h"

namespace ivl {

class LoraTensors {
 public:
  // Of a folder as PEFT writes it: adapter_config.json and adapter_model.safetensors, which is read and may then change. What it is
  // for is what there are pairs for, whatever target_modules says. Error(Io), Error(Checkpoint): files that are missing, malformed, or
  // no pairs of this model's layers, each by its name. Error(Unsupported): an adapter of another kind.
  static LoraTensors of_folder(const std::filesystem::path& folder, const ModelConfig& config, const ParamTable& params);
  // Of a checkpoint with pairs beside the layers, as ModelConfig::lora says. Empty if it has none.
  static LoraTensors of_checkpoint(const Checkpoint& checkpoint, const ModelConfig& config, const ParamTable& params);
  // The names of the pair beside a weight in such a checkpoint; empty if the weight has none.
  static std::vector<std::string> names_beside(const Param& param);

  const std::map<std::string, LoraPair>& pairs() const { return pairs_; }  // by the parameter's name
  const LoraPair* find(const Param& param) const;
  // Error(Unsupported) if there is a pair of a layer that takes none unless it is merged.
  void require_unmerged(const ParamTable& params) const;
  // What is added to a part's layers of this use, stacked as PartLoader does; without pairs if there are none.
  AdapterSource source(std::span<const Param> part, Use use) const;
  // Of the vision tower or the projector: it changes what images look like to the decoder.
  bool sees() const { return sees_; }
  size_t bytes() const;

 private:
  struct Reader;

  std::map<std::string, LoraPair> pairs_;
  bool sees_ = false;
};

}  // namespace ivl
