// Numbers in the text files that the system shows about itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace ivl {

// What the file begins with, if that is a number.
inline std::optional<int64_t> number_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  int64_t value = 0;
  return file >> value ? std::optional(value) : std::nullopt;
}

// What stands behind the word `name`.
inline std::optional<int64_t> field_in(const std::filesystem::path& path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  int64_t value = 0;
  while (file >> word) {
    if (word == name && file >> value) return value;
  }
  return std::nullopt;
}

}  // namespace ivl
