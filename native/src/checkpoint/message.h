// Text of untrusted files, made fit for error messages: short, one line, valid UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ivl {

// 'text' in single quotes. Control characters and bytes that are not UTF-8 become \xNN; text over 160 bytes is cut.
std::string quote(std::string_view text);

// The same without the quotes, for messages that contain pieces of a file.
std::string printable(std::string_view text, size_t limit = 400);

// "(64, 3, 14, 14)"; "()" for a scalar.
std::string shape_text(const std::vector<int64_t>& shape);

}  // namespace ivl
