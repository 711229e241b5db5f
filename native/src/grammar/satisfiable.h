// What of a grammar can be satisfied, and by which values.
#pragma once

#include "grammar/grammar.h"

namespace ivl::grammar {

// Takes out what no value satisfies, so that every beginning that is left can go on to an end. False: nothing satisfies the root.
bool prune(Grammar& grammar);

// Whether surely no value is of both nodes.
bool disjoint(const Grammar& grammar, uint32_t a, uint32_t b, Budget& budget);

}  // namespace ivl::grammar
