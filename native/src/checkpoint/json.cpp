#include "checkpoint/json.h"

#include <unordered_set>
#include <vector>

#include "checkpoint/foreign_file.h"
#include "checkpoint/mapped_file.h"
#include "checkpoint/message.h"
#include "tensor/error.h"

namespace ivl {
namespace {

constexpr size_t kMaxBytes = size_t{16} << 20;
constexpr int kMaxDepth = 64;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // Windows' editors put it there

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& file) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  refuse_foreign(text, file);
  // The library takes a NUL for the end of its input; whatever is behind it would pass unread.
  if (const size_t nul = text.find('\0'); nul != text.npos) {
    fail(Status::Checkpoint, cat(file, ": not valid JSON: NUL at byte ", nul));
  }
  using Event = nlohmann::json::parse_event_t;
  std::vector<std::unordered_set<std::string>> keys;  // of the objects we are inside of
  const auto check = [&](int depth, Event event, const nlohmann::json& value) {
    if (depth > kMaxDepth) fail(Status::Checkpoint, cat(file, ": nested deeper than ", kMaxDepth, " levels"));
    if (event == Event::object_start) {
      keys.emplace_back();
    } else if (event == Event::object_end) {
      keys.pop_back();
    } else if (event == Event::key && !keys.back().insert(value.get_ref<const std::string&>()).second) {
      fail(Status::Checkpoint, cat(file, ": duplicate key ", quote(value.get_ref<const std::string&>())));
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, check);
  } catch (const nlohmann::json::exception& error) {
    fail(Status::Checkpoint, cat(file, ": not valid JSON: ", json_error(error)));
  }
}

nlohmann::json read_json(const std::filesystem::path& path) {
  std::error_code ignored;
  if (const auto size = std::filesystem::file_size(path, ignored); !ignored && size > kMaxBytes) {
    fail(Status::Checkpoint, cat(path.string(), ": ", size, " bytes, expected at most ", kMaxBytes));
  }
  const MappedFile file = MappedFile::open(path, Mapping::Copy);
  return parse_json({reinterpret_cast<const char*>(file.data()), file.size()}, file.path());
}

std::string json_error(const nlohmann::json::exception& error) {
  std::string_view message = error.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
  if (const size_t bracket = message.find("] "); bracket != message.npos) message.remove_prefix(bracket + 2);
  return printable(message);
}

std::string found(const nlohmann::json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return printable(value.dump(), 80);
}

}  // namespace ivl
