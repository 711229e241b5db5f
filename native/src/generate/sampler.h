// From logits to a token.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ivl {

struct Sampling {
  float temperature = 0;  // 0: greedy
  int32_t top_k = 0;      // 0: all
  float top_p = 1;
  float repetition_penalty = 1;
  uint64_t seed = 0;
  int32_t max_new_tokens = 1;
  int32_t top_logprobs = 0;
};

// Error(InvalidArgument) naming the first option out of its range.
void validate(const Sampling& sampling);

struct TokenLogprob {
  int32_t token;
  float logprob;
};

struct Sampled {
  int32_t token;
  float logprob;
  std::vector<TokenLogprob> top;  // best first
};

// One request's sampler. Its random numbers depend on the seed and on how many tokens it has drawn, on nothing else.
class Sampler {
 public:
  explicit Sampler(const Sampling& sampling) : sampling_(sampling), state_(sampling.seed) {}

  // The order of transformers' logits processors: repetition penalty (Keskar et al., "CTRL", 2019; over `generated`
  // only, since the original passes its prompt as embeddings), temperature, top-k, top-p (Holtzman et al., "The
  // curious case of neural text degeneration", 2020). Log-probabilities are those of the untouched logits.
  // Error(Internal) if a logit is NaN or all are infinite.
  Sampled sample(std::span<const float> logits, std::span<const int32_t> generated);

 private:
  int32_t draw(std::span<const float> logits, std::span<const int32_t> generated);
  double uniform();

  Sampling sampling_;
  uint64_t state_;
};

}  // namespace ivl
