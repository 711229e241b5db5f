// The vector register of AVX2 + FMA + F16C: eight floats.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace ivl::cpu {
namespace {

constexpr int kRegLanes = 8;
using Reg = __m256;
using RegMask = __m256;

inline Reg reg_zero() { return _mm256_setzero_ps(); }
inline Reg reg_set(float x) { return _mm256_set1_ps(x); }
inline Reg reg_load(const float* p) { return _mm256_loadu_ps(p); }
inline void reg_store(float* p, Reg v) { _mm256_storeu_ps(p, v); }

inline __m256i first_lanes(int64_t n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const int count = n < 0 ? 0 : n > 8 ? 8 : static_cast<int>(n);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane);
}
// The first n lanes, zeros in the others; memory past them is not touched. n below 0 counts as 0, above 8 as 8.
inline Reg reg_load_part(const float* p, int64_t n) { return _mm256_maskload_ps(p, first_lanes(n)); }
inline void reg_store_part(float* p, Reg v, int64_t n) { _mm256_maskstore_ps(p, first_lanes(n), v); }

inline Reg reg_add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
inline Reg reg_sub(Reg a, Reg b) { return _mm256_sub_ps(a, b); }
inline Reg reg_mul(Reg a, Reg b) { return _mm256_mul_ps(a, b); }
inline Reg reg_div(Reg a, Reg b) { return _mm256_div_ps(a, b); }
inline Reg reg_fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
// mask ? a : b.
inline Reg reg_select(RegMask mask, Reg a, Reg b) { return _mm256_blendv_ps(b, a, mask); }
// False where either is NaN.
inline RegMask reg_less(Reg a, Reg b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
// b where either is NaN.
inline Reg reg_max(Reg a, Reg b) { return _mm256_max_ps(a, b); }
inline Reg reg_min(Reg a, Reg b) { return _mm256_min_ps(a, b); }
inline Reg reg_abs(Reg a) { return _mm256_and_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff))); }
// The bits shifted: an integer in the low bits becomes an exponent.
inline Reg reg_shift_left_23(Reg a) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 23)); }

