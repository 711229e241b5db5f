#include "generate/prompt_lookup.h"

#include <algorithm>

namespace ivl {

// Of the kLength tokens before `end`.
uint64_t PromptLookup::key_of(std::span<const int32_t> tokens, size_t end) {
  uint64_t key = 0;
  for (size_t i = end - kLength; i < end; ++i) key = (key ^ static_cast<uint32_t>(tokens[i])) * 0x9e3779b97f4a7c15u;
  return key;
}

// All but the end itself, which is what is looked up.
void PromptLookup::learn(std::span<const int32_t> tokens) {
  for (size_t end = std::max(kLength, learnt_ + 1); end < tokens.size(); ++end) last_[key_of(tokens, end)] = end;
  learnt_ = tokens.size() - 1;
}

std::vector<int32_t> PromptLookup::guess(std::span<const int32_t> tokens, double row_cost) {
  constexpr int64_t kTryAgain = 32;  // tokens after which guesses that did not pay are tried once more
  if (most_ == 0 || tokens.size() <= kLength) return {};
  learn(tokens);
  if (right_ < 1.25 * row_cost && ++silent_ < kTryAgain) return {};
  const auto found = last_.find(key_of(tokens, tokens.size()));
  if (found == last_.end()) return {};
  const size_t from = found->second;
  if (!std::equal(tokens.end() - kLength, tokens.end(), tokens.begin() + static_cast<std::ptrdiff_t>(from - kLength))) return {};
  silent_ = 0;
  const size_t count = std::min(static_cast<size_t>(most_), tokens.size() - from);
  const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

void PromptLookup::judge(size_t guessed, size_t right) {
  if (guessed > 0) right_ = 0.8 * right_ + 0.2 * static_cast<double>(right) / static_cast<double>(guessed);
}

}  // namespace ivl
