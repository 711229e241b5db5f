#include "grammar/vocabulary.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "grammar/json_string.h"
#include "tensor/error.h"

namespace ivl::grammar {
namespace {

constexpr size_t kLongestToken = 65535;
constexpr uint32_t kPlainMasks = 32;  // more characters have few tokens

TokenTrie trie_of(const std::vector<std::string>& bytes, std::vector<uint32_t> tokens) {
  std::sort(tokens.begin(), tokens.end(), [&](uint32_t a, uint32_t b) { return std::tie(bytes[a], a) < std::tie(bytes[b], b); });
  TokenTrie trie;
  std::vector<size_t> path;  // nodes from the root to the last one
  for (const uint32_t token : tokens) {
    const std::string& text = bytes[token];
    size_t common = 0;
    while (common < path.size() && common < text.size() && trie.byte[path[common]] == static_cast<uint8_t>(text[common])) ++common;
    for (size_t i = common; i < path.size(); ++i) trie.end[path[i]] = static_cast<uint32_t>(trie.nodes());
    path.resize(common);
    for (size_t i = common; i < text.size(); ++i) {
      path.push_back(trie.nodes());
      trie.byte.push_back(static_cast<uint8_t>(text[i]));
      trie.depth.push_back(static_cast<uint32_t>(i));
      trie.end.push_back(0);
      trie.first_token.push_back(static_cast<uint32_t>(trie.tokens.size()));
    }
    trie.tokens.push_back(token);
    trie.deepest = std::max(trie.deepest, static_cast<uint32_t>(text.size()));
  }
  for (const size_t node : path) trie.end[node] = static_cast<uint32_t>(trie.nodes());
  trie.first_token.push_back(static_cast<uint32_t>(trie.tokens.size()));
  return trie;
}

// How many characters begin in a text that stands between two; none if it can't, or has more than characters.
std::optional<uint32_t> plain_characters(const std::string& text) {
  uint8_t state = kBetween;
  uint32_t count = 0;
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') return {};
    if (state == kBetween) ++count;
    state = string_next(Escapes::Any, state, static_cast<uint8_t>(byte));
    if (state == kNoState) return {};
  }
  return count;
}

}  // namespace

bool TokenTrie::goes_on(size_t node, uint8_t next) const {
  size_t child = node + 1;
  while (child < end[node] && byte[child] < next) child = end[child];
  return child < end[node] && byte[child] == next;
}

Vocabulary::Vocabulary(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
  std::vector<uint32_t> all, marked;
  std::vector<Plain> plain;
  for (uint32_t token = 0; token < tokens_.size(); ++token) {
    const std::string& text = tokens_[token];
    if (text.size() > kLongestToken)
      fail(Status::InvalidArgument, cat("token ", token, " has ", text.size(), " bytes, expected at most 65535"));
    if (text.empty()) continue;
    all.push_back(token);
    if (text.find_first_of("\"\\") != text.npos) marked.push_back(token);
    const std::optional<uint32_t> characters = plain_characters(text);
    if (characters) plain.push_back({token, *characters});
    longest_ = std::max(longest_, characters.value_or(0));
  }
  all_ = trie_of(tokens_, std::move(all));
  marked_ = trie_of(tokens_, std::move(marked));
  plain_.assign(kPlainMasks + 1, nothing());
  all_plain_ = nothing();
  for (const Plain& each : plain) {
    allow(all_plain_, each.token);
    if (each.characters > kPlainMasks) longer_.push_back(each);
    for (uint32_t most = each.characters; most <= kPlainMasks; ++most) allow(plain_[most], each.token);
  }
}

void Vocabulary::allow_plain(Mask& mask, uint32_t most) const {
  const Mask& some = most >= longest_ ? all_plain_ : plain_[std::min(most, kPlainMasks)];
  for (size_t i = 0; i < mask.size(); ++i) mask[i] |= some[i];
  if (most >= longest_) return;
  for (const Plain& each : longer_) {
    if (each.characters <= most) allow(mask, each.token);
  }
}

}  // namespace ivl::grammar
