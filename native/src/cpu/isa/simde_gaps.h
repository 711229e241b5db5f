// The AVX-512 intrinsics that SIMDe 0.7 lacks, from AVX2 halves. For tests only; needs -mavx2 -mf16c.
#pragma once

#include <immintrin.h>
#include <simde/x86/avx512.h>

#include <cstdint>

namespace ivl::cpu {
namespace {

inline simde__m512 gap_join(__m256 low, __m256 high) {
  const __m256 halves[2] = {low, high};
  simde__m512 r;
  __builtin_memcpy(&r, halves, sizeof r);
  return r;
}
inline __m256 gap_half(simde__m512 v, int half) {
  __m256 halves[2];
  __builtin_memcpy(halves, &v, sizeof halves);
  return halves[half];
}
inline simde__m512 gap_maskz_loadu_ps(uint16_t mask, const void* p) {
  float lanes[16];
  for (int i = 0; i < 16; ++i) lanes[i] = (mask >> i) & 1 ? static_cast<const float*>(p)[i] : 0.0f;
  simde__m512 r;
  __builtin_memcpy(&r, lanes, sizeof r);
  return r;
}
inline void gap_mask_storeu_ps(void* p, uint16_t mask, simde__m512 v) {
  float lanes[16];
  __builtin_memcpy(lanes, &v, sizeof lanes);
  for (int i = 0; i < 16; ++i) {
    if ((mask >> i) & 1) static_cast<float*>(p)[i] = lanes[i];
  }
}
inline simde__m512i gap_cvtepu16_epi32(__m256i v) {
  const __m256i halves[2] = {_mm256_cvtepu16_epi32(_mm256_castsi256_si128(v)),
                             _mm256_cvtepu16_epi32(_mm256_extracti128_si256(v, 1))};
  simde__m512i r;
  __builtin_memcpy(&r, halves, sizeof r);
  return r;
}
inline __m256i gap_cvtepi32_epi16(simde__m512i v) {
  uint32_t lanes[16];
  uint16_t low[16];
  __builtin_memcpy(lanes, &v, sizeof lanes);
  for (int i = 0; i < 16; ++i) low[i] = static_cast<uint16_t>(lanes[i]);
  __m256i r;
  __builtin_memcpy(&r, low, sizeof r);
  return r;
}
inline simde__m512i gap_cvtepi8_epi32(__m128i v) {
  const __m256i halves[2] = {_mm256_cvtepi8_epi32(v), _mm256_cvtepi8_epi32(_mm_srli_si128(v, 8))};
  simde__m512i r;
  __builtin_memcpy(&r, halves, sizeof r);
  return r;
}
inline simde__m512 gap_cvtepi32_ps(simde__m512i v) {
  __m256i halves[2];
  __builtin_memcpy(halves, &v, sizeof halves);
  return gap_join(_mm256_cvtepi32_ps(halves[0]), _mm256_cvtepi32_ps(halves[1]));
}
inline simde__m512 gap_cvtph_ps(__m256i v) {
  return gap_join(_mm256_cvtph_ps(_mm256_castsi256_si128(v)), _mm256_cvtph_ps(_mm256_extracti128_si256(v, 1)));
}
inline __m256i gap_cvtps_ph(simde__m512 v) {
  return _mm256_set_m128i(_mm256_cvtps_ph(gap_half(v, 1), _MM_FROUND_TO_NEAREST_INT),
                          _mm256_cvtps_ph(gap_half(v, 0), _MM_FROUND_TO_NEAREST_INT));
}

template <class Byte>
inline simde__m512i gap_widen_bytes(__m256i v) {
  Byte bytes[32];
  int16_t words[32];
  __builtin_memcpy(bytes, &v, sizeof bytes);
  for (int i = 0; i < 32; ++i) words[i] = bytes[i];
  simde__m512i r;
  __builtin_memcpy(&r, words, sizeof r);
  return r;
}

// Quarters of a (the lower two) and of b (the upper two), two bits of `order` for each.
inline simde__m512 gap_shuffle_f32x4(simde__m512 a, simde__m512 b, int order) {
  __m128 from[2][4], to[4];
  __builtin_memcpy(from[0], &a, sizeof a);
  __builtin_memcpy(from[1], &b, sizeof b);
  for (int i = 0; i < 4; ++i) to[i] = from[i / 2][(order >> (2 * i)) & 3];
  simde__m512 r;
  __builtin_memcpy(&r, to, sizeof r);
  return r;
}

}  // namespace
}  // namespace ivl::cpu

#undef _mm512_shuffle_f32x4
#define _mm512_shuffle_f32x4(a, b, order) gap_shuffle_f32x4(a, b, order)
#undef _mm512_madd_epi16
#define _mm512_madd_epi16(a, b) simde_mm512_madd_epi16(a, b)
#undef _mm512_cvtepu8_epi16
#define _mm512_cvtepu8_epi16(v) gap_widen_bytes<uint8_t>(v)
#undef _mm512_cvtepi8_epi16
#define _mm512_cvtepi8_epi16(v) gap_widen_bytes<int8_t>(v)
#define _mm512_maskz_loadu_ps(mask, p) gap_maskz_loadu_ps(mask, p)
#define _mm512_mask_storeu_ps(p, mask, v) gap_mask_storeu_ps(p, mask, v)
#undef _mm512_cvtepi8_epi32
#define _mm512_cvtepi8_epi32(v) gap_cvtepi8_epi32(v)
#undef _mm512_cvtepi32_ps
#define _mm512_cvtepi32_ps(v) gap_cvtepi32_ps(v)
#define _mm512_cvtepu16_epi32(v) gap_cvtepu16_epi32(v)
#define _mm512_cvtepi32_epi16(v) gap_cvtepi32_epi16(v)
#undef _mm512_cvtph_ps
#define _mm512_cvtph_ps(v) gap_cvtph_ps(v)
#undef _mm512_cvtps_ph
#define _mm512_cvtps_ph(v, rounding) gap_cvtps_ph(v)
#undef _mm512_permute_ps
#define _mm512_permute_ps(v, order) gap_join(_mm256_permute_ps(gap_half(v, 0), order), _mm256_permute_ps(gap_half(v, 1), order))
