// Tokens from logits: a mask, added numbers, repetition penalty, temperature, top-k, top-p, min-p and the draw, log-probabilities,
// the best few. Rows (sequences) with settings of their own share three launches. Nothing is sorted: a cut is found by the bits of
// keys, a token by sums of masses, and these are whole numbers (sampling_rules.h). So a row's result depends neither on the others
// nor on the order in which threads run, and is the one that native/src/backend/sampling.cpp has on the CPU.
#pragma once

#include "device/types.h"

namespace gpu {

struct AddedLogit {
  int token;
  float logit;
};

struct SamplingRow {
  double uniform = 0;              // the random number, in [0, 1)
  const int* generated = nullptr;  // in device memory: tokens whose logits are penalised, once if they are there twice
  int generated_count = 0;
  float penalty = 1;
  float temperature = 0;  // 0: the best score, the lowest id among equals
  float top_p = 1;
  float min_p = 0;
  int top_k = 0;  // 0: all
  int added_count = 0;
  const uint32_t* allowed = nullptr;  // in device memory: a bit for each token, the lowest first; null: all are
  const AddedLogit* added = nullptr;  // in device memory, one for a token at most
  int top = 0;                        // so many of the best logits are wanted, at most kMostTop
};

constexpr int kMostTop = 64;
// Tokens. Products have no grid for many more either.
constexpr int kMostVocabulary = 2'000'000;

struct SampledRow {
  uint64_t mass;     // of all logits, at temperature 1
  float best;        // the largest logit. NaN if one of them is; unless this is finite, the rest says nothing
  float best_score;  // -infinity: no token is allowed, and the rest says nothing
  float logit;       // the token's, untouched
  int token;
};

struct TopToken {
  int token;
  float logit;
};

struct Sampling {
  Rows<const float> logits;           // (row_count, vocabulary); a stride in eights makes whole sectors of a row
  const SamplingRow* rows = nullptr;  // in device memory, as all that follows
  int64_t row_count = 0;
  int vocabulary = 0;
  SampledRow* out = nullptr;
  TopToken* top = nullptr;  // (row_count, top_stride), best first, the lower id among equals; null if no row wants any
  int top_stride = 0;
  void* workspace = nullptr;
};

// Bytes.
size_t sampling_workspace(int64_t rows, int vocabulary);

// cudaErrorInvalidValue for a vocabulary of more than kMostVocabulary tokens.
cudaError_t sample(const Sampling& sampling, cudaStream_t stream);

}  // namespace gpu
