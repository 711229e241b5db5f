// How weights in int8 lie in a safetensors file. In the place of a linear layer's NAME (out, in) there are
//
//   NAME        I8  (out, in)   value = scale * int8, as backend/int8.h says
//   NAME_scale  F32 (out)
//   NAME_sum    I32 (out)       of each row's int8 values, which the CPU's products need
#pragma once

#include <string>

#include "checkpoint/safetensors.h"

namespace ivl {

inline bool is_int8(const TensorInfo& tensor) { return tensor.dtype_name == "I8"; }
inline std::string int8_scale_name(const std::string& name) { return name + "_scale"; }
inline std::string int8_sum_name(const std::string& name) { return name + "_sum"; }

}  // namespace ivl
