// Numbers between bounds, as texts.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "grammar/dfa.h"

namespace ivl::grammar {

// A number's decimal digits, as it is written: no zeros at their outer ends but for one before the point.
struct Decimal {
  bool negative = false;
  std::string whole, fraction;

  static Decimal of(const nlohmann::json& number);
};

struct Bound {
  Decimal at;
  bool exclusive = false;
};

// Unless a bound has more: who asks for numbers can hold these, and no answer is digits without end.
inline constexpr size_t kMostDigits = 20;

// Numbers as JSON writes them: whole ones without a fraction or an exponent, and bounded ones without an exponent. So many digits at most before and
// behind the point, and two of an exponent. They are compared as decimals, digit by digit.
Dfa numbers(bool whole, size_t digits, const std::optional<Bound>& least, const std::optional<Bound>& most, Budget& budget);

}  // namespace ivl::grammar
