// Sets of Unicode characters, and the bytes of each in a JSON string.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace ivl::grammar {

struct CharacterRange {
  uint32_t first, last;
};

class Characters {
 public:
  Characters() = default;
  Characters(std::initializer_list<CharacterRange> ranges) : ranges_(ranges) {}
  // \d, \s, \w, as ECMAScript has them, or by their capital letters all others.
  static Characters escape_class(char letter);
  // All but the ends of lines.
  static Characters dot();
  static Characters any() { return {{0, kMost}}; }

  void add(uint32_t first, uint32_t last) { ranges_.push_back({first, last}); }
  void add(const Characters& others) { ranges_.insert(ranges_.end(), others.ranges_.begin(), others.ranges_.end()); }
  Characters others() const;
  // The first character of the first range.
  uint32_t first() const { return ranges_.front().first; }

  // Ranges of bytes that stand one behind another: together the ways to write one of the characters in a JSON string, with the shortest
  // escapes. Surrogates are no characters.
  using ByteRanges = std::vector<CharacterRange>;
  void write(const std::function<void(const ByteRanges&)>& out) const;

  static constexpr uint32_t kMost = 0x10ffff;

 private:
  Characters sorted() const;

  std::vector<CharacterRange> ranges_;
};

}  // namespace ivl::grammar
