// The number formats of weights, caches and activations.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ivl {

enum class DType : uint8_t { F32, BF16, F16 };

constexpr size_t size_of(DType type) { return type == DType::F32 ? 4 : 2; }

constexpr const char* name_of(DType type) { return type == DType::F32 ? "f32" : type == DType::BF16 ? "bf16" : "f16"; }

// bfloat16 is the upper half of a binary32.
inline float bf16_to_f32(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

// Round to nearest, ties to even; NaN stays NaN.
inline uint16_t f32_to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

inline float f16_to_f32(uint16_t bits) {
  const uint32_t sign = uint32_t{bits & 0x8000u} << 16;
  const uint32_t exponent = (bits >> 10) & 0x1fu;
  const uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float subnormal = static_cast<float>(mantissa) * 0x1p-24f;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(subnormal));
}

// Round to nearest, ties to even; overflow becomes infinity, NaN stays NaN.
inline uint16_t f32_to_f16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);
  if (magnitude < 0x38800000u) {  // subnormal in f16: let the FPU round at the right place
    const float shifted = std::bit_cast<float>(magnitude) + 0x1p-1f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u));
  }
  const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

inline float load_f32(const void* data, DType type, size_t index) {
  const char* at = static_cast<const char*>(data) + index * size_of(type);
  if (type == DType::F32) {
    float value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  return type == DType::BF16 ? bf16_to_f32(bits) : f16_to_f32(bits);
}

inline void store_f32(void* data, DType type, size_t index, float value) {
  char* at = static_cast<char*>(data) + index * size_of(type);
  if (type == DType::F32) {
    std::memcpy(at, &value, sizeof value);
    return;
  }
  const uint16_t bits = type == DType::BF16 ? f32_to_bf16(value) : f32_to_f16(value);
  std::memcpy(at, &bits, sizeof bits);
}

// The value as the type holds it.
inline float rounded_to(DType type, float value) {
  float stored = 0;  // with room for any type
  store_f32(&stored, type, 0, value);
  return load_f32(&stored, type, 0);
}

}  // namespace ivl
