// What states of an answer share: what lies below their top, sets of names, texts of keys. Equal things have equal numbers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ivl::grammar {

inline constexpr uint32_t kNoText = UINT32_MAX;

enum class Place : uint8_t {
  Done,         // behind the whole value
  Value,        // before one
  Text,         // in a number, a literal or a patterned string
  String,       // in any other string
  ArrayFirst,   // behind [
  ArrayNext,    // behind an item
  ObjectFirst,  // behind {
  ObjectName,   // behind a comma
  Key,          // in a name
  Colon,        // before one
  ObjectNext,   // behind a property's value
};

// Where an answer stands in one value.
struct Frame {
  Place place = Place::Done;
  uint8_t state = 0;   // in a string or a name
  uint8_t spaces = 0;  // white space so far
  uint32_t shape = 0;  // of the grammar; of Value its node
  uint32_t at = 0;     // the automaton's state, characters, items, or the first property whose name begins as this one does
  uint32_t until = 0;  // behind the last of those
  uint32_t depth = 0;  // bytes of the name
  uint32_t seen = 0;   // the set of names that the object has
  uint32_t text = 0;   // of the name, where others than the properties may come
  auto operator<=>(const Frame&) const = default;
};

// One way to read the answer so far.
struct Stack {
  Frame top;
  uint32_t below = 0;  // what goes on behind it; 0: nothing
  auto operator<=>(const Stack&) const = default;
};

class Arena {
 public:
  Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // ---- stacks without their top
  uint32_t push(const Stack& stack);
  const Stack& below(uint32_t number) const { return *stacks_[number]; }

  // ---- sets; 0 is empty
  uint32_t with(uint32_t set, uint64_t member);
  bool has(uint32_t set, uint64_t member) const;
  size_t size(uint32_t set) const { return sets_[set]->size(); }

  // ---- texts; 0 is empty
  uint32_t append(uint32_t text, uint8_t byte);
  // The same without a trace: kNoText if nothing has been called so.
  uint32_t find(uint32_t text, std::string_view more) const;

  // Everything that comes from here on is forgotten by back_to().
  struct Mark {
    size_t stacks, sets, texts;
  };
  Mark mark() const { return {stacks_.size(), sets_.size(), texts_.size()}; }
  void back_to(const Mark& mark);

 private:
  using Set = std::vector<uint64_t>;  // in order

  std::map<Stack, uint32_t> stack_numbers_;
  std::map<Set, uint32_t> set_numbers_;
  std::unordered_map<uint64_t, uint32_t> text_numbers_;  // by the text before and the byte
  std::vector<const Stack*> stacks_;                     // keys of the maps
  std::vector<const Set*> sets_;
  std::vector<uint64_t> texts_;
};

}  // namespace ivl::grammar
