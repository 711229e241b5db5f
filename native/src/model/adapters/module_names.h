// From the paths that training tools have for a model's layers to the model's own table of parameters.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "model/param.h"

namespace ivl {

// Behind a linear layer's name.
inline constexpr std::string_view kWeight = ".weight";

class ModuleNames {
 public:
  // Both outlive it.
  ModuleNames(const ModelConfig& config, const ParamTable& params);

  // The weight of the linear layer that stands at this path: behind any prefix that a layout has, or that a decoder has by itself.
  // Null if there is none.
  const Param* find(std::string_view module) const;
  // Such a path, and how far they go, for messages.
  std::string example() const;

 private:
  const ModelConfig& config_;
  std::unordered_map<std::string, const Param*> vision_, projector_, decoder_, head_;  // behind the part's prefix
};

}  // namespace ivl
