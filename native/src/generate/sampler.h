// What a request asks of sampling, and its random numbers.
#pragma once

#include "backend/sampling.h"

namespace ivl {

struct Sampling : Choice {
  uint64_t seed = 0;
  int32_t max_new_tokens = 1;
};

// Error(InvalidArgument) naming the first option out of its range.
void validate(const Sampling& sampling);

// One request's draws. Its random numbers depend on the seed and on how many tokens it has drawn, on nothing else.
class Sampler {
 public:
  explicit Sampler(const Sampling& sampling) : sampling_(sampling), state_(sampling.seed) {}

  // Of the next token. The penalty is over `generated` only, since the original passes its prompt as embeddings; it must outlive
  // the draw.
  Draw next(std::span<const int32_t> generated);

 private:
  double uniform();

  Sampling sampling_;
  uint64_t state_;
};

}  // namespace ivl
