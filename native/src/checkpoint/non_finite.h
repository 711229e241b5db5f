// NaN and infinity among a tensor's values.
#pragma once

#include <cstdint>
#include <optional>

#include "checkpoint/safetensors.h"

namespace ivl {

struct NonFinite {
  uint64_t count = 0;             // NaN and infinite elements
  std::optional<uint64_t> first;  // index of the first in row-major order
};

// Reads the whole tensor. Error(Unsupported) unless it is F32, BF16 or F16.
NonFinite scan_non_finite(const TensorInfo& tensor);

}  // namespace ivl
