// A tokenizer's tokens as bytes, so ordered that all tokens which may come next are found without looking at each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ivl::grammar {

using Mask = std::vector<uint32_t>;  // a bit for each token, the lowest of a word first

inline void allow(Mask& mask, uint32_t token) { mask[token / 32] |= 1u << token % 32; }
inline void forbid(Mask& mask, uint32_t token) { mask[token / 32] &= ~(1u << token % 32); }
inline bool allows(const Mask& mask, uint32_t token) { return (mask[token / 32] >> token % 32 & 1) != 0; }

// Tokens that begin alike share the nodes of their common bytes. Nodes lie in the order of a walk through it.
struct TokenTrie {
  std::vector<uint8_t> byte;
  std::vector<uint32_t> depth;        // 0: the first byte of a token
  std::vector<uint32_t> end;          // behind the nodes below it
  std::vector<uint32_t> first_token;  // in `tokens`, of those that end here; one more at the end
  std::vector<uint32_t> tokens;
  uint32_t deepest = 0;

  size_t nodes() const { return byte.size(); }
  std::span<const uint32_t> ending(size_t node) const {
    return std::span(tokens).subspan(first_token[node], first_token[node + 1] - first_token[node]);
  }
  // Whether tokens that begin as this node's have this byte next.
  bool goes_on(size_t node, uint8_t next) const;
};

class Vocabulary {
 public:
  // The bytes of each token. Empty ones are never allowed: special tokens, and rows of the model that no token has. Error(InvalidArgument)
  // for one of more than 65,535 bytes.
  explicit Vocabulary(std::vector<std::string> tokens);

  const std::string& bytes(uint32_t token) const { return tokens_[token]; }
  size_t size() const { return tokens_.size(); }
  Mask nothing() const { return Mask((size() + 31) / 32); }
  const TokenTrie& all() const { return all_; }
  // Those that have a quote or a backslash: in a string they can end it, or begin an escape.
  const TokenTrie& marked() const { return marked_; }
  // Those that can stand between any two characters of a string, if at most so many characters begin in it; of whole UTF-8, but the last
  // character may be cut.
  void allow_plain(Mask& mask, uint32_t most) const;

 private:
  struct Plain {
    uint32_t token, characters;
  };

  std::vector<std::string> tokens_;
  TokenTrie all_, marked_;
  std::vector<Mask> plain_;    // of so many characters at most
  std::vector<Plain> longer_;  // than those
  uint32_t longest_ = 0;
  Mask all_plain_;
};

}  // namespace ivl::grammar
