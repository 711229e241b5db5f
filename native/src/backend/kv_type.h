// What the numbers of a KV cache are. In int8 a row, the head_dim numbers of one token's key (or value) in one head, has a scale
// of its own:
//
//   x' = round(x / s), to nearest even,  s = max |x| of the row / 127.
//
// So a token's cached key is the same bytes in every company, and no later token changes them. A row with a number that is not
// finite has the scale NaN.
#pragma once

#include "tensor/dtype.h"

namespace ivl {

enum class KvType : uint8_t { F32, BF16, F16, Int8 };

constexpr KvType kv_type_of(DType type) {
  return type == DType::F32 ? KvType::F32 : type == DType::BF16 ? KvType::BF16 : KvType::F16;
}

// Not of Int8.
constexpr DType float_type_of(KvType type) {
  return type == KvType::F32 ? DType::F32 : type == KvType::BF16 ? DType::BF16 : DType::F16;
}

constexpr const char* name_of(KvType type) { return type == KvType::Int8 ? "int8" : name_of(float_type_of(type)); }

}  // namespace ivl
