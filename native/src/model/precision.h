// The types that a model's parts are kept in.
#pragma once

#include <optional>

#include "backend/kv_type.h"
#include "tensor/dtype.h"

namespace ivl {

struct Precision {
  DType type = DType::F32;        // of weights and a GPU's activations, and of the KV cache if that has none of its own
  bool int8_decoder = false;      // the linear layers of the decoder and its head are kept in int8 instead (backend/int8.h)
  bool int8_vision = false;       // and those of the vision tower's blocks and of the projector
  std::optional<KvType> kv = {};  // the KV cache's own
  bool bf16_activations = false;  // on the CPU: as cpu::CpuOptions has them

  KvType kv_type() const { return kv.value_or(kv_type_of(type)); }
};

}  // namespace ivl
