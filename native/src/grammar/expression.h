// A regular expression as a tree.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "grammar/characters.h"

namespace ivl::grammar {

struct Expression {
  enum class Kind { Characters, Sequence, Alternatives, Repeated };
  Kind kind = Kind::Sequence;
  Characters characters = {};
  std::vector<Expression> parts = {};  // of a repeated one, itself
  uint32_t least = 1;
  std::optional<uint32_t> most = {};  // or without end
};

// One that is found anywhere in a text, unless ^ and $ say otherwise. See pattern.h for what is done, and the errors.
Expression parse_expression(std::string_view text);

}  // namespace ivl::grammar
