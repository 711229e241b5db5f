#include "grammar/json_string.h"

namespace ivl::grammar {
namespace {

enum State : uint8_t {
  kCharacter = kBetween,
  kLast,  // one byte of UTF-8 is missing
  kTwo,
  kThree,  // two, three
  kAfterE0,
  kAfterEd,
  kAfterF0,
  kAfterF4,  // the next byte is bounded: nothing overlong, no surrogates, nothing beyond U+10FFFF
  kEscape,
  kHex1,
  kHex2,
  kHex2OfD,
  kHex3,
  kHex4,  // of a \u
  kHigh3,
  kHigh4,
  kLowEscape,
  kLowU,
  kLow1,
  kLow2,
  kLow3,
  kLow4,  // of a pair
  kZero1,
  kZero2,
  kControl1,
  kControl0x,
  kControl1x,  // of the shortest \u00XX
  kStates
};

static_assert(std::tuple_size_v<StringTable> == kStates);

constexpr void lead(StringTable& table, State from, int first, int last, State to) {
  for (int byte = first; byte <= last; ++byte) table[from][static_cast<size_t>(byte)] = to;
}

constexpr void lead(StringTable& table, State from, std::string_view bytes, State to) {
  for (const char byte : bytes) table[from][static_cast<uint8_t>(byte)] = to;
}

constexpr std::string_view kHex = "0123456789abcdefABCDEF";

constexpr void add_utf8(StringTable& table) {
  lead(table, kCharacter, 0x20, 0x7f, kCharacter);
  table[kCharacter]['"'] = kNoState;
  table[kCharacter]['\\'] = kEscape;
  lead(table, kCharacter, 0xc2, 0xdf, kLast);
  lead(table, kCharacter, 0xe1, 0xef, kTwo);
  lead(table, kCharacter, 0xf1, 0xf3, kThree);
  table[kCharacter][0xe0] = kAfterE0;
  table[kCharacter][0xed] = kAfterEd;
  table[kCharacter][0xf0] = kAfterF0;
  table[kCharacter][0xf4] = kAfterF4;
  lead(table, kLast, 0x80, 0xbf, kCharacter);
  lead(table, kTwo, 0x80, 0xbf, kLast);
  lead(table, kThree, 0x80, 0xbf, kTwo);
  lead(table, kAfterE0, 0xa0, 0xbf, kLast);
  lead(table, kAfterEd, 0x80, 0x9f, kLast);
  lead(table, kAfterF0, 0x90, 0xbf, kTwo);
  lead(table, kAfterF4, 0x80, 0x8f, kTwo);
}

constexpr void add_any_escapes(StringTable& table) {
  lead(table, kEscape, "\"\\/bfnrt", kCharacter);
  table[kEscape]['u'] = kHex1;
  lead(table, kHex1, kHex, kHex2);
  lead(table, kHex1, "dD", kHex2OfD);
  lead(table, kHex2, kHex, kHex3);
  lead(table, kHex2OfD, "01234567", kHex3);
  lead(table, kHex2OfD, "89abAB", kHigh3);
  lead(table, kHex3, kHex, kHex4);
  lead(table, kHex4, kHex, kCharacter);
  lead(table, kHigh3, kHex, kHigh4);
  lead(table, kHigh4, kHex, kLowEscape);
  table[kLowEscape]['\\'] = kLowU;
  table[kLowU]['u'] = kLow1;
  lead(table, kLow1, "dD", kLow2);
  lead(table, kLow2, "cdefCDEF", kLow3);
  lead(table, kLow3, kHex, kLow4);
  lead(table, kLow4, kHex, kCharacter);
}

constexpr void add_shortest_escapes(StringTable& table) {
  lead(table, kEscape, "\"\\bfnrt", kCharacter);
  table[kEscape]['u'] = kZero1;
  table[kZero1]['0'] = kZero2;
  table[kZero2]['0'] = kControl1;
  table[kControl1]['0'] = kControl0x;
  table[kControl1]['1'] = kControl1x;
  lead(table, kControl0x, "01234567bef", kCharacter);  // 8, 9, a, c and d have shorter ones
  lead(table, kControl1x, "0123456789abcdef", kCharacter);
}

constexpr StringTable table_of(Escapes escapes) {
  StringTable table{};
  for (auto& row : table) row.fill(kNoState);
  add_utf8(table);
  escapes == Escapes::Any ? add_any_escapes(table) : add_shortest_escapes(table);
  return table;
}

}  // namespace

constexpr StringTable kAnyEscapes = table_of(Escapes::Any);
constexpr StringTable kShortestEscapes = table_of(Escapes::Shortest);

std::string escaped(char character) {
  constexpr std::string_view kShort = "\"\\\b\f\n\r\t", kLetters = "\"\\bfnrt";
  if (const size_t at = kShort.find(character); at != kShort.npos) return {'\\', kLetters[at]};
  const auto byte = static_cast<uint8_t>(character);
  if (byte >= 0x20) return {character};
  return {'\\', 'u', '0', '0', static_cast<char>('0' + byte / 16), "0123456789abcdef"[byte % 16]};
}

std::string escaped(std::string_view text) {
  std::string all;
  for (const char character : text) all += escaped(character);
  return all;
}

}  // namespace ivl::grammar
