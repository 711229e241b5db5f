// A schema's text: its places, and what its keywords say.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "grammar/schema_error.h"

namespace ivl::grammar {

using Json = nlohmann::json;

class Document {
 public:
  // SchemaError if it is no JSON, too large or too deep.
  explicit Document(std::string_view text);

  const Json& root() const { return root_; }
  // Where a part of it stands, as a JSON pointer.
  std::string pointer(const Json& part) const;
  std::string pointer(const Json& schema, const char* keyword) const;

  [[noreturn]] void refuse(const Json& schema, const char* keyword, const std::string& why) const;
  [[noreturn]] void wrong(const Json& schema, const char* keyword, const std::string& expected) const;

  // SchemaError if it is neither an object nor true or false, or has a keyword that is not done.
  void check(const Json& schema) const;

  // ---- keywords of a schema that is an object; null or empty: it has none
  const Json* find(const Json& schema, const char* keyword) const;
  const Json* object(const Json& schema, const char* keyword) const;
  const Json* list(const Json& schema, const char* keyword) const;  // of at least one
  const Json* number(const Json& schema, const char* keyword) const;
  std::optional<std::string> text(const Json& schema, const char* keyword) const;
  std::optional<uint32_t> count(const Json& schema, const char* keyword) const;
  std::vector<std::string> names(const Json& schema, const char* keyword) const;  // a list of texts
  const Json* reference(const Json& schema) const;                                // what $ref means

 private:
  Json root_;
};

}  // namespace ivl::grammar
