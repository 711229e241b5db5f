// Strict reading of a checkpoint's JSON files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace ivl {

// Error(Checkpoint), naming `file` and the place: not JSON, not UTF-8, a key given twice in one object (parsers differ
// in which one they take, so neither is right), or nested deeper than 64 levels.
nlohmann::json parse_json(std::string_view text, const std::string& file);

// The same for a file of at most 16 MiB; also the errors of MappedFile::open.
nlohmann::json read_json(const std::filesystem::path& file);

// The place and cause in the message of one of the library's exceptions, cut short.
std::string json_error(const nlohmann::json::exception& error);

// What was found where something else was expected, cut short, for messages.
std::string found(const nlohmann::json& value);

}  // namespace ivl
