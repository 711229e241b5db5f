// bfloat16 and IEEE half by their bits, rounding to nearest even as the device's conversions do.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace simt {

inline float bfloat16_to_float(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

inline uint16_t float_to_bfloat16(float x) {
  if (std::isnan(x)) {
    return 0x7fff;
  }
  const auto bits = std::bit_cast<uint32_t>(x);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline float half_to_float(uint16_t bits) {
  const uint32_t sign = (bits & 0x8000u) << 16;
  const uint32_t exponent = bits >> 10 & 31;
  const uint32_t fraction = bits & 1023;
  if (exponent == 0) {
    return std::copysign(static_cast<float>(fraction) * 0x1p-24f, std::bit_cast<float>(sign));
  }
  if (exponent == 31) {
    return fraction != 0 ? NAN : std::bit_cast<float>(sign | 0x7f800000u);
  }
  return std::bit_cast<float>(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

inline uint16_t float_to_half(float x) {
  const uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  if (std::isnan(x)) {
    return 0x7fff;
  }
  const float size = std::fabs(x);
  if (size >= 65520.0f) {
    return sign | 0x7c00;
  }
  // In units of the last place, which is 2^-24 for everything below 2^-14.
  const int exponent = std::max(size > 0 ? std::ilogb(size) : -14, -14);
  const auto units = static_cast<uint32_t>(std::nearbyint(std::ldexp(size, 10 - exponent)));
  return static_cast<uint16_t>(sign | (static_cast<uint32_t>(exponent + 14) * 1024 + units));
}

}  // namespace simt
