#include "model/int8_layers.h"

#include <array>

#include "checkpoint/int8_tensors.h"

namespace ivl {

Int8Group int8_group(const Param& param) {
  if (param.role != Role::Linear || param.use == Use::Router) return Int8Group::None;
  switch (param.part) {
    case Part::DecoderLayer:
    case Part::Head: return Int8Group::Decoder;
    case Part::VisionBlock:
    case Part::Projector: return Int8Group::Vision;
    case Part::VisionEmbeddings:
    case Part::Tokens: break;
  }
  return Int8Group::None;
}

bool is_int8_layer(const Param& param, const Precision& precision) {
  switch (int8_group(param)) {
    case Int8Group::None: return false;
    case Int8Group::Decoder: return precision.int8_decoder;
    case Int8Group::Vision: return precision.int8_vision;
  }
  return false;
}

Precision stored_precision(const Checkpoint& checkpoint, const ParamTable& params) {
  std::array<uint64_t, 3> bytes{};
  Precision stored;
  for (const Param& param : params.all()) {
    const TensorInfo* info = param.again ? nullptr : checkpoint.find(param.name);
    if (info == nullptr) continue;
    if (is_int8(*info)) (int8_group(param) == Int8Group::Decoder ? stored.int8_decoder : stored.int8_vision) = true;
    if (info->dtype) bytes[static_cast<size_t>(*info->dtype)] += info->bytes;
  }
  for (const DType type : {DType::BF16, DType::F16}) {
    if (bytes[static_cast<size_t>(type)] > bytes[static_cast<size_t>(stored.type)]) stored.type = type;
  }
  return stored;
}

}  // namespace ivl
