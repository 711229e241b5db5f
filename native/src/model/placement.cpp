#include "model/placement.h"

#include <algorithm>
#include <numeric>

namespace ivl {

std::string Placement::description() const {
  const std::string reason = not_on_gpu.empty() ? "" : "; not on a GPU: " + not_on_gpu;
  if (decoder.size() == 1) return decoder[0].backend->description() + reason;
  std::string text;
  int64_t first = 0;
  for (const Stage& stage : decoder) {
    text += cat(text.empty() ? "" : "; ", stage.backend->description(), ", layers ", first, " to ", first + stage.layers - 1);
    first += stage.layers;
  }
  return text;
}

std::vector<int64_t> split_layers(const PartBytes& bytes, int64_t layers, const std::vector<int64_t>& free) {
  const auto devices = free.size();
  std::vector<double> fixed(devices, static_cast<double>(bytes.each_stage));
  fixed.front() += static_cast<double>(bytes.vision + bytes.embeddings);
  fixed.back() += static_cast<double>(bytes.head);
  std::vector<int64_t> counts(devices, 0);
  // A layer at a time to the device that is least full with it; the order of layers follows the devices', so only counts
  // matter.
  for (int64_t layer = 0; layer < layers; ++layer) {
    size_t best = 0;
    double least = 0;
    for (size_t i = 0; i < devices; ++i) {
      const double room = std::max<double>(1, static_cast<double>(free[i]));
      const double full = (fixed[i] + static_cast<double>(counts[i] + 1) * static_cast<double>(bytes.layer)) / room;
      if (i == 0 || full < least) {
        best = i;
        least = full;
      }
    }
    ++counts[best];
  }
  return counts;
}

}  // namespace ivl
