// The inside of a JSON string, byte by byte: whole UTF-8, right escapes, surrogates in pairs.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ivl::grammar {

// Between two characters; others are inside one.
inline constexpr uint8_t kBetween = 0;
inline constexpr uint8_t kNoState = 0xff;

enum class Escapes {
  Any,
  Shortest,  // only where JSON demands one, and as JSON.stringify writes it: each text is written in one way
};

// By state and byte.
using StringTable = std::array<std::array<uint8_t, 256>, 27>;
extern const StringTable kAnyEscapes, kShortestEscapes;

// Behind a byte; the closing quote leads to no state.
inline uint8_t string_next(Escapes escapes, uint8_t state, uint8_t byte) {
  return (escapes == Escapes::Any ? kAnyEscapes : kShortestEscapes)[state][byte];
}

// UTF-8 with the shortest escapes, without the quotes.
std::string escaped(std::string_view text);

// The same of one character below U+0080.
std::string escaped(char character);

}  // namespace ivl::grammar
