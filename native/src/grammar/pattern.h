// Regular expressions of ECMAScript, as "pattern" has them, over the inside of JSON strings.
//
// Done: characters and their escapes, classes, groups, alternatives, repetitions, ^ and $ at the ends of the whole or of its
// alternatives. Not: what looks around or back, \b, \p, and ^ and $ elsewhere.
#pragma once

#include <string_view>

#include "grammar/dfa.h"

namespace ivl::grammar {

// The strings in which the pattern is found, with their quotes. Error(Unsupported) for what is not done, InvalidArgument for what is no
// regular expression; both say where.
Dfa pattern(std::string_view expression, Budget& budget);

// Strings of so many characters, with their quotes.
Dfa strings(uint32_t least, uint32_t most, Budget& budget);

// Of a "format", a pattern of its whole text; null where none is known.
const char* format_pattern(std::string_view format);

// Those that there are, for messages.
std::string known_formats();

}  // namespace ivl::grammar
