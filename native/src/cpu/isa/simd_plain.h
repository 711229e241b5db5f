// The vector register of the baseline: four floats, in GCC's and clang's vector extensions (SSE2 on x86-64, NEON on
// ARM). It has no fused multiply-add, so its results may differ from the other variants' in the last bits; order and
// structure are the same. See simd_avx2.h for what each function promises.
#pragma once

#include <cstdint>

namespace ivl::cpu {
namespace {

constexpr int kRegLanes = 4;
typedef float Reg __attribute__((vector_size(16)));
typedef uint32_t RegBits __attribute__((vector_size(16)));
typedef int32_t RegMask __attribute__((vector_size(16)));

inline Reg reg_zero() { return Reg{0, 0, 0, 0}; }
inline Reg reg_set(float x) { return Reg{x, x, x, x}; }
inline Reg reg_load(const float* p) {
  Reg r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}
inline void reg_store(float* p, Reg v) { __builtin_memcpy(p, &v, sizeof v); }
inline Reg reg_load_part(const float* p, int64_t n) {
  float lanes[4] = {0, 0, 0, 0};
  for (int64_t i = 0; i < 4 && i < n; ++i) lanes[i] = p[i];
  return reg_load(lanes);
}
inline void reg_store_part(float* p, Reg v, int64_t n) {
  for (int64_t i = 0; i < 4 && i < n; ++i) p[i] = v[i];
}

inline Reg reg_add(Reg a, Reg b) { return a + b; }
inline Reg reg_sub(Reg a, Reg b) { return a - b; }
inline Reg reg_mul(Reg a, Reg b) { return a * b; }
inline Reg reg_div(Reg a, Reg b) { return a / b; }
inline Reg reg_fma(Reg a, Reg b, Reg c) { return a * b + c; }
inline Reg reg_select(RegMask mask, Reg a, Reg b) { return (Reg)(((RegMask)a & mask) | ((RegMask)b & ~mask)); }
inline RegMask reg_less(Reg a, Reg b) { return a < b; }
inline Reg reg_max(Reg a, Reg b) { return reg_select(a > b, a, b); }
inline Reg reg_min(Reg a, Reg b) { return reg_select(a < b, a, b); }
inline Reg reg_abs(Reg a) { return (Reg)((RegBits)a & 0x7fffffffu); }
inline Reg reg_shift_left_23(Reg a) { return (Reg)((RegBits)a << 23); }

inline uint16_t load_u16(const void* p, int64_t i) {
  uint16_t bits;
  __builtin_memcpy(&bits, static_cast<const char*>(p) + 2 * i, 2);
  return bits;
}
inline void store_u16(void* p, int64_t i, uint16_t bits) { __builtin_memcpy(static_cast<char*>(p) + 2 * i, &bits, 2); }

inline Reg reg_load_bf16(const void* p) {
  RegBits bits = {load_u16(p, 0), load_u16(p, 1), load_u16(p, 2), load_u16(p, 3)};
  return (Reg)(bits << 16);
}
inline void reg_load_bf16_pairs(const void* p, Reg& even, Reg& odd) {
  RegBits bits;
  __builtin_memcpy(&bits, p, sizeof bits);
  even = (Reg)(bits << 16);
  odd = (Reg)(bits & 0xffff0000u);
}
inline Reg reg_load_f16(const void* p) {
  const RegBits half = {load_u16(p, 0), load_u16(p, 1), load_u16(p, 2), load_u16(p, 3)};
  const RegBits sign = (half & 0x8000u) << 16;
  // As a binary32 with the exponent 112 too low; scaling by 2^112 is exact and makes subnormals normal.
  const RegBits shifted = (half & 0x7fffu) << 13;
  const RegBits finite = (RegBits)((Reg)shifted * 0x1p112f);
  const RegBits special = shifted | 0x7f800000u;
  const RegMask is_special = (RegMask)(shifted >= 0x0f800000u);
  return (Reg)(sign | (special & (RegBits)is_special) | (finite & ~(RegBits)is_special));
}
inline Reg reg_load_int8(const void* p) {
  const auto* bytes = static_cast<const int8_t*>(p);
  return Reg{static_cast<float>(bytes[0]), static_cast<float>(bytes[1]), static_cast<float>(bytes[2]),
             static_cast<float>(bytes[3])};
}
inline void reg_store_bf16(void* p, Reg v) {
  for (int i = 0; i < 4; ++i) {
    uint32_t bits;
    const float x = v[i];
    __builtin_memcpy(&bits, &x, 4);
    const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    store_u16(p, i, static_cast<uint16_t>(nan ? (bits >> 16) | 0x40u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16));
  }
}
// A number in bf16, and one in f16, in all lanes.
inline Reg reg_set_bf16(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  return (Reg)RegBits{wide, wide, wide, wide};
}
inline Reg reg_set_f16(uint16_t bits) {
  const uint16_t lanes[4] = {bits, bits, bits, bits};
  return reg_load_f16(lanes);
}
// To bf16 and back; not of NaN.
inline Reg reg_round_bf16(Reg v) {
  const RegBits bits = (RegBits)v;
  return (Reg)((bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u);
}
inline void reg_store_f16(void* p, Reg v) {
  for (int i = 0; i < 4; ++i) {
    uint32_t bits;
    float x = v[i];
    __builtin_memcpy(&bits, &x, 4);
    const uint32_t sign = (bits >> 16) & 0x8000u;
    const uint32_t magnitude = bits & 0x7fffffffu;
    uint32_t half;
    if (magnitude > 0x7f800000u) {
      half = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
    } else if (magnitude >= 0x477ff000u) {
      half = 0x7c00u;
    } else if (magnitude < 0x38800000u) {  // subnormal in f16: adding 1/2 lets the FPU round at the right place
      x = (x < 0 ? -x : x) + 0.5f;
      __builtin_memcpy(&bits, &x, 4);
      half = bits - 0x3f000000u;
    } else {
      half = (magnitude + 0xfffu + ((magnitude >> 13) & 1u) - 0x38000000u) >> 13;
    }
    store_u16(p, i, static_cast<uint16_t>(sign | half));
  }
}

// Four registers as rows become columns.
inline void reg_transpose(Reg* v) {
  Reg columns[4];
  for (int r = 0; r < 4; ++r) {
    for (int c = 0; c < 4; ++c) columns[c][r] = v[r][c];
  }
  for (int c = 0; c < 4; ++c) v[c] = columns[c];
}

// The sums of four registers' lanes, each as (0 + 2) + (1 + 3).
inline void reg_sum4(const Reg* v, float* out) {
  for (int i = 0; i < 4; ++i) out[i] = (v[i][0] + v[i][2]) + (v[i][1] + v[i][3]);
}

inline float reg_max_lane(Reg v) {
  const float low = v[0] > v[2] ? v[0] : v[2], high = v[1] > v[3] ? v[1] : v[3];
  return low > high ? low : high;
}

// ---- bytes: four products at a time -------------------------------------------------------------------------------

constexpr int kIntBytes = 4;
typedef int32_t IntReg __attribute__((vector_size(16)));
using ByteReg = IntReg;

inline IntReg int_zero() { return IntReg{0, 0, 0, 0}; }
inline IntReg int_set(int32_t x) { return IntReg{x, x, x, x}; }
inline IntReg int_load(const int32_t* p) {
  IntReg v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void int_store(int32_t* p, IntReg v) { __builtin_memcpy(p, &v, sizeof v); }
inline IntReg int_add(IntReg a, IntReg b) { return a + b; }
// 32 words of 16 bits; lane i of all registers' sixteen has the words i and 16 + i.
inline void int_load_words(const void* p, IntReg* lanes) {
  for (int i = 0; i < 16; ++i)
    lanes[i / 4][i % 4] = static_cast<int32_t>(load_u16(p, i) | static_cast<uint32_t>(load_u16(p, 16 + i)) << 16);
}
inline IntReg int_shift_right(IntReg v, int bits) { return (IntReg)((RegBits)v >> static_cast<uint32_t>(bits)); }
// Of sixteen floats that the lanes' low four bits choose.
inline Reg reg_lookup(const Reg* table, IntReg at) {
  return Reg{table[(at[0] & 15) / 4][at[0] & 3], table[(at[1] & 15) / 4][at[1] & 3], table[(at[2] & 15) / 4][at[2] & 3],
             table[(at[3] & 15) / 4][at[3] & 3]};
}
inline Reg reg_of_ints(IntReg v) { return __builtin_convertvector(v, Reg); }
inline Reg reg_of_bits(IntReg v) { return (Reg)v; }
inline IntReg bits_of(Reg v) { return (IntReg)v; }
inline ByteReg load_unsigned(const uint8_t* p) { return ByteReg{p[0], p[1], p[2], p[3]}; }
inline ByteReg load_signed(const int8_t* p) { return ByteReg{p[0], p[1], p[2], p[3]}; }
inline IntReg int_dot(IntReg acc, ByteReg a, ByteReg b) { return acc + a * b; }
inline void int_sum4(const IntReg* v, int32_t* out) {
  for (int i = 0; i < 4; ++i) out[i] = v[i][0] + v[i][1] + v[i][2] + v[i][3];
}

}  // namespace
}  // namespace ivl::cpu
