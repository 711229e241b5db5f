// One object of a configuration file, read field by field with checks and errors that name the field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ivl {

// A field that is absent or null has its default. Errors, all Error(Checkpoint) unless said otherwise:
// "FILE: section.field: expected ..., got ...". Does not own the JSON.
class ConfigSection {
 public:
  // `name` is empty for the file's top level, which must be an object.
  ConfigSection(const nlohmann::json& object, std::string file, std::string name);

  ConfigSection section(const char* field) const;  // required
  bool has(const char* field) const { return value(field) != nullptr; }
  bool is_set(const char* field) const;        // not absent, null, false, 0 or empty
  std::string place(const char* field) const;  // "section.field"

  // A number without a fraction, however it is written.
  int64_t integer(const char* field, int64_t low, int64_t high) const;  // required
  int64_t integer(const char* field, int64_t low, int64_t high, int64_t otherwise) const;
  // Of a square: one integer, or its height and width, which must be equal.
  int64_t side(const char* field, int64_t low, int64_t high, int64_t otherwise) const;
  // Finite and greater than 0. An integer will do.
  double positive(const char* field, double otherwise) const;
  std::vector<double> positives(const char* field) const;  // a list of them; empty if absent
  bool flag(const char* field, bool otherwise) const;
  std::string text(const char* field, const std::string& otherwise) const;
  std::vector<std::string> texts(const char* field) const;                            // a list; empty if absent
  std::vector<int64_t> integers(const char* field, int64_t low, int64_t high) const;  // a list; empty if absent
  std::vector<int64_t> ids(const char* field, int64_t limit) const;                   // one integer or a list, each in [0, limit)

  [[noreturn]] void expected(const char* field, const std::string& what) const;
  [[noreturn]] void expected(const char* field, const std::string& what, const std::string& got) const;
  [[noreturn]] void unsupported(const char* field, const std::string& supported) const;  // Error(Unsupported)
  void refuse_if_set(const char* field, const std::string& supported) const;

 private:
  const nlohmann::json* value(const char* field) const;  // nullptr if absent or null
  std::string got(const char* field) const;

  const nlohmann::json* object_;
  std::string file_;
  std::string name_;
};

}  // namespace ivl
