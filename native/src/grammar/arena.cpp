#include "grammar/arena.h"

#include <algorithm>

namespace ivl::grammar {
namespace {

// The thing's number; a new one is the count of those that there were.
template <class Thing>
uint32_t number_of(std::map<Thing, uint32_t>& numbers, std::vector<const Thing*>& things, const Thing& thing) {
  const auto [at, added] = numbers.emplace(thing, static_cast<uint32_t>(things.size()));
  if (added) things.push_back(&at->first);
  return at->second;
}

template <class Thing>
void forget(std::map<Thing, uint32_t>& numbers, std::vector<const Thing*>& things, size_t from) {
  for (; things.size() > from; things.pop_back()) numbers.erase(numbers.find(*things.back()));
}

}  // namespace

Arena::Arena() {
  number_of(stack_numbers_, stacks_, {});
  number_of(set_numbers_, sets_, {});
  texts_.push_back(UINT64_MAX);
}

uint32_t Arena::push(const Stack& stack) { return number_of(stack_numbers_, stacks_, stack); }

uint32_t Arena::with(uint32_t set, uint64_t member) {
  Set larger = *sets_[set];
  larger.insert(std::lower_bound(larger.begin(), larger.end(), member), member);
  return number_of(set_numbers_, sets_, larger);
}

bool Arena::has(uint32_t set, uint64_t member) const { return std::binary_search(sets_[set]->begin(), sets_[set]->end(), member); }

uint32_t Arena::append(uint32_t text, uint8_t byte) {
  const uint64_t key = uint64_t{text} << 8 | byte;
  const auto [at, added] = text_numbers_.emplace(key, static_cast<uint32_t>(texts_.size()));
  if (added) texts_.push_back(key);
  return at->second;
}

uint32_t Arena::find(uint32_t text, std::string_view more) const {
  for (const char byte : more) {
    const auto at = text_numbers_.find(uint64_t{text} << 8 | static_cast<uint8_t>(byte));
    if (at == text_numbers_.end()) return kNoText;
    text = at->second;
  }
  return text;
}

void Arena::back_to(const Mark& mark) {
  forget(stack_numbers_, stacks_, mark.stacks);
  forget(set_numbers_, sets_, mark.sets);
  for (; texts_.size() > mark.texts; texts_.pop_back()) text_numbers_.erase(texts_.back());
}

}  // namespace ivl::grammar
