// Single values as they are written.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "grammar/dfa.h"

namespace ivl::grammar {

// Of null, true, false, a number or a string: as short as it can be. A number without a fraction is written without one.
std::string literal(const nlohmann::json& value);

// Of UTF-8.
size_t characters(const std::string& text);

bool has(const Dfa& dfa, const std::string& text);

}  // namespace ivl::grammar
