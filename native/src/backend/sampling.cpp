#include "backend/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/sampling_rules.h"
#include "tensor/error.h"

namespace ivl {
namespace {

float best_of(std::span<const float> values) {
  float best = -INFINITY;
  for (const float value : values) {
    if (std::isnan(value)) return value;
    best = std::max(best, value);
  }
  return best;
}

int32_t arg_max(std::span<const float> values) {
  return static_cast<int32_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

std::vector<int32_t> all_tokens(std::span<const float> logits) {
  std::vector<int32_t> tokens(logits.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  return tokens;
}

// Best first. Equals are ordered by their ids, so that every cut is defined.
auto ranking(std::span<const float> scores) {
  return [scores](int32_t a, int32_t b) {
    const float x = scores[static_cast<size_t>(a)];
    const float y = scores[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
}

std::vector<TokenLogprob> top(std::span<const float> logits, float best, uint64_t mass, int32_t count) {
  std::vector<int32_t> tokens = all_tokens(logits);
  const size_t kept = std::min(static_cast<size_t>(count), tokens.size());
  std::partial_sort(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(kept), tokens.end(), ranking(logits));
  std::vector<TokenLogprob> result;
  for (size_t i = 0; i < kept; ++i) {
    result.push_back({tokens[i], logprob_of(logits[static_cast<size_t>(tokens[i])], best, mass)});
  }
  return result;
}

std::vector<float> scores_of(std::span<const float> logits, const Draw& draw) {
  std::vector<float> scores(logits.begin(), logits.end());
  for (size_t at = 0; draw.allowed != nullptr && at < scores.size(); ++at) {
    if (!sampling::is_set(draw.allowed->data(), static_cast<int64_t>(at))) scores[at] = -INFINITY;
  }
  for (const TokenLogit& each : draw.added) scores[static_cast<size_t>(each.token)] += each.logit;
  if (draw.generated.empty()) return scores;
  const std::vector<float> before = scores;
  for (const int32_t token : draw.generated) {
    const auto at = static_cast<size_t>(token);
    scores[at] = sampling::penalised(before[at], draw.repetition_penalty);  // of what was before: twice is as once
  }
  return scores;
}

bool changes_logits(const Draw& draw) { return draw.allowed != nullptr || !draw.added.empty() || !draw.generated.empty(); }

int32_t drawn(std::span<const float> scores, const Draw& draw) {
  const float best = *std::max_element(scores.begin(), scores.end());
  const auto mass_of = [&](int32_t token) {
    return sampling::mass_of(sampling::distance_of(scores[static_cast<size_t>(token)], best, draw.temperature));
  };
  std::vector<int32_t> kept = all_tokens(scores);
  const auto better = ranking(scores);
  const bool ranked = draw.top_k > 0 && static_cast<size_t>(draw.top_k) < kept.size();
  if (ranked) {
    std::partial_sort(kept.begin(), kept.begin() + draw.top_k, kept.end(), better);
    kept.resize(static_cast<size_t>(draw.top_k));
  }
  const auto mass_kept = [&] {
    uint64_t mass = 0;
    for (const int32_t token : kept) mass += mass_of(token);
    return mass;
  };
  uint64_t total = mass_kept();
  if (draw.top_p < 1) {
    const uint64_t wanted = sampling::wanted_mass(total, draw.top_p);
    const auto worse = [&](int32_t a, int32_t b) { return better(b, a); };
    std::make_heap(kept.begin(), kept.end(), worse);
    auto rest = kept.end();  // of the heap; behind it lies what was taken
    for (total = 0; total < wanted; total += mass_of(*rest)) {
      std::pop_heap(kept.begin(), rest, worse);
      --rest;
    }
    kept.erase(kept.begin(), rest);
  }
  if (draw.min_p > 0) {
    const uint64_t least = sampling::least_mass(draw.min_p);
    std::erase_if(kept, [&](int32_t token) { return mass_of(token) < least; });
    total = mass_kept();
  }
  if (ranked || draw.top_p < 1) std::sort(kept.begin(), kept.end());
  uint64_t left = sampling::drawn_mass(total, draw.uniform);
  for (const int32_t token : kept) {
    const uint64_t mass = mass_of(token);
    if (left < mass) return token;
    left -= mass;
  }
  fail(Status::Internal, "internal check failed: a draw lies within the mass");
}

}  // namespace

void check_best(float best) {
  if (std::isfinite(best)) return;
  fail(Status::NotFinite, cat("the model's logits are ", std::isnan(best) ? "not numbers" : "infinite",
                              ": its weights hold NaN or infinity (`info --check` names the tensors), or something grew beyond "
                              "the range of the precision (bf16 has a wider one than f16)"));
}

void check_allowed(float best) {
  if (best > -INFINITY) return;
  fail(Status::InvalidArgument, "no token is left to choose from: the mask, logit biases and min_new_tokens exclude all of them");
}

float logprob_of(float logit, float best, uint64_t mass) {
  const double sum = static_cast<double>(mass) / static_cast<double>(sampling::kFullMass);
  return static_cast<float>(static_cast<double>(logit) - static_cast<double>(best) - std::log(sum));
}

Sampled sample(std::span<const float> logits, const Draw& draw) {
  const float best = best_of(logits);
  check_best(best);
  uint64_t mass = 0;
  for (const float logit : logits) mass += sampling::mass_of(sampling::distance_of(logit, best, 1));
  Sampled sampled{};
  if (!changes_logits(draw)) {
    sampled.token = draw.temperature == 0 ? arg_max(logits) : drawn(logits, draw);
  } else {
    const std::vector<float> scores = scores_of(logits, draw);
    check_allowed(best_of(scores));
    sampled.token = draw.temperature == 0 ? arg_max(scores) : drawn(scores, draw);
  }
  sampled.logprob = logprob_of(logits[static_cast<size_t>(sampled.token)], best, mass);
  if (draw.top_logprobs > 0) sampled.top = top(logits, best, mass, draw.top_logprobs);
  return sampled;
}

}  // namespace ivl
