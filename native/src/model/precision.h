// The types that a model's parts are kept in.
#pragma once

#include "tensor/dtype.h"

namespace ivl {

// Of a tower.
struct PartPrecision {
  DType type = DType::F32;
  bool int8 = false;  // of the blocks' linear layers
};

struct Precision {
  DType type = DType::F32;    // of weights and KV cache, and of a GPU's activations
  bool int8_decoder = false;  // the linear layers of the decoder and its head are kept in int8 instead (backend/int8.h)
  bool int8_vision = false;   // and those of the vision tower's blocks and of the projector

  PartPrecision decoder() const { return {type, int8_decoder}; }
  PartPrecision vision() const { return {type, int8_vision}; }
};

}  // namespace ivl
