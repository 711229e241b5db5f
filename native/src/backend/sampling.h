// From a row of logits to a token, as every backend does it: the same token from the same logits and random number. The order: what is
// not allowed goes, numbers are added, then, as transformers' logits processors have it, repetition penalty, temperature, top-k, top-p,
// min-p. The arithmetic is that of kernels/sampling_rules.h.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <vector>

#include "tensor/error.h"

namespace ivl {

// How tokens are chosen from their logits.
struct Choice {
  float temperature = 0;  // 0: the best, the lowest id among equals, as torch.argmax
  int32_t top_k = 0;      // 0: all
  float top_p = 1;        // in (0, 1]
  float min_p = 0;        // in [0, 1): only tokens at least so probable as the best, relative to it; 0: all
  float repetition_penalty = 1;
  int32_t top_logprobs = 0;  // as many of the best are reported, at most kMostTopLogprobs
};

struct TokenLogit {
  int32_t token;
  float logit;
};

// Which tokens of a row are allowed: a bit each, the lowest of a word first. Null: all.
using TokenMask = std::shared_ptr<const std::vector<uint32_t>>;

// How one token is chosen.
struct Draw : Choice {
  TokenMask allowed = {};
  std::vector<TokenLogit> added = {};       // to these tokens' logits, one number each at most
  std::span<const int32_t> generated = {};  // what the penalty is for; a token counts once, however often it is there
  double uniform = 0;                       // the random number, in [0, 1); unused where temperature is 0
};

inline constexpr int32_t kMostTopLogprobs = 64;

struct TokenLogprob {
  int32_t token;
  float logprob;
};

// Log-probabilities are those of the untouched logits.
struct Sampled {
  int32_t token;
  float logprob;
  std::vector<TokenLogprob> top;      // best first, the lower id among equals
  std::optional<Error> failure = {};  // why the row has no token; the rest then says nothing
};

// What `choose` returns. What it throws is that row's failure, and other rows have their tokens.
template <class Choose>
Sampled sampled_or_failure(const Choose& choose) {
  try {
    return choose();
  } catch (const Error& error) {
    return {-1, 0, {}, error};
  } catch (const std::bad_alloc&) {
    return {-1, 0, {}, Error(Status::OutOfMemory, "the system has no memory left for sampling")};
  }
}

// Of logits in host memory. Error(NotFinite) as check_best() says.
Sampled sample(std::span<const float> logits, const Draw& draw);

// The largest logit, or NaN if one of them is. Error(NotFinite) unless it is a number, finite.
void check_best(float best);

// Error(InvalidArgument) if the best score, behind all that is excluded, is none.
void check_allowed(float best);

// Of a logit, with the largest of its row and the sum of the row's masses at temperature 1.
float logprob_of(float logit, float best, uint64_t mass);

}  // namespace ivl
