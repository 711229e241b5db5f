#include "generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tensor/error.h"

namespace ivl {
namespace {

constexpr int32_t kMostTopLogprobs = 64;

// The lowest index among equals, as torch.argmax.
int32_t arg_max(std::span<const float> values) {
  return static_cast<int32_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

double log_sum_exp(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return largest + std::log(sum);
}

void check_logits(std::span<const float> logits) {
  float largest = -INFINITY;
  for (const float logit : logits) {
    if (std::isnan(logit)) fail(Status::Internal, "the model's logits are not numbers: its weights or input hold NaN or infinity");
    largest = std::max(largest, logit);
  }
  if (std::isinf(largest)) fail(Status::Internal, "the model's logits are infinite: its weights or input overflow");
}

std::vector<TokenLogprob> best(std::span<const float> logits, double normalizer, int32_t count) {
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = static_cast<std::ptrdiff_t>(std::min<size_t>(static_cast<size_t>(count), order.size()));
  std::partial_sort(order.begin(), order.begin() + kept, order.end(), [&](int32_t a, int32_t b) {
    const float x = logits[static_cast<size_t>(a)];
    const float y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  });
  std::vector<TokenLogprob> top;
  for (std::ptrdiff_t i = 0; i < kept; ++i) {
    const int32_t token = order[static_cast<size_t>(i)];
    top.push_back({token, static_cast<float>(logits[static_cast<size_t>(token)] - normalizer)});
  }
  return top;
}

void penalise(std::vector<float>& logits, std::span<const int32_t> generated, float penalty) {
  std::vector<int32_t> distinct(generated.begin(), generated.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (const int32_t token : distinct) {
    float& logit = logits[static_cast<size_t>(token)];
    logit = logit < 0 ? logit * penalty : logit / penalty;
  }
}

struct Candidate {
  int32_t token;
  float logit;
};

// Candidates best first; equal logits by id, so that the order is defined.
std::vector<Candidate> candidates(std::span<const float> logits, int32_t top_k) {
  std::vector<Candidate> all(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) all[i] = {static_cast<int32_t>(i), logits[i]};
  const auto better = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  };
  if (top_k > 0 && static_cast<size_t>(top_k) < all.size()) {
    const auto cut = all.begin() + top_k;
    std::partial_sort(all.begin(), cut, all.end(), better);
    all.erase(cut, all.end());
  } else {
    std::sort(all.begin(), all.end(), better);
  }
  return all;
}

}  // namespace

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

Sampled Sampler::sample(std::span<const float> logits, std::span<const int32_t> generated) {
  check_logits(logits);
  const double normalizer = log_sum_exp(logits);
  Sampled sampled;
  sampled.token = draw(logits, generated);
  sampled.logprob = static_cast<float>(logits[static_cast<size_t>(sampled.token)] - normalizer);
  if (sampling_.top_logprobs > 0) sampled.top = best(logits, normalizer, sampling_.top_logprobs);
  return sampled;
}

int32_t Sampler::draw(std::span<const float> logits, std::span<const int32_t> generated) {
  const bool plain = sampling_.repetition_penalty == 1.0f || generated.empty();
  if (plain && sampling_.temperature == 0) return arg_max(logits);
  std::vector<float> work(logits.begin(), logits.end());
  if (!plain) penalise(work, generated, sampling_.repetition_penalty);
  if (sampling_.temperature == 0) return arg_max(work);

  const std::vector<Candidate> kept = candidates(work, sampling_.top_k);
  std::vector<double> mass(kept.size());
  double total = 0;
  for (size_t i = 0; i < kept.size(); ++i) {
    const double above = static_cast<double>(kept[i].logit) - static_cast<double>(kept[0].logit);
    mass[i] = std::exp(above / static_cast<double>(sampling_.temperature));
    total += mass[i];
  }
  // top-p keeps the fewest best candidates whose probability reaches it, at least one.
  size_t count = kept.size();
  if (sampling_.top_p < 1) {
    const double wanted = static_cast<double>(sampling_.top_p) * total;
    double reached = 0;
    for (count = 0; count < kept.size() && (count == 0 || reached < wanted); ++count) reached += mass[count];
    total = reached;
  }
  double left = uniform() * total;
  for (size_t i = 0; i + 1 < count; ++i) {
    left -= mass[i];
    if (left < 0) return kept[i].token;
  }
  return kept[count - 1].token;
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