inline __m128i load_8_halves(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
inline Reg reg_load_bf16(const void* p) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_8_halves(p)), 16));
}
// Elements 0, 2, ... and 1, 3, ... of twice a register's lanes.
inline void reg_load_bf16_pairs(const void* p, Reg& even, Reg& odd) {
  const __m256i bits = _mm256_loadu_si256(static_cast<const __m256i*>(p));
  even = _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
  odd = _mm256_castsi256_ps(_mm256_and_si256(bits, _mm256_set1_epi32(static_cast<int>(0xffff0000u))));
}
inline Reg reg_load_f16(const void* p) { return _mm256_cvtph_ps(load_8_halves(p)); }
inline Reg reg_load_int8(const void* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p))));
}
inline void reg_store_bf16(void* p, Reg v) {
  const __m256i bits = _mm256_castps_si256(v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  const __m256i high = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(high, high), 0x08);
  _mm_storeu_si128(static_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
}
// A number in bf16, and one in f16, in all lanes.
inline Reg reg_set_bf16(uint16_t bits) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_set1_epi16(static_cast<int16_t>(bits)), 16));
}
inline Reg reg_set_f16(uint16_t bits) { return _mm256_cvtph_ps(_mm_set1_epi16(static_cast<int16_t>(bits))); }
// To bf16 and back; not of NaN.
inline Reg reg_round_bf16(Reg v) {
  const __m256i bits = _mm256_castps_si256(v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
  return _mm256_castsi256_ps(_mm256_and_si256(rounded, _mm256_set1_epi32(static_cast<int>(0xffff0000u))));
}
inline void reg_store_f16(void* p, Reg v) {
  _mm_storeu_si128(static_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

// Eight registers as rows become columns.
inline void reg_transpose(Reg* v) {
  Reg pairs[8], fours[8];
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
  }
  // fours[4 g + c], half h: column 4 h + c of rows 4 g to 4 g + 3.
  for (int i = 0; i < 8; i += 4) {
    fours[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
    fours[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
    fours[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
    fours[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
  }
  for (int c = 0; c < 4; ++c) {
    v[c] = _mm256_permute2f128_ps(fours[c], fours[4 + c], 0x20);
    v[4 + c] = _mm256_permute2f128_ps(fours[c], fours[4 + c], 0x31);
  }
}

// The sums of four registers' lanes, each as lane i += lane i + 4, + 2, + 1.
inline void reg_sum4(const Reg* v, float* out) {
  // A blend and a swap bring both halves of two registers together: [v0 | v1], addition being commutative.
  const Reg ab = _mm256_add_ps(_mm256_blend_ps(v[0], v[1], 0xf0), _mm256_permute2f128_ps(v[0], v[1], 0x21));
  const Reg cd = _mm256_add_ps(_mm256_blend_ps(v[2], v[3], 0xf0), _mm256_permute2f128_ps(v[2], v[3], 0x21));
  const Reg two = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
  const Reg one = _mm256_add_ps(two, _mm256_movehdup_ps(two));  // lanes 0: v0, 2: v2, 4: v1, 6: v3
  const __m128 low = _mm256_castps256_ps128(one), high = _mm256_extractf128_ps(one, 1);
  const __m128 pairs = _mm_shuffle_ps(low, high, 0x88);  // v0 v2 v1 v3
  _mm_storeu_ps(out, _mm_shuffle_ps(pairs, pairs, 0xd8));
}

inline float reg_max_lane(Reg v) {
  v = reg_max(v, _mm256_permute2f128_ps(v, v, 0x01));
  v = reg_max(v, _mm256_permute_ps(v, 0x4e));
  return _mm256_cvtss_f32(reg_max(v, _mm256_permute_ps(v, 0xb1)));
}

// ---- bytes ----------------------------------------------------------------------------------------------------------

using IntReg = __m256i;
using ByteReg = __m256i;

inline IntReg int_zero() { return _mm256_setzero_si256(); }
inline IntReg int_set(int32_t x) { return _mm256_set1_epi32(x); }
inline IntReg int_load(const int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline void int_store(int32_t* p, IntReg v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
inline IntReg int_add(IntReg a, IntReg b) { return _mm256_add_epi32(a, b); }
// 32 words of 16 bits; lane i of both registers' sixteen has the words i and 16 + i.
inline void int_load_words(const void* p, IntReg* lanes) {
  const __m256i low = _mm256_loadu_si256(static_cast<const __m256i*>(p)),
                high = _mm256_loadu_si256(static_cast<const __m256i*>(p) + 1);
  const __m256i first = _mm256_unpacklo_epi16(low, high), second = _mm256_unpackhi_epi16(low, high);
  lanes[0] = _mm256_permute2x128_si256(first, second, 0x20);
  lanes[1] = _mm256_permute2x128_si256(first, second, 0x31);
}
inline IntReg int_shift_right(IntReg v, int bits) { return _mm256_srli_epi32(v, bits); }
// Of sixteen floats that the lanes' low four bits choose: the low three in either half, the fourth, moved to the sign, which half.
inline Reg reg_lookup(const Reg* table, IntReg at) {
  const Reg high = _mm256_castsi256_ps(_mm256_slli_epi32(at, 28));
  return _mm256_blendv_ps(_mm256_permutevar8x32_ps(table[0], at), _mm256_permutevar8x32_ps(table[1], at), high);
}
inline Reg reg_of_ints(IntReg v) { return _mm256_cvtepi32_ps(v); }
inline Reg reg_of_bits(IntReg v) { return _mm256_castsi256_ps(v); }
inline IntReg bits_of(Reg v) { return _mm256_castps_si256(v); }
// load_unsigned and load_signed take kIntBytes bytes, so many for each of the kRegLanes lanes; int_dot adds the sum of a lane's
// products to acc's lane.
#ifdef IVL_VNNI
constexpr int kIntBytes = 32;
inline ByteReg load_unsigned(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline ByteReg load_signed(const int8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline IntReg int_dot(IntReg acc, ByteReg a, ByteReg b) {
  // As in simd_avx512.h; the prefix asks for the encoding that AVX-VNNI has and AVX-512 has not.
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(a), "x"(b));
  return acc;
}
#else
// Widened to 16 bits: _mm256_maddubs_epi16 would be faster and saturates.
constexpr int kIntBytes = 16;
inline ByteReg load_unsigned(const uint8_t* p) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline ByteReg load_signed(const int8_t* p) { return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
inline IntReg int_dot(IntReg acc, ByteReg a, ByteReg b) {
  // Not the two intrinsics: GCC 12 then has more in flight than there are registers, and spills accumulators. Where a peak is
  // measured, it would take the product out of the loop.
  IntReg products;
  asm("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(acc), "=&x"(products) : "x"(a), "x"(b));
  return acc;
}
#endif
inline void int_sum4(const IntReg* v, int32_t* out) {
  const __m256i four = _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_add_epi32(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1)));
}

}  // namespace
}  // namespace ivl::cpu
