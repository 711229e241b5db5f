// Digests (quantize.h) by their definition.
#pragma once

#include <vector>

#include "quantize.h"
#include "tests/kernel_test.h"

namespace kernel_test {

// Of dense rows, one behind the other.
template <class T>
std::vector<gpu::Digest> digests_of(const std::vector<T>& values) {
  std::vector<gpu::Digest> digests(values.size() / gpu::kDigestColumns);
  for (size_t i = 0; i < digests.size(); i++) {
    gpu::Digest largest = 0, outliers = 0;
    for (size_t c = 0; c < gpu::kDigestColumns; c++) {
      const T x = values[i * gpu::kDigestColumns + c];
      if (std::fabs(gpu::to_float(x)) < gpu::kOutlier) {
        largest = std::max<gpu::Digest>(largest, x.bits & 0x7fffu);
      } else {
        outliers |= gpu::Digest{1} << c;
      }
    }
    digests[i] = largest | outliers << 16;
  }
  return digests;
}

}  // namespace kernel_test
