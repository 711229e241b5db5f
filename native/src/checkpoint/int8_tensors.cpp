#include "checkpoint/int8_tensors.h"

namespace ivl {

Int8Group int8_group(const std::string& name, const std::vector<int64_t>& shape) {
  const auto under = [&](const char* prefix) { return name.rfind(prefix, 0) == 0; };
  if (shape.size() != 2) return Int8Group::None;
  if (under("language_model.model.layers.") || under("language_model.lm_head")) return Int8Group::Decoder;
  return under("vision_model.encoder.") || under("mlp1.") ? Int8Group::Vision : Int8Group::None;
}

}  // namespace ivl
