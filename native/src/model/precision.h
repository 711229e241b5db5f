// The types that a model's parts are kept in.
#pragma once

#include <optional>

#include "backend/kv_type.h"
#include "backend/weight_format.h"
#include "tensor/dtype.h"

namespace ivl {

// Of linear layers: the decoder's, its head, and those of the vision tower's blocks and of the projector.
struct WeightFormats {
  WeightFormat decoder = WeightFormat::Plain;
  WeightFormat head = WeightFormat::Plain;
  WeightFormat vision = WeightFormat::Plain;
};

struct Precision {
  DType type = DType::F32;  // of weights and a GPU's activations, and of the KV cache if that has none of its own
  WeightFormats formats = {};
  std::optional<KvType> kv = {};  // the KV cache's own
  bool bf16_activations = false;  // on the CPU: as cpu::CpuOptions has them
  // The decoder's format is that of the files: what they have plain stays plain.
  bool decoder_as_stored = false;

  KvType kv_type() const { return kv.value_or(kv_type_of(type)); }
};

}  // namespace ivl
