// Samples that pass the model together. Their rows lie one behind another, without padding: nobody would see it.
#pragma once

#include <vector>

#include "train/trained_head.h"

namespace ivl {

struct MicroBatch {
  std::vector<int32_t> ids;
  std::vector<Sequence> samples;
  Lessons lessons;
  struct Placeholders {
    int64_t row = 0, rows = 0;
  };
  std::vector<Placeholders> placeholders;  // runs of rows that are images', in their order
  int64_t pictures = 0;
  std::vector<float> pixels;    // (pictures, channels * S * S), or else
  std::vector<float> features;  // (pictures * tokens_per_image, decoder width)

  bool empty() const { return samples.empty(); }
  int64_t rows() const { return static_cast<int64_t>(ids.size()); }
  int64_t learnt() const { return static_cast<int64_t>(lessons.rows.size()); }

  // Appends a sample: label i is token i or kIgnored. What is learnt of it is, from each row, the next one's token.
  static constexpr int32_t kIgnored = -100;
  void append(std::span<const int32_t> tokens, std::span<const int32_t> labels, int32_t image_token);
};

}  // namespace ivl
