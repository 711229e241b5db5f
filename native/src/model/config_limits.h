// What a size in a configuration may be, and the checks that several of its readers make.
#pragma once

#include <cstdint>
#include <string>

#include "checkpoint/config_section.h"
#include "tensor/error.h"

namespace ivl {

// Far beyond any real model, and small enough that every product of them that a size is computed from (layers *
// context * width * bytes is the largest) stays below 2^63.
constexpr int64_t kMaxWidth = int64_t{1} << 20;  // hidden sizes
constexpr int64_t kMaxLayers = int64_t{1} << 12;
constexpr int64_t kMaxHeads = int64_t{1} << 12;
constexpr int64_t kMaxExperts = int64_t{1} << 18;      // of all layers
constexpr int64_t kMaxExpertWidth = int64_t{1} << 22;  // of all experts of a layer
constexpr int64_t kMaxVocab = int64_t{1} << 26;
constexpr int64_t kMaxContext = int64_t{1} << 26;
constexpr int64_t kMaxImage = int64_t{1} << 14;
constexpr int64_t kMaxTiles = int64_t{1} << 10;
constexpr int64_t kMaxHeadDim = 256;  // what the attention kernels are written for

// `value` is the field's, or its default.
inline void require_divisible(const ConfigSection& section, const char* field, int64_t value, const char* divisor_name,
                              int64_t divisor) {
  if (value % divisor == 0) return;
  section.expected(field, cat("a multiple of ", divisor_name, " (", divisor, ")"), std::to_string(value));
}

inline void require_head_dim(const ConfigSection& section, const char* field, int64_t head_dim) {
  if (head_dim % 8 == 0 && head_dim <= kMaxHeadDim) return;
  section.unsupported(field, cat("multiples of 8 up to ", kMaxHeadDim, " a head (here ", head_dim, ")"));
}

inline void require_text(const ConfigSection& section, const char* field, const std::string& only) {
  if (section.text(field, only) != only) section.unsupported(field, only);
}

}  // namespace ivl
