#include "train/micro_batch.h"

namespace ivl {

void MicroBatch::append(std::span<const int32_t> tokens, std::span<const int32_t> labels, int32_t image_token) {
  const int64_t first = rows();
  samples.push_back({first, static_cast<int64_t>(tokens.size())});
  bool within = false;  // a run of placeholders
  for (size_t i = 0; i < tokens.size(); ++i) {
    const int64_t row = first + static_cast<int64_t>(i);
    ids.push_back(tokens[i]);
    if (tokens[i] == image_token) {
      if (!within) placeholders.push_back({row, 0});
      ++placeholders.back().rows;
    }
    within = tokens[i] == image_token;
    if (i == 0 || labels[i] == kIgnored) continue;
    lessons.rows.push_back(static_cast<int32_t>(row - 1));
    lessons.labels.push_back(labels[i]);
  }
}

}  // namespace ivl
