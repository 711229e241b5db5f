// Which patch pixel shuffle puts where (rows.h): one place for the kernels that move patches and those that normalize them on
// the way.
#pragma once

#include "device/gpu.h"
#include "rows.h"

namespace gpu {

// The row of (pictures * (1 + grid^2), cols) whose elements become part `part` of output row `row`; class tokens are left out.
GPU_DEVICE int64_t patch_of(const PixelShuffle& shuffle, int64_t row, int part) {
  const int side = shuffle.grid / shuffle.factor;
  const int64_t picture = row / (side * side);
  const int first = static_cast<int>(row / side % side);
  const int second = static_cast<int>(row % side);
  const int x = (shuffle.swap_back ? second : first) * shuffle.factor + part % shuffle.factor;
  const int y = (shuffle.swap_back ? first : second) * shuffle.factor + part / shuffle.factor;
  return picture * (1 + shuffle.grid * shuffle.grid) + 1 + y * shuffle.grid + x;
}

}  // namespace gpu
