// The vector register of AVX-512 (F, BW, VL, DQ): sixteen floats. With IVL_SIMDE the same source runs anywhere, its
// intrinsics replaced by SIMDe's functions: that is how machines without AVX-512 test it.
// See simd_avx2.h for what each function promises.
#pragma once

#include <immintrin.h>

#include <cstdint>

#ifdef IVL_SIMDE
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include "cpu/isa/simde_gaps.h"
#endif

namespace ivl::cpu {
namespace {

constexpr int kRegLanes = 16;
#ifdef IVL_SIMDE
using Reg = simde__m512;
#else
using Reg = __m512;
#endif
using RegMask = uint16_t;

inline Reg reg_zero() { return _mm512_setzero_ps(); }
inline Reg reg_set(float x) { return _mm512_set1_ps(x); }
inline Reg reg_load(const float* p) { return _mm512_loadu_ps(p); }
inline void reg_store(float* p, Reg v) { _mm512_storeu_ps(p, v); }

inline RegMask first_lanes(int64_t n) {
  return n <= 0 ? RegMask{0} : n >= 16 ? RegMask{0xffff} : static_cast<RegMask>((1u << n) - 1u);
}
inline Reg reg_load_part(const float* p, int64_t n) { return _mm512_maskz_loadu_ps(first_lanes(n), p); }
inline void reg_store_part(float* p, Reg v, int64_t n) { _mm512_mask_storeu_ps(p, first_lanes(n), v); }

inline Reg reg_add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
inline Reg reg_sub(Reg a, Reg b) { return _mm512_sub_ps(a, b); }
inline Reg reg_mul(Reg a, Reg b) { return _mm512_mul_ps(a, b); }
inline Reg reg_div(Reg a, Reg b) { return _mm512_div_ps(a, b); }
inline Reg reg_fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
inline Reg reg_select(RegMask mask, Reg a, Reg b) { return _mm512_mask_blend_ps(mask, b, a); }
inline RegMask reg_less(Reg a, Reg b) { return static_cast<RegMask>(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ)); }
inline Reg reg_max(Reg a, Reg b) { return _mm512_max_ps(a, b); }
inline Reg reg_min(Reg a, Reg b) { return _mm512_min_ps(a, b); }
inline Reg reg_abs(Reg a) { return _mm512_castsi512_ps(_mm512_and_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(0x7fffffff))); }
inline Reg reg_shift_left_23(Reg a) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), 23)); }

