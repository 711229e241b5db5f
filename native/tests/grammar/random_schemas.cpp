#include "grammar/random_schemas.h"

#include <algorithm>
#include <cmath>
#include <regex>

namespace ivl::grammar_test {
namespace {

constexpr int kDeepest = 3;

const std::vector<std::string> kNames{"a", "ab", "abc", "b", "", "q\"uote", "\xc3\xa9", "line\n"};
const std::vector<std::string> kPatterns{"^[a-c]{1,3}$", "^(?:ab|c)+$", "b", "^x", "^\\d{2}-\\d{2}$"};
const std::vector<std::string> kPatterned{"abc", "ab", "abab", "cab", "xyz", "12-34", "b", "c"};

bool is_type(const Json& value, const std::string& type) {
  if (type == "integer")
    return value.is_number_integer() || (value.is_number() && value.get<double>() == std::floor(value.get<double>()));
  if (type == "number") return value.is_number();
  return type == value.type_name();
}

size_t length(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xc0) != 0x80; }));
}

bool valid_number(const Json& schema, double value) {
  return (!schema.contains("minimum") || value >= schema["minimum"].get<double>()) &&
         (!schema.contains("maximum") || value <= schema["maximum"].get<double>()) &&
         (!schema.contains("exclusiveMinimum") || value > schema["exclusiveMinimum"].get<double>()) &&
         (!schema.contains("exclusiveMaximum") || value < schema["exclusiveMaximum"].get<double>());
}

bool valid_string(const Json& schema, const std::string& value) {
  return length(value) >= schema.value("minLength", size_t{0}) && length(value) <= schema.value("maxLength", SIZE_MAX) &&
         (!schema.contains("pattern") || std::regex_search(value, std::regex(schema["pattern"].get<std::string>())));
}

bool valid_array(const Json& root, const Json& schema, const Json& value) {
  if (value.size() < schema.value("minItems", size_t{0}) || value.size() > schema.value("maxItems", SIZE_MAX)) return false;
  const size_t first = schema.contains("prefixItems") ? schema["prefixItems"].size() : 0;
  for (size_t i = 0; i < value.size(); ++i) {
    if (i < first ? !valid(root, schema["prefixItems"][i], value[i])
                  : schema.contains("items") && !valid(root, schema["items"], value[i]))
      return false;
  }
  return true;
}

bool valid_object(const Json& root, const Json& schema, const Json& value) {
  const Json required = schema.value("required", Json::array());
  for (const Json& name : required) {
    if (!value.contains(name.get<std::string>())) return false;
  }
  const Json properties = schema.value("properties", Json::object());
  const auto items = value.items();
  return std::all_of(items.begin(), items.end(), [&](const auto& item) {
    if (properties.contains(item.key())) return valid(root, properties[item.key()], item.value());
    return !schema.contains("additionalProperties") || valid(root, schema["additionalProperties"], item.value());
  });
}

}  // namespace

bool valid(const Json& root, const Json& schema, const Json& value) {
  if (schema.is_boolean()) return schema.get<bool>();
  const auto is_valid = [&](const Json& each) { return valid(root, each, value); };
  if (schema.contains("$ref") && !is_valid(root.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1))))) return false;
  if (schema.contains("anyOf") && std::none_of(schema["anyOf"].begin(), schema["anyOf"].end(), is_valid)) return false;
  if (schema.contains("oneOf") && std::count_if(schema["oneOf"].begin(), schema["oneOf"].end(), is_valid) != 1) return false;
  if (schema.contains("allOf") && !std::all_of(schema["allOf"].begin(), schema["allOf"].end(), is_valid)) return false;
  if (schema.contains("const") && schema["const"] != value) return false;
  if (schema.contains("enum") && std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
    return false;
  if (schema.contains("type")) {
    const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
    if (std::none_of(types.begin(), types.end(), [&](const Json& type) { return is_type(value, type); })) return false;
  }
  if (value.is_number()) return valid_number(schema, value.get<double>());
  if (value.is_string()) return valid_string(schema, value.get<std::string>());
  if (value.is_array()) return valid_array(root, schema, value);
  return !value.is_object() || valid_object(root, schema, value);
}

Json RandomSchemas::schema() {
  root_ = schema(0);
  if (!root_.is_object()) root_ = {{"allOf", Json::array({root_})}};
  root_["$defs"] = {{"list",
                     {{"type", "object"},
                      {"properties", {{"next", {{"anyOf", {{{"$ref", "#/$defs/list"}}, {{"type", "null"}}}}}}}},
                      {"required", {"next"}},
                      {"additionalProperties", false}}},
                    {"small", {{"type", "integer"}, {"minimum", -3}, {"maximum", 12}}}};
  return root_;
}

Json RandomSchemas::schema(int depth) {
  switch (number(depth >= kDeepest ? 9 : 14)) {
    case 9: return {{"anyOf", {schema(depth + 1), schema(depth + 1)}}};
    case 10: return {{"allOf", {schema(depth + 1), schema(depth + 1)}}};
    case 11: return {{"$ref", one_in(2) ? "#/$defs/list" : "#/$defs/small"}};
    case 12: return one_in(4) ? Json(!one_in(8)) : object_schema(depth);
    case 13: return {{"oneOf", {schema(depth + 1), schema(depth + 1)}}};
    default: return plain_schema(depth);
  }
}

