#include "grammar/document.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "checkpoint/json.h"

namespace ivl::grammar {
namespace {

constexpr size_t kMostBytes = size_t{512} << 10;

// Keywords of JSON Schema that say which values there may be, and are not done.
constexpr std::array kRefused{"not",
                              "if",
                              "then",
                              "else",
                              "dependencies",
                              "multipleOf",
                              "dependentRequired",
                              "dependentSchemas",
                              "propertyNames",
                              "minProperties",
                              "maxProperties",
                              "patternProperties",
                              "contains",
                              "minContains",
                              "maxContains",
                              "unevaluatedItems",
                              "additionalItems",
                              "$dynamicRef",
                              "$recursiveRef",
                              "unevaluatedProperties"};

std::string escaped_part(const std::string& part) {
  std::string escaped;
  for (const char byte : part) escaped += byte == '~' ? "~0" : byte == '/' ? "~1" : std::string(1, byte);
  return escaped;
}

bool find_part(const Json& in, const Json& part, std::string& pointer) {
  if (&in == &part) return true;
  if (!in.is_structured()) return false;
  for (const auto& item : in.items()) {
    const size_t length = pointer.size();
    pointer += "/" + escaped_part(item.key());
    if (find_part(item.value(), part, pointer)) return true;
    pointer.resize(length);
  }
  return false;
}

std::string percent_decoded(const std::string& text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
                        std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0;
    decoded += escape ? static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)) : text[i];
    if (escape) i += 2;
  }
  return decoded;
}

}  // namespace

Document::Document(std::string_view text) {
  if (text.size() > kMostBytes) {
    throw SchemaError(Status::InvalidArgument, "", cat("it has ", text.size(), " bytes, expected at most ", kMostBytes));
  }
  try {
    root_ = parse_json(text, "the text");
  } catch (const Error& error) {
    throw SchemaError(Status::InvalidArgument, "", error.what());
  }
}

std::string Document::pointer(const Json& part) const {
  std::string found;
  find_part(root_, part, found);
  return found;
}

std::string Document::pointer(const Json& schema, const char* keyword) const { return cat(pointer(schema), "/", keyword); }

void Document::refuse(const Json& schema, const char* keyword, const std::string& why) const {
  throw SchemaError(Status::Unsupported, pointer(schema, keyword), why);
}

void Document::wrong(const Json& schema, const char* keyword, const std::string& expected) const {
  throw SchemaError(Status::InvalidArgument, pointer(schema, keyword),
                    cat("found ", found(schema.at(keyword)), ", expected ", expected));
}

void Document::check(const Json& schema) const {
  if (schema.is_boolean()) return;
  if (!schema.is_object()) {
    throw SchemaError(Status::InvalidArgument, pointer(schema),
                      cat("found ", found(schema), ", expected a schema: an object, true or false"));
  }
  for (const char* keyword : kRefused) {
    if (schema.contains(keyword)) refuse(schema, keyword, cat("the keyword \"", keyword, "\" is not supported"));
  }
  if (schema.value("uniqueItems", Json(false)) != false)
    refuse(schema, "uniqueItems", "the keyword \"uniqueItems\" is not supported");
  if (&schema != &root_ && schema.contains("$id")) refuse(schema, "$id", "\"$id\" is supported at the root alone");
}

const Json* Document::find(const Json& schema, const char* keyword) const {
  const auto found = schema.find(keyword);
  return found == schema.end() ? nullptr : &*found;
}

const Json* Document::object(const Json& schema, const char* keyword) const {
  const Json* value = find(schema, keyword);
  if (value != nullptr && !value->is_object()) wrong(schema, keyword, "an object");
  return value;
}

const Json* Document::list(const Json& schema, const char* keyword) const {
  const Json* value = find(schema, keyword);
  if (value != nullptr && (!value->is_array() || value->empty())) wrong(schema, keyword, "a list that is not empty");
  return value;
}

const Json* Document::number(const Json& schema, const char* keyword) const {
  const Json* value = find(schema, keyword);
  if (value != nullptr && !value->is_number()) wrong(schema, keyword, "a number");
  return value;
}

std::optional<std::string> Document::text(const Json& schema, const char* keyword) const {
  const Json* value = find(schema, keyword);
  if (value == nullptr) return {};
  if (!value->is_string()) wrong(schema, keyword, "a text");
  return value->get<std::string>();
}

std::optional<uint32_t> Document::count(const Json& schema, const char* keyword) const {
  const Json* value = number(schema, keyword);
  if (value == nullptr) return {};
  const double number = value->get<double>();
  if (number < 0 || number != std::floor(number)) wrong(schema, keyword, "a whole number of at least 0");
  return static_cast<uint32_t>(std::min(number, 4e9));  // beyond any context
}

std::vector<std::string> Document::names(const Json& schema, const char* keyword) const {
  const Json* value = find(schema, keyword);
  if (value == nullptr) return {};
  const bool texts =
      value->is_array() && std::all_of(value->begin(), value->end(), [](const Json& name) { return name.is_string(); });
  if (!texts) wrong(schema, keyword, "a list of texts");
  return value->get<std::vector<std::string>>();
}

const Json* Document::reference(const Json& schema) const {
  const std::optional<std::string> place = text(schema, "$ref");
  if (!place) return nullptr;
  const std::string path = percent_decoded(*place);
  if (path != "#" && !path.starts_with("#/")) {
    refuse(schema, "$ref", cat("found ", found(schema["$ref"]), "; supported is \"#\" with a JSON pointer into the schema itself"));
  }
  try {
    return &root_.at(Json::json_pointer(path.substr(1)));
  } catch (const Json::exception&) {
    wrong(schema, "$ref", "a place in the schema");
  }
}

}  // namespace ivl::grammar
