#include "grammar/characters.h"

#include <algorithm>

#include "grammar/json_string.h"

namespace ivl::grammar {
namespace {

using ByteRanges = Characters::ByteRanges;

std::vector<uint32_t> utf8(uint32_t character) {
  if (character < 0x80) return {character};
  if (character < 0x800) return {0xc0 | character >> 6, 0x80 | (character & 0x3f)};
  if (character < 0x10000) return {0xe0 | character >> 12, 0x80 | (character >> 6 & 0x3f), 0x80 | (character & 0x3f)};
  return {0xf0 | character >> 18, 0x80 | (character >> 12 & 0x3f), 0x80 | (character >> 6 & 0x3f), 0x80 | (character & 0x3f)};
}

// Cuts the range until all of it has as many bytes, and each byte all values between its first and its last.
void write_utf8(uint32_t first, uint32_t last, const std::function<void(const ByteRanges&)>& out) {
  if (first > last) return;
  const auto cut = [&](uint32_t end) {
    write_utf8(first, end, out);
    write_utf8(end + 1, last, out);
  };
  for (const uint32_t most : {0x7fu, 0x7ffu, 0xd7ffu, 0xffffu}) {
    if (first <= most && most < last) return cut(most);
  }
  if (first >= 0xd800 && last <= 0xdfff) return;  // surrogates
  if (first < 0xe000 && last >= 0xe000 && first >= 0xd800) return write_utf8(0xe000, last, out);
  for (uint32_t mask = 0x3f; first >= 0x80 && mask <= 0x3ffff; mask = mask << 6 | 0x3f) {
    if ((first & ~mask) == (last & ~mask)) break;
    if ((first & mask) != 0) return cut(first | mask);
    if ((last & mask) != mask) return cut((last & ~mask) - 1);
  }
  const std::vector<uint32_t> begin = utf8(first), end = utf8(last);
  ByteRanges bytes;
  for (size_t i = 0; i < begin.size(); ++i) bytes.push_back({begin[i], end[i]});
  out(bytes);
}

void write_escaped(uint32_t character, const std::function<void(const ByteRanges&)>& out) {
  ByteRanges bytes;
  for (const char byte : escaped(static_cast<char>(character))) {
    bytes.push_back({static_cast<uint8_t>(byte), static_cast<uint8_t>(byte)});
  }
  out(bytes);
}

}  // namespace

Characters Characters::escape_class(char letter) {
  switch (letter) {
    case 'd': return {{'0', '9'}};
    case 'w': return {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    case 's':
      return {{9, 13},          {' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
              {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};
    default: return escape_class(static_cast<char>(letter + ('a' - 'A'))).others();
  }
}

Characters Characters::dot() { return Characters{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}.others(); }

Characters Characters::sorted() const {
  std::vector<CharacterRange> ranges = ranges_;
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Characters joined;
  for (const CharacterRange& range : ranges) {
    if (!joined.ranges_.empty() && range.first <= joined.ranges_.back().last + 1) {
      joined.ranges_.back().last = std::max(joined.ranges_.back().last, range.last);
    } else {
      joined.ranges_.push_back(range);
    }
  }
  return joined;
}

Characters Characters::others() const {
  Characters others;
  uint32_t next = 0;
  for (const CharacterRange& range : sorted().ranges_) {
    if (next < range.first) others.add(next, range.first - 1);
    next = range.last + 1;
  }
  if (next <= kMost) others.add(next, kMost);
  return others;
}

void Characters::write(const std::function<void(const ByteRanges&)>& out) const {
  for (const CharacterRange& range : sorted().ranges_) {
    uint32_t next = range.first;
    for (uint32_t each = next; each <= std::min<uint32_t>(range.last, '\\'); ++each) {
      if (each >= 0x20 && each != '"' && each != '\\') continue;
      if (next < each) write_utf8(next, each - 1, out);
      write_escaped(each, out);
      next = each + 1;
    }
    write_utf8(next, range.last, out);
  }
}

}  // namespace ivl::grammar
