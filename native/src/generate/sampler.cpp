#include "generate/sampler.h"

#include <cmath>

#include "tensor/error.h"

namespace ivl {

void validate(const Sampling& s) {
  const auto refuse = [](const char* name, auto value, const char* range) {
    fail(Status::InvalidArgument, cat(name, " is ", value, ", expected ", range));
  };
  if (!(s.temperature >= 0) || std::isinf(s.temperature)) refuse("temperature", s.temperature, "a finite number >= 0");
  if (s.top_k < 0) refuse("top_k", s.top_k, ">= 0");
  if (!(s.top_p > 0 && s.top_p <= 1)) refuse("top_p", s.top_p, "a number in (0, 1]");
  if (!(s.repetition_penalty > 0) || std::isinf(s.repetition_penalty)) {
    refuse("repetition_penalty", s.repetition_penalty, "a finite number > 0");
  }
  if (s.max_new_tokens < 1) refuse("max_new_tokens", s.max_new_tokens, ">= 1");
  if (s.top_logprobs < 0 || s.top_logprobs > kMostTopLogprobs) refuse("top_logprobs", s.top_logprobs, "0 to 64");
}

Draw Sampler::next(std::span<const int32_t> generated) {
  Draw draw{sampling_, {}, 0};
  if (sampling_.repetition_penalty != 1.0f) draw.generated = generated;
  if (sampling_.temperature > 0) draw.uniform = uniform();
  return draw;
}

// SplitMix64 (Steele, Lea and Flood, 2014): 53 bits in [0, 1).
double Sampler::uniform() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-53;
}

}  // namespace ivl
