#include "model/int8_layers.h"

#include <array>

#include "checkpoint/int8_tensors.h"
#include "checkpoint/weights.h"

namespace ivl {
bool is_int8_layer(const std::string& name, const std::vector<int64_t>& shape, const Precision& precision) {
  switch (int8_group(name, shape)) {
    case Int8Group::None: return false;
    case Int8Group::Decoder: return precision.int8_decoder;
    case Int8Group::Vision: return precision.int8_vision;
  }
  return false;
}

Precision stored_precision(const Checkpoint& checkpoint, const ModelConfig& config) {
  std::array<uint64_t, 3> bytes{};
  Precision stored;
  for (const WeightSpec& spec : expected_weights(config)) {
    const TensorInfo* info = checkpoint.find(spec.name);
    if (info == nullptr) continue;
    if (is_int8(*info)) {
      const bool decoder = int8_group(spec.name, spec.shape) == Int8Group::Decoder;
      (decoder ? stored.int8_decoder : stored.int8_vision) = true;
    }
    if (info->dtype) bytes[static_cast<size_t>(*info->dtype)] += info->bytes;
  }
  for (const DType type : {DType::BF16, DType::F16}) {
    if (bytes[static_cast<size_t>(type)] > bytes[static_cast<size_t>(stored.type)]) stored.type = type;
  }
  return stored;
}

}  // namespace ivl
