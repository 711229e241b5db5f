// What stands at a position of a sequence: a token, or a row of a certain picture's features. Where two sequences have the same keys
// from the beginning on, their caches hold the same bits.
#pragma once

#include <cstdint>

namespace ivl {

using PositionKey = uint64_t;

namespace position_key {
// Tokens are 32-bit, so the top bits are free for marks.
constexpr PositionKey kPictureBit = PositionKey{1} << 63;
constexpr PositionKey kLongBit = PositionKey{1} << 62;
constexpr int kRowBits = 24;
}  // namespace position_key

inline PositionKey token_key(int32_t token) { return static_cast<uint32_t>(token); }

inline PositionKey picture_key(uint64_t features_id, int64_t row) {
  return position_key::kPictureBit | (features_id << position_key::kRowBits) | static_cast<uint64_t>(row);
}

inline bool is_picture(PositionKey key) { return (key & position_key::kPictureBit) != 0; }

// The same in a prompt that turns by the long factors (rope.h): what was computed for the one does not do for the other.
inline PositionKey turned_long(PositionKey key) { return key | position_key::kLongBit; }

}  // namespace ivl
