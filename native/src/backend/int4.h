// What int4 means here, on every backend: 16-bit weights that take four bits each. A row (an output) is cut into groups of
// neighbouring inputs; a group has a scale, and a weight is one of its sixteen values:
//
//   w = level(q) * scale, rounded to the scale's type (bf16 or f16).
//
// Nothing else is quantized: a product is, bit for bit, the one by these weights in 16 bits.
//
// A group that we make has kInt4Levels, those of NF4 (Dettmers et al., QLoRA, arXiv:2305.14314) in 127ths: of random weights they
// lose less than evenly spaced levels with a zero point, and need no zero point (java/bench/README.md). A group of another's
// making (AWQ) has a zero point z, and level(q) = q - z.
//
// Rows are padded to chunks of kInt4Chunk inputs in 64 bytes: 32 words of 16 bits, of which word w has the inputs w, 32 + w, 64 + w
// and 96 + w, from its lowest four bits on. So 32 neighbours lie at equal places of 32 words.
#pragma once

#include <cstdint>

#include "tensor/dtype.h"

namespace ivl {

inline constexpr int64_t kInt4Group = 64;  // inputs, of groups that we make
inline constexpr int64_t kInt4Chunk = 128;
inline constexpr int64_t kInt4ScaleBytes = 2;
// A group's inputs are a multiple of it.
inline constexpr int64_t kInt4GroupStep = 16;

inline constexpr int8_t kInt4Levels[16] = {-127, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127};

// Bytes of a row's values; its groups.
inline constexpr int64_t int4_stride(int64_t inputs) { return (inputs + kInt4Chunk - 1) / kInt4Chunk * (kInt4Chunk / 2); }
inline constexpr int64_t int4_groups(int64_t inputs, int64_t group) { return (inputs + group - 1) / group; }

// Where the q of an input lies: in which byte of the row, and behind how many bits.
struct Int4Place {
  int64_t byte;
  int shift;
};
inline constexpr Int4Place int4_place(int64_t input) {
  const int64_t at = input % kInt4Chunk, word = at % 32, place = at / 32;
  return {input / kInt4Chunk * (kInt4Chunk / 2) + 2 * word + place / 2, static_cast<int>(place % 2 * 4)};
}

// Rows of weights.
struct Int4Rows {
  const uint8_t* values = nullptr;  // (rows, int4_stride(inputs))
  const void* scales = nullptr;     // (rows, int4_groups(inputs, group)) of `type`
  const uint8_t* zeros = nullptr;   // likewise, zero points; null: the levels are kInt4Levels
  int64_t group = kInt4Group;       // inputs
  DType type = DType::BF16;         // of the scales, which weights are rounded to
  int64_t inputs = 0;

  int64_t stride() const { return int4_stride(inputs); }
  int64_t groups() const { return int4_groups(inputs, group); }
  // Those from a row on.
  Int4Rows from(int64_t row) const {
    Int4Rows rest = *this;
    rest.values += row * stride();
    rest.scales = static_cast<const char*>(scales) + row * groups() * kInt4ScaleBytes;
    if (zeros != nullptr) rest.zeros += row * groups();
    return rest;
  }
};

// One weight: what every backend's faster way is held against.
float int4_weight(const Int4Rows& rows, int64_t row, int64_t input);

}  // namespace ivl
