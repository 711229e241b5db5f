// Weights as the CPU keeps them.
#pragma once

#include <vector>

#include "backend/int4_weights.h"
#include "backend/int8_weights.h"

namespace ivl::cpu {

struct CpuVector final : VectorWeights {
  std::vector<float> values;
};

struct CpuLinear final : LinearWeights {
  struct Part {
    const void* data = nullptr;  // (rows, in_features), dense; in the checkpoint or in `owned`
    DType dtype = DType::F32;    // what a weight is, in int4 too
    int64_t rows = 0;
    std::unique_ptr<VectorWeights> bias;
    Buffer owned;
    Int8Weights int8;  // instead of data, where the layer has that format
    Int4Weights int4;
  };
  std::vector<Part> parts;
  WeightFormat format = WeightFormat::Plain;

  // Whether the input is quantized, too.
  bool takes_bytes() const { return format == WeightFormat::Int8; }
};

struct CpuAdapter final : AdapterWeights {
  AdapterSource source;                 // whose memory is used in place
  std::unique_ptr<LinearWeights> down;  // every A, stacked
};

struct CpuExperts final : ExpertWeights {
  std::vector<std::unique_ptr<LinearWeights>> gate_up, down;  // CpuLinear, all of one type
};

struct CpuTable final : TableWeights {
  const void* data = nullptr;
  DType dtype = DType::F32;
  Buffer owned;
};

inline const float* values_of(const VectorWeights* weights) {
  return weights == nullptr ? nullptr : static_cast<const CpuVector*>(weights)->values.data();
}

}  // namespace ivl::cpu
