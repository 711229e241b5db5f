#include "grammar/rules.h"

namespace ivl::grammar {
namespace {

constexpr size_t kMostKept = 512;  // 19 KB each with 151,936 tokens

Mask inside_of(const Dfa& dfa, int32_t from, const Vocabulary& vocabulary) {
  const TokenTrie& trie = vocabulary.all();
  Mask mask = vocabulary.nothing();
  std::vector<int32_t> states(trie.deepest + 1, from);  // behind so many bytes
  for (size_t node = 0; node < trie.nodes();) {
    const uint32_t depth = trie.depth[node];
    const int32_t next = dfa.next(states[depth], trie.byte[node]);
    if (next == kDead || !dfa.goes_on(next)) {
      node = trie.end[node];
      continue;
    }
    states[depth + 1] = next;
    for (const uint32_t token : trie.ending(node)) allow(mask, token);
    ++node;
  }
  return mask;
}

}  // namespace

std::shared_ptr<const Mask> Rules::inside(uint32_t text, uint32_t state) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<const Mask>& known = inside_[{text, state}];
  if (known != nullptr) return known;
  auto mask = std::make_shared<const Mask>(inside_of(grammar_.texts[text].dfa, static_cast<int32_t>(state), *vocabulary_));
  if (inside_.size() > kMostKept) inside_.clear();  // with the place for it
  return inside_[{text, state}] = std::move(mask);
}

}  // namespace ivl::grammar
