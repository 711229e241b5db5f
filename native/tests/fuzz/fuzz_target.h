// What the fuzz targets have in common. The contract of each: of what is thrown only ivl::Error, with a message that is one short line
// of UTF-8 and a status that blames the file. Anything else ends the process, and the fuzzer keeps the input. Time and memory
// are bounded by the options that scripts/fuzz gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "tensor/error.h"

namespace ivl::fuzz {

inline std::string_view text_of(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }

inline void demand(bool holds) {
  if (!holds) std::abort();
}

// A message goes to Java as UTF-8, and to a terminal: nothing of a hostile file's control characters.
inline void check_message(const std::string& message) {
  demand(!message.empty() && message.size() < 20000);
  for (const char c : message) demand(static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
  nlohmann::json(message).dump();  // throws what is not UTF-8
}

// Runs the parser.
template <class Action>
void expect_errors_only(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    demand(error.status() == Status::Checkpoint || error.status() == Status::Unsupported);
    check_message(error.what());
  }
}

}  // namespace ivl::fuzz
