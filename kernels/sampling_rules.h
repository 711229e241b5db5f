// The arithmetic by which logits become a token, the same on every backend: a token's probability is a whole number, its mass,
// and sums of masses are exact in any order. The CPU and a GPU therefore draw the same token from the same logits and random
// number.
//
// Plain C++ without CUDA's headers: kernels and the CPU's sampler (native/src/backend/sampling.cpp) both include it.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define SAMPLING_RULE __device__ __forceinline__
#else
#define SAMPLING_RULE inline
#endif

namespace sampling {

// The mass of the best score. Masses of 2^22 tokens still add up in 64 bits.
constexpr uint64_t kFullMass = uint64_t{1} << 40;

// Greater numbers have greater keys; both zeros have the same, NaN the greatest.
SAMPLING_RULE uint32_t key_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  constexpr uint32_t kSign = 0x80000000u;
  if (x != x) return 0xffffffffu;
  if (bits == kSign) return kSign;
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}
SAMPLING_RULE float value_of(uint32_t key) {
  constexpr uint32_t kSign = 0x80000000u;
  const uint32_t bits = (key & kSign) != 0 ? key ^ kSign : ~key;
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// The score of a token that was generated before (Keskar et al., "CTRL", 2019). Never fused with what is done to it next.
SAMPLING_RULE float penalised(float logit, float penalty) {
#if defined(__CUDACC__)
  return logit < 0 ? __fmul_rn(logit, penalty) : logit / penalty;
#else
  return logit < 0 ? logit * penalty : logit / penalty;
#endif
}

// How far a score lies below the best, in units of the temperature: 0 to infinity.
SAMPLING_RULE float distance_of(float score, float best, float temperature) {
  return score == best ? 0.0f : (best - score) / temperature;  // also where both are infinite
}

// e^-distance as a multiple of 1 / kFullMass, to 1e-8 of itself; nothing from 28 on, where it would be less than one. In whole
// numbers, which every processor multiplies to the same bits: 2^-distance' = 2^-whole * (1 - fraction * P(fraction)), the
// polynomial in units of 2^-32.
SAMPLING_RULE uint64_t mass_of(float distance) {
  if (!(distance < 28.0f)) return 0;
  constexpr uint64_t kLog2E = 3098164009u;                                                 // of 2^-31
  const uint64_t exponent = uint64_t{static_cast<uint32_t>(distance * 0x1p27f)} * kLog2E;  // of 2^-58
  const auto fraction = static_cast<uint32_t>(exponent >> 26);
  const auto times_fraction = [fraction](uint32_t x) { return static_cast<uint32_t>(uint64_t{fraction} * x >> 32); };
  uint32_t p = 470133u;
  p = 5481171u - times_fraction(p);
  p = 41149756u - times_fraction(p);
  p = 238335111u - times_fraction(p);
  p = 1031756795u - times_fraction(p);
  p = 2977044050u - times_fraction(p);
  return (kFullMass - (uint64_t{fraction} * p >> 24)) >> (exponent >> 58);
}

// A fraction in [0, 1] of a total, rounded down.
SAMPLING_RULE uint64_t share_of(uint64_t total, double fraction) {
  const auto share = static_cast<uint64_t>(fraction * static_cast<double>(total));
  return share < total ? share : total;
}

// Top-p (Holtzman et al., 2020) keeps the fewest best tokens whose mass reaches this much of the candidates' total.
SAMPLING_RULE uint64_t wanted_mass(uint64_t total, float top_p) {
  const uint64_t share = share_of(total, static_cast<double>(top_p));
  return share > 0 ? share : 1;
}
// Min-p keeps tokens of at least this mass.
SAMPLING_RULE uint64_t least_mass(float min_p) { return share_of(kFullMass, static_cast<double>(min_p)); }

// Bit `index` of an array of words, the lowest first.
SAMPLING_RULE bool is_set(const uint32_t* words, int64_t index) { return (words[index / 32] >> (index % 32) & 1) != 0; }

// The token drawn is the first, by id, at which the sum of the kept tokens' masses exceeds this. `uniform` is in [0, 1).
SAMPLING_RULE uint64_t drawn_mass(uint64_t total, double uniform) {
  const uint64_t share = share_of(total, uniform);
  return share < total ? share : total - 1;
}

}  // namespace sampling