inline __m256i load_16_halves(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline Reg reg_load_bf16(const void* p) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(load_16_halves(p)), 16));
}
inline void reg_load_bf16_pairs(const void* p, Reg& even, Reg& odd) {
  const auto bits = _mm512_loadu_si512(p);
  even = _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
  odd = _mm512_castsi512_ps(_mm512_and_epi32(bits, _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
}
inline Reg reg_load_f16(const void* p) { return _mm512_cvtph_ps(load_16_halves(p)); }
inline Reg reg_load_int8(const void* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p))));
}
inline void reg_store_bf16(void* p, Reg v) {
  const auto bits = _mm512_castps_si512(v);
  const auto odd = _mm512_and_epi32(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const auto rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  const auto quiet = _mm512_or_epi32(bits, _mm512_set1_epi32(0x400000));
  const RegMask nan = static_cast<RegMask>(_mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q));
  const auto high = _mm512_srli_epi32(_mm512_mask_blend_epi32(nan, rounded, quiet), 16);
  _mm256_storeu_si256(static_cast<__m256i*>(p), _mm512_cvtepi32_epi16(high));
}
// A number in bf16, and one in f16, in all lanes.
inline Reg reg_set_bf16(uint16_t bits) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_set1_epi16(static_cast<int16_t>(bits)), 16));
}
inline Reg reg_set_f16(uint16_t bits) { return _mm512_cvtph_ps(_mm256_set1_epi16(static_cast<int16_t>(bits))); }
// To bf16 and back; not of NaN.
inline Reg reg_round_bf16(Reg v) {
  const auto bits = _mm512_castps_si512(v);
  const auto odd = _mm512_and_epi32(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const auto rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  return _mm512_castsi512_ps(_mm512_and_epi32(rounded, _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
}
inline void reg_store_f16(void* p, Reg v) {
  _mm256_storeu_si256(static_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

// Sixteen registers as rows become columns.
inline void reg_transpose(Reg* v) {
  Reg pairs[16], fours[16];
  const auto low = [](Reg a, Reg b) {
    return _mm512_castsi512_ps(_mm512_unpacklo_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
  };
  const auto high = [](Reg a, Reg b) {
    return _mm512_castsi512_ps(_mm512_unpackhi_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
  };
  const auto low_pair = [](Reg a, Reg b) {
    return _mm512_castsi512_ps(_mm512_unpacklo_epi64(_mm512_castps_si512(a), _mm512_castps_si512(b)));
  };
  const auto high_pair = [](Reg a, Reg b) {
    return _mm512_castsi512_ps(_mm512_unpackhi_epi64(_mm512_castps_si512(a), _mm512_castps_si512(b)));
  };
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = low(v[i], v[i + 1]);
    pairs[i + 1] = high(v[i], v[i + 1]);
  }
  // fours[4 g + c], quarter q: column 4 q + c of rows 4 g to 4 g + 3.
  for (int i = 0; i < 16; i += 4) {
    fours[i] = low_pair(pairs[i], pairs[i + 2]);
    fours[i + 1] = high_pair(pairs[i], pairs[i + 2]);
    fours[i + 2] = low_pair(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = high_pair(pairs[i + 1], pairs[i + 3]);
  }
  for (int c = 0; c < 4; ++c) {
    const Reg even[2] = {_mm512_shuffle_f32x4(fours[c], fours[4 + c], 0x88),
                         _mm512_shuffle_f32x4(fours[8 + c], fours[12 + c], 0x88)};
    const Reg odd[2] = {_mm512_shuffle_f32x4(fours[c], fours[4 + c], 0xdd),
                        _mm512_shuffle_f32x4(fours[8 + c], fours[12 + c], 0xdd)};
    v[c] = _mm512_shuffle_f32x4(even[0], even[1], 0x88);
    v[4 + c] = _mm512_shuffle_f32x4(odd[0], odd[1], 0x88);
    v[8 + c] = _mm512_shuffle_f32x4(even[0], even[1], 0xdd);
    v[12 + c] = _mm512_shuffle_f32x4(odd[0], odd[1], 0xdd);
  }
}

// The sums of four registers' lanes, each as lane i += lane i + 8, + 4, + 2, + 1.
inline void reg_sum4(const Reg* v, float* out) {
  const Reg ab = _mm512_add_ps(_mm512_shuffle_f32x4(v[0], v[1], 0x44), _mm512_shuffle_f32x4(v[0], v[1], 0xee));
  const Reg cd = _mm512_add_ps(_mm512_shuffle_f32x4(v[2], v[3], 0x44), _mm512_shuffle_f32x4(v[2], v[3], 0xee));
  const Reg four = _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
  const Reg two = _mm512_add_ps(four, _mm512_permute_ps(four, 0x4e));
  const Reg one = _mm512_add_ps(two, _mm512_permute_ps(two, 0xb1));
  const Reg packed = _mm512_permutexvar_ps(_mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 8, 4, 0), one);
  _mm_storeu_ps(out, _mm512_castps512_ps128(packed));
}

inline float reg_max_lane(Reg v) {
  v = reg_max(v, _mm512_shuffle_f32x4(v, v, 0x4e));
  v = reg_max(v, _mm512_shuffle_f32x4(v, v, 0xb1));
  v = reg_max(v, _mm512_permute_ps(v, 0x4e));
  return _mm_cvtss_f32(_mm512_castps512_ps128(reg_max(v, _mm512_permute_ps(v, 0xb1))));
}

// ---- bytes ----------------------------------------------------------------------------------------------------------

#ifdef IVL_SIMDE
using IntReg = simde__m512i;
#else
using IntReg = __m512i;
#endif
using ByteReg = IntReg;

inline IntReg int_zero() { return _mm512_setzero_si512(); }
inline IntReg int_set(int32_t x) { return _mm512_set1_epi32(x); }
inline IntReg int_load(const int32_t* p) { return _mm512_loadu_si512(p); }
inline void int_store(int32_t* p, IntReg v) { _mm512_storeu_si512(p, v); }
inline IntReg int_add(IntReg a, IntReg b) { return _mm512_add_epi32(a, b); }
// 32 words of 16 bits; lane i has the words i and 16 + i.
inline void int_load_words(const void* p, IntReg* lanes) {
  alignas(64) constexpr uint16_t kPlaces[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  lanes[0] = _mm512_permutexvar_epi16(_mm512_load_si512(kPlaces), _mm512_loadu_si512(p));
}
inline IntReg int_shift_right(IntReg v, int bits) { return _mm512_srli_epi32(v, static_cast<unsigned>(bits)); }
// Of sixteen floats that the lanes' low four bits choose.
inline Reg reg_lookup(const Reg* table, IntReg at) { return _mm512_permutexvar_ps(at, table[0]); }
inline Reg reg_of_ints(IntReg v) { return _mm512_cvtepi32_ps(v); }
inline Reg reg_of_bits(IntReg v) { return _mm512_castsi512_ps(v); }
inline IntReg bits_of(Reg v) { return _mm512_castps_si512(v); }
#ifdef IVL_VNNI
constexpr int kIntBytes = 64;
inline ByteReg load_unsigned(const uint8_t* p) { return _mm512_loadu_si512(p); }
inline ByteReg load_signed(const int8_t* p) { return _mm512_loadu_si512(p); }
inline IntReg int_dot(IntReg acc, ByteReg a, ByteReg b) {
  // Not _mm512_dpbusd_epi32: around it GCC 12 copies and spills accumulators, three moves for each product.
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
  return acc;
}
#else
constexpr int kIntBytes = 32;
inline ByteReg load_unsigned(const uint8_t* p) {
  return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline ByteReg load_signed(const int8_t* p) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline IntReg int_dot(IntReg acc, ByteReg a, ByteReg b) {
#ifdef IVL_SIMDE
  return _mm512_add_epi32(acc, _mm512_madd_epi16(a, b));
#else  // as in simd_avx2.h
  IntReg products;
  asm("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+v"(acc), "=&v"(products) : "v"(a), "v"(b));
  return acc;
#endif
}
#endif
// Within each 128-bit quarter the lanes of the four are brought together by two steps of unpacking; then the quarters.
inline void int_sum4(const IntReg* v, int32_t* out) {
  const IntReg ab = _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
  const IntReg cd = _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
  const IntReg four = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i two = _mm256_add_epi32(_mm512_castsi512_si256(four), _mm512_extracti64x4_epi64(four, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_add_epi32(_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1)));
}

}  // namespace
}  // namespace ivl::cpu