Json RandomSchemas::plain_schema(int depth) {
  const auto small = [&] { return static_cast<int64_t>(number(40)) - 20; };
  Json schema;
  switch (number(depth >= kDeepest ? 6 : 9)) {
    case 0: return {{"type", one_in(2) ? Json("null") : Json({"boolean", "null"})}};
    case 1: {
      schema["type"] = one_in(3) ? "number" : "integer";
      if (one_in(2))
        schema[one_in(2) ? "minimum" : "exclusiveMinimum"] = one_in(3) ? Json(static_cast<double>(small()) / 8) : Json(small());
      if (one_in(2))
        schema[one_in(2) ? "maximum" : "exclusiveMaximum"] = one_in(3) ? Json(static_cast<double>(small()) / 8) : Json(small());
      return schema;
    }
    case 2: return {{"const", any_value(kDeepest - 1)}};
    case 3: return {{"enum", {any_value(kDeepest), any_value(kDeepest), "red", 3}}};
    case 4: return {{"type", "string"}, {"pattern", kPatterns[number(kPatterns.size())]}};
    case 5: {
      schema["type"] = one_in(3) ? Json({"string", "null"}) : Json("string");
      if (one_in(2)) schema["minLength"] = number(4);
      if (one_in(2)) schema["maxLength"] = number(8);
      return schema;
    }
    case 6: return array_schema(depth);
    default: return object_schema(depth);
  }
}

Json RandomSchemas::object_schema(int depth) {
  Json schema{{"type", "object"}};
  for (uint64_t count = number(4); count > 0; --count)
    schema["properties"][kNames[number(kNames.size())]] = this->schema(depth + 1);
  for (uint64_t count = number(3); count > 0; --count) schema["required"].push_back(kNames[number(kNames.size())]);
  if (one_in(2)) schema["additionalProperties"] = one_in(2) ? Json(false) : this->schema(depth + 1);
  return schema;
}

Json RandomSchemas::array_schema(int depth) {
  Json schema{{"type", "array"}};
  for (uint64_t count = number(3); count > 0; --count) schema["prefixItems"].push_back(this->schema(depth + 1));
  if (one_in(2)) schema["items"] = this->schema(depth + 1);
  if (one_in(2)) schema["minItems"] = number(3);
  if (one_in(2)) schema["maxItems"] = number(5);
  return schema;
}

std::string RandomSchemas::text(size_t length) {
  static const std::vector<std::string> kCharacters{
      "a", "b", "c", "x", "1", " ", "\"", "\\", "\n", "\x01", "\x1f", "/", "\xc3\xa9", "\xe4\xbd\xa0", "\xf0\x9f\x98\x80", "\x7f"};
  std::string text;
  while (length-- > 0) text += kCharacters[number(kCharacters.size())];
  return text;
}

Json RandomSchemas::any_value(int depth) {
  switch (number(depth >= kDeepest ? 6 : 8)) {
    case 0: return nullptr;
    case 1: return one_in(2);
    case 2: return static_cast<int64_t>(number(60)) - 30;
    case 3: return (static_cast<double>(number(600)) - 299.5) / 16;  // whole numbers are written without a fraction
    case 4: return text(number(5));
    case 5: return kPatterned[number(kPatterned.size())];
    case 6: {
      Json list = Json::array();
      for (uint64_t count = number(4); count > 0; --count) list.push_back(any_value(depth + 1));
      return list;
    }
    default: {
      Json object = Json::object();
      for (uint64_t count = number(4); count > 0; --count) object[kNames[number(kNames.size())]] = any_value(depth + 1);
      return object;
    }
  }
}

Json RandomSchemas::value(const Json& schema, int depth) {
  if (!schema.is_object() || depth > 8 || one_in(20)) return any_value(kDeepest - 1);
  if (schema.contains("$ref")) return value(root_.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1))), depth + 1);
  for (const char* choice : {"anyOf", "oneOf", "allOf", "enum"}) {
    if (!schema.contains(choice)) continue;
    const Json& one = schema[choice][number(schema[choice].size())];
    return std::string_view(choice) == "enum" ? one : value(one, depth + 1);
  }
  if (schema.contains("const")) return schema["const"];
  if (!schema.contains("type")) return any_value(0);
  const Json& type = schema["type"].is_array() ? schema["type"][number(2)] : schema["type"];
  if (type == "object") {
    Json object = Json::object();
    const Json properties = schema.value("properties", Json::object()), required = schema.value("required", Json::array());
    for (const auto& item : properties.items()) {
      if (!one_in(3)) object[item.key()] = value(item.value(), depth + 1);
    }
    for (const Json& name : required) {
      if (!object.contains(name))
        object[name.get<std::string>()] = value(schema.value("additionalProperties", Json(true)), depth + 1);
    }
    if (one_in(3)) object[text(2)] = value(schema.value("additionalProperties", Json(true)), depth + 1);
    return object;
  }
  if (type == "array") {
    Json list = Json::array();
    for (uint64_t count = number(5), i = 0; i < count; ++i) {
      const Json first = schema.value("prefixItems", Json::array());
      list.push_back(value(i < first.size() ? first[i] : schema.value("items", Json(true)), depth + 1));
    }
    return list;
  }
  if (type == "string") return schema.contains("pattern") ? Json(kPatterned[number(kPatterned.size())]) : Json(text(number(8)));
  if (type == "integer") return static_cast<int64_t>(number(50)) - 25;
  if (type == "number") return (static_cast<double>(number(800)) - 399.5) / 16;
  if (type == "boolean") return one_in(2);
  return nullptr;
}

Json RandomSchemas::changed(const Json& value) {
  if (!value.is_structured() || value.empty() || one_in(3)) return any_value(0);
  Json other = value;
  auto at = other.begin();
  std::advance(at, static_cast<int64_t>(number(other.size())));
  if (one_in(3)) {
    other.erase(at);
  } else {
    *at = changed(*at);
  }
  return other;
}

}  // namespace ivl::grammar_test
