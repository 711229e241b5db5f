// Schemas that a value satisfies all at once, and the ways it can.
#pragma once

#include <compare>
#include <functional>
#include <vector>

#include "grammar/dfa.h"
#include "grammar/document.h"

namespace ivl::grammar {

struct Part {
  const Json* schema;
  bool own = false;  // its own keywords alone: not what it refers to or offers to choose from
  auto operator<=>(const Part&) const = default;
};

using Conjunction = std::vector<Part>;  // in order, each once

Conjunction ordered(Conjunction parts);

// Schemas whose own keywords are all that counts; none is true or false. In order, each once.
using Keywords = std::vector<const Json*>;

// The ways to satisfy the conjunction, one for each choice that anyOf and oneOf offer, with allOf and $ref followed. A schema that leads to
// itself without a value between is satisfied by nothing on that way. `seen` is told of each schema. SchemaError where there are too many.
std::vector<Keywords> ways(const Document& document, const Conjunction& conjunction, Budget& budget,
                           const std::function<void(const Json&)>& seen);

}  // namespace ivl::grammar
