#include "grammar/literals.h"

#include <algorithm>
#include <cmath>

#include "grammar/json_string.h"

namespace ivl::grammar {

std::string literal(const nlohmann::json& value) {
  constexpr double kExact = 9007199254740992;  // 2^53
  if (value.is_string()) return '"' + escaped(value.get_ref<const std::string&>()) + '"';
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (number == std::floor(number) && std::fabs(number) <= kExact) return std::to_string(static_cast<int64_t>(number));
  }
  return value.dump();
}

size_t characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xc0) != 0x80; }));
}

bool has(const Dfa& dfa, const std::string& text) {
  if (dfa.empty()) return false;
  int32_t state = Dfa::kStart;
  for (const char byte : text) {
    if (state != kDead) state = dfa.next(state, static_cast<uint8_t>(byte));
  }
  return state != kDead && dfa.accepts(state);
}

}  // namespace ivl::grammar
