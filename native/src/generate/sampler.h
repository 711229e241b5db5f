// What a request asks of sampling, and its random numbers.
#pragma once

#include "backend/sampling.h"

namespace ivl {

struct Sampling : Choice {
  uint64_t seed = 0;
  int32_t max_new_tokens = 1;
  int32_t min_new_tokens = 0;  // before them no stop token is drawn
  // Taken from a token's logit: the one for each time that it was generated, the other once.
  float frequency_penalty = 0;
  float presence_penalty = 0;
  std::vector<TokenLogit> logit_bias = {};  // added; a token that is there twice has both
};

// Error(InvalidArgument) naming the first option out of its range.
void validate(const Sampling& sampling, int64_t vocabulary);

// Error(InvalidArgument) if it is not as long as the vocabulary.
void check_mask(const TokenMask& mask, int64_t vocabulary);

// One request's draws. Its random numbers depend on the seed and on how many tokens it has drawn, on nothing else.
class Sampler {
 public:
  explicit Sampler(const Sampling& sampling, std::vector<int32_t> stop_tokens = {})
      : sampling_(sampling), stop_tokens_(std::move(stop_tokens)) {}

  // Of the token behind those that were generated. Penalties are over these only, since the original passes its prompt as embeddings;
  // they must outlive the draw.
  Draw next(std::span<const int32_t> generated) const;

  const std::vector<int32_t>& stop_tokens() const { return stop_tokens_; }

 private:
  std::vector<TokenLogit> added(std::span<const int32_t> generated) const;

  Sampling sampling_;
  std::vector<int32_t> stop_tokens_;
};

}  // namespace ivl
