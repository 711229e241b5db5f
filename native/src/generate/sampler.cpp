#include "generate/sampler.h"

#include <cmath>
#include <map>

#include "tensor/error.h"

namespace ivl {

namespace {

// SplitMix64 (Steele, Lea and Flood, 2014) of the seed, `drawn` numbers on: 53 bits in [0, 1).
double uniform(uint64_t seed, size_t drawn) {
  uint64_t z = seed + 0x9e3779b97f4a7c15u * (drawn + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-53;
}

}  // namespace

void validate(const Sampling& s, int64_t vocabulary) {
  const auto refuse = [](const char* name, auto value, const char* range) {
    fail(Status::InvalidArgument, cat(name, " is ", value, ", expected ", range));
  };
  if (!(s.temperature >= 0) || std::isinf(s.temperature)) refuse("temperature", s.temperature, "a finite number >= 0");
  if (s.top_k < 0) refuse("top_k", s.top_k, ">= 0");
  if (!(s.top_p > 0 && s.top_p <= 1)) refuse("top_p", s.top_p, "a number in (0, 1]");
  if (!(s.repetition_penalty > 0) || std::isinf(s.repetition_penalty)) {
    refuse("repetition_penalty", s.repetition_penalty, "a finite number > 0");
  }
  if (!(s.min_p >= 0 && s.min_p < 1)) refuse("min_p", s.min_p, "a number in [0, 1)");
  if (!std::isfinite(s.frequency_penalty)) refuse("frequency_penalty", s.frequency_penalty, "a finite number");
  if (!std::isfinite(s.presence_penalty)) refuse("presence_penalty", s.presence_penalty, "a finite number");
  for (const TokenLogit& bias : s.logit_bias) {
    if (bias.token < 0 || bias.token >= vocabulary)
      refuse("logit_bias of token", bias.token, cat("a token below ", vocabulary).c_str());
    if (std::isnan(bias.logit) || bias.logit == INFINITY) refuse("logit_bias", bias.logit, "a number below infinity");
  }
  if (s.max_new_tokens < 1) refuse("max_new_tokens", s.max_new_tokens, ">= 1");
  if (s.min_new_tokens < 0 || s.min_new_tokens > s.max_new_tokens) {
    refuse("min_new_tokens", s.min_new_tokens, cat("0 to max_new_tokens, ", s.max_new_tokens).c_str());
  }
  if (s.top_logprobs < 0 || s.top_logprobs > kMostTopLogprobs) refuse("top_logprobs", s.top_logprobs, "0 to 64");
}

void check_mask(const TokenMask& mask, int64_t vocabulary) {
  const size_t words = static_cast<size_t>(vocabulary + 31) / 32;
  const size_t given = mask == nullptr ? 0 : mask->size();
  if (given == words) return;
  fail(Status::InvalidArgument,
       cat("the mask has ", given, " words of 32 bits, expected ", words, ", for a vocabulary of ", vocabulary));
}

Draw Sampler::next(std::span<const int32_t> generated) const {
  Draw draw{sampling_};
  draw.added = added(generated);
  if (sampling_.repetition_penalty != 1.0f) draw.generated = generated;
  if (sampling_.temperature > 0) draw.uniform = uniform(sampling_.seed, generated.size());
  return draw;
}

// One number for each token that has any.
std::vector<TokenLogit> Sampler::added(std::span<const int32_t> generated) const {
  std::map<int32_t, float> numbers;
  for (const TokenLogit& bias : sampling_.logit_bias) numbers[bias.token] += bias.logit;
  if (sampling_.frequency_penalty != 0 || sampling_.presence_penalty != 0) {
    std::map<int32_t, int> counts;
    for (const int32_t token : generated) ++counts[token];
    for (const auto& [token, count] : counts) {
      numbers[token] -= sampling_.frequency_penalty * static_cast<float>(count) + sampling_.presence_penalty;
    }
  }
  if (static_cast<int64_t>(generated.size()) < sampling_.min_new_tokens) {
    for (const int32_t token : stop_tokens_) numbers[token] = -INFINITY;
  }
  std::vector<TokenLogit> all;
  for (const auto& [token, logit] : numbers) all.push_back({token, logit});
  return all;
}

}  // namespace ivl
