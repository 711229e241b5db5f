// How the weights of a linear layer are kept.
#pragma once

#include <cstdint>
#include <string_view>

#include "tensor/dtype.h"

namespace ivl {

enum class WeightFormat : uint8_t {
  Plain,  // f32, bf16 or f16
  Int8,   // backend/int8.h
  Int4,   // backend/int4.h
};

std::string_view name_of(WeightFormat format);  // "int8"; of Plain "plain"

// Of rows of `inputs` weights in memory of a backend's own, with all that belongs to them; `plain` is the type of Plain.
int64_t weight_bytes(WeightFormat format, DType plain, int64_t rows, int64_t inputs);

}  // namespace ivl
