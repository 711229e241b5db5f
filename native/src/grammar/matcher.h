// One answer under a schema: which tokens may come next.
#pragma once

#include <map>
#include <string_view>

#include "grammar/machine.h"
#include "grammar/rules.h"

namespace ivl::grammar {

// Depends on the answer's own tokens alone.
class Matcher {
 public:
  // Stop tokens end the answer, and are allowed where it is whole; nowhere else, whatever their bytes are.
  Matcher(std::shared_ptr<const Rules> rules, std::vector<int32_t> stop_tokens);

  // A bit for each token. Error(Unsupported) if the answer so far can be read in more ways than are followed.
  std::shared_ptr<const Mask> allowed();
  // The answer goes on with an allowed token.
  void accept(int32_t token);
  // The same of bytes. False, and nothing changes, if it can't go on so.
  bool accept(std::string_view bytes);
  // Whether it may end here.
  bool whole() const;

 private:
  using Stacks = std::vector<Stack>;
  // Where a walk stands behind so many bytes of a token.
  struct Level {
    Stacks stacks = {};
    bool free = false;  // `only` instead: inside a free string or name
    Stack only = {};
    uint32_t named = 0;  // bytes of the token before those that a name's text lacks
  };

  std::shared_ptr<const Mask> find();
  void add_inside(const Stack& stack, Mask& mask, Stacks& open, Stacks& marked);
  void walk(const TokenTrie& trie, const Stacks& from, Mask& mask);
  // Whether the token may go on so.
  bool step(const TokenTrie& trie, size_t node, const Level& from, Level& to);
  bool leave(const TokenTrie& trie, size_t node, const Level& from, Level& to);
  void settle(Level& level, uint32_t depth) const;
  void step(const Stacks& from, uint8_t byte, Stacks& to);

  std::shared_ptr<const Rules> rules_;
  std::vector<int32_t> stop_tokens_;
  Machine machine_;
  Stacks now_;
  std::vector<Level> levels_;  // of walk()
  std::map<Stacks, std::shared_ptr<const Mask>> found_;
};

}  // namespace ivl::grammar
