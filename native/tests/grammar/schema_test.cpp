#include "grammar/schema.h"

#include <gtest/gtest.h>

#include "grammar/vocabularies.h"

namespace ivl::grammar_test {
namespace {

void expect_refused(Status status, const std::string& pointer, const std::string& schema) {
  try {
    compile_schema(schema);
    ADD_FAILURE() << schema << " was taken, expected " << pointer;
  } catch (const SchemaError& error) {
    EXPECT_EQ(pointer, error.pointer()) << error.what();
    EXPECT_EQ(status, error.status()) << error.what();
    EXPECT_NE(std::string(error.what()).find(pointer), std::string::npos);
  }
}

TEST(Schema, KeywordsThatAreNotDoneAreNamedWithTheirPlace) {
  expect_refused(Status::Unsupported, "/not", R"({"not": {}})");
  expect_refused(Status::Unsupported, "/properties/a~1b/items/multipleOf",
                 R"({"type": "object", "properties": {"a/b": {"items": {"type": "integer", "multipleOf": 3}}}})");
  expect_refused(Status::Unsupported, "/anyOf/1/uniqueItems", R"({"anyOf": [true, {"uniqueItems": true}]})");
  expect_refused(Status::Unsupported, "/patternProperties", R"({"patternProperties": {}})");
  expect_refused(Status::Unsupported, "/format", R"({"type": "string", "format": "hostname"})");
  expect_refused(Status::Unsupported, "/$ref", R"({"$ref": "https://example.org/schema"})");
  expect_refused(Status::Unsupported, "/items", R"({"type": "array", "items": [true]})");
  expect_refused(Status::Unsupported, "/pattern", R"({"type": "string", "pattern": "(?=a)b"})");
  expect_refused(Status::Unsupported, "/enum", R"({"enum": [{"a": 1}], "required": ["a"]})");
  EXPECT_NO_THROW(compile_schema(R"({"uniqueItems": false, "title": "a", "x-own": 1, "$schema": "s", "$id": "i"})"));
}

TEST(Schema, WhatIsNoSchemaIsNamedWithItsPlace) {
  expect_refused(Status::InvalidArgument, "", "");
  expect_refused(Status::InvalidArgument, "", R"({"type": "object")");
  expect_refused(Status::InvalidArgument, "", R"({"type": "object", "type": "object"})");
  expect_refused(Status::InvalidArgument, "", "3");
  expect_refused(Status::InvalidArgument, "/type", R"({"type": "text"})");
  expect_refused(Status::InvalidArgument, "/properties/a", R"({"properties": {"a": 1}})");
  expect_refused(Status::InvalidArgument, "/required", R"({"required": [1]})");
  expect_refused(Status::InvalidArgument, "/minLength", R"({"minLength": -1})");
  expect_refused(Status::InvalidArgument, "/maximum", R"({"maximum": "1"})");
  expect_refused(Status::InvalidArgument, "/anyOf", R"({"anyOf": []})");
  expect_refused(Status::InvalidArgument, "/enum", R"({"enum": []})");
  expect_refused(Status::InvalidArgument, "/$ref", R"({"$ref": "#/$defs/none"})");
  expect_refused(Status::InvalidArgument, "/pattern", R"({"pattern": "a("})");
}

TEST(Schema, WhatNothingSatisfiesIsRefused) {
  expect_refused(Status::InvalidArgument, "", "false");
  expect_refused(Status::InvalidArgument, "", R"({"allOf": [{"type": "string"}, {"type": "null"}]})");
  expect_refused(Status::InvalidArgument, "", R"({"type": "integer", "minimum": 0.1, "maximum": 0.9})");
  expect_refused(Status::InvalidArgument, "", R"({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]})");
  expect_refused(Status::InvalidArgument, "", R"({"$ref": "#"})");
  expect_refused(Status::InvalidArgument, "", R"({"const": 1, "enum": [2]})");
}

TEST(Schema, ObjectsHaveTheirNamesOnceInAnyOrder) {
  const std::string schema = R"({"type": "object", "properties": {"a": {"type": "integer"}, "ab": {"type": "null"}},
                                 "required": ["a"], "additionalProperties": false})";
  EXPECT_TRUE(accepts(schema, R"({"a":1,"ab":null})"));
  EXPECT_TRUE(accepts(schema, R"({"ab":null,"a":1})"));
  EXPECT_TRUE(accepts(schema, R"({"a":1})"));
  EXPECT_FALSE(accepts(schema, R"({"ab":null})"));
  EXPECT_FALSE(accepts(schema, R"({"a":1,"a":1})"));
  EXPECT_FALSE(accepts(schema, R"({"a":1,"b":1})"));
  EXPECT_FALSE(accepts(schema, R"({"a":1,)"));
  EXPECT_FALSE(accepts(schema, R"({"\u0061":1})"));  // names have the shortest escapes
}

TEST(Schema, OtherNamesComeOnceToo) {
  const std::string schema =
      R"({"type": "object", "properties": {"a": {"type": "integer"}, "no": false}, "additionalProperties": {"type": "boolean"}})";
  EXPECT_TRUE(accepts(schema, R"({"x":true,"a":1,"xy":false,"":true,"\n\"":true,"\u001f":true})"));
  EXPECT_FALSE(accepts(schema, R"({"x":true,"x":true})"));
  EXPECT_FALSE(accepts(schema, R"({"a":true})"));
  EXPECT_FALSE(accepts(schema, R"({"no":true})"));
  EXPECT_TRUE(accepts(schema, R"({"nothing":true,"n":true})"));
  EXPECT_TRUE(accepts(R"({"type": "object"})", R"({"x":{"x":1},"y":{"x":1}})"));
}

TEST(Schema, WhiteSpaceIsASpaceOrALineWithItsIndentation) {
  const std::string schema = R"({"type": "object", "properties": {"a": {"type": "array"}}})";
  EXPECT_TRUE(accepts(schema, "{\"a\": [1, 2], \"b\": {}}"));
  EXPECT_TRUE(accepts(schema, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}"));
  EXPECT_TRUE(accepts(schema, " {\"a\":[ ]}"));
  EXPECT_FALSE(accepts(schema, "{\"a\":  [1]}"));
  EXPECT_FALSE(accepts(schema, "{\"a\" : [1]}"));
  EXPECT_FALSE(accepts(schema, "{\"a\":[1 ,2]}"));
  EXPECT_FALSE(accepts(schema, "{}\n"));
  EXPECT_FALSE(accepts(schema, "{\n" + std::string(33, ' ') + "}"));
}

TEST(Schema, StringsAreWholeUtf8WithRightEscapes) {
  const std::string schema = R"({"type": "string", "minLength": 1, "maxLength": 2})";
  EXPECT_TRUE(accepts(schema, "\"\xf0\x9f\x98\x80\xe4\xbd\xa0\""));
  EXPECT_TRUE(accepts(schema, R"("\ud83d\ude00\n")"));
  EXPECT_TRUE(accepts(schema, R"("\u00E9\/")"));
  EXPECT_FALSE(accepts(schema, R"("")"));
  EXPECT_FALSE(accepts(schema, R"("abc")"));
  EXPECT_FALSE(accepts(schema, R"("\ud83d")"));  // half a pair
  EXPECT_FALSE(accepts(schema, R"("\ude00")"));  // the other half
  EXPECT_FALSE(accepts(schema, R"("\ud83d\u0041")"));
  EXPECT_FALSE(accepts(schema, "\"\xc0\x80\""));      // overlong
  EXPECT_FALSE(accepts(schema, "\"\xed\xa0\x80\""));  // a surrogate
  EXPECT_FALSE(accepts(schema, "\"\xf4\x90\x80\x80\""));
  EXPECT_FALSE(accepts(schema, "\"\xe4\xbd\""));  // cut
  EXPECT_FALSE(accepts(schema, "\"\n\""));
  EXPECT_FALSE(accepts(schema, R"("\x")"));
}

TEST(Schema, NumbersKeepTheirBoundsDigitByDigit) {
  const std::string whole = R"({"type": "integer", "minimum": -12, "exclusiveMaximum": 105})";
  for (int number = -130; number <= 1100; ++number)
    EXPECT_EQ(number >= -12 && number < 105, accepts(whole, std::to_string(number))) << number;
  for (const char* text : {"-0", "01", "1.0", "1e1", "+1", "-", ""})
    EXPECT_EQ(std::string(text) == "-0", accepts(whole, text)) << text;
  const std::string fraction = R"({"type": "number", "minimum": 0.125, "maximum": 1})";
  for (const char* text : {"0.125", "0.1250", "0.13", "0.9999", "1", "1.0", "1.00", "0.126"})
    EXPECT_TRUE(accepts(fraction, text)) << text;
  for (const char* text : {"0.1249", "0.12", "0", "1.01", "-1", "10", "0.", "1e0", "2"})
    EXPECT_FALSE(accepts(fraction, text)) << text;
  EXPECT_TRUE(accepts(R"({"type": "number", "exclusiveMinimum": 0})", "0.001"));
  EXPECT_FALSE(accepts(R"({"type": "number", "exclusiveMinimum": 0})", "0.000"));
  EXPECT_TRUE(accepts(R"({"type": "number"})", "-12.5e-10"));
  EXPECT_FALSE(accepts(R"({"type": "number"})", "1e100"));
  EXPECT_TRUE(accepts(R"({"type": "integer", "minimum": 1e30})", "1000000000000000000000000000000"));
}

TEST(Schema, PatternsAreFoundAnywhereUnlessTheySayOtherwise) {
  const auto matches = [](const std::string& pattern, const std::string& text) {
    return accepts(R"({"type": "string", "pattern": ")" + pattern + "\"}", '"' + text + '"');
  };
  EXPECT_TRUE(matches("b", "abc"));
  EXPECT_FALSE(matches("^b", "abc"));
  EXPECT_TRUE(matches("^a|c$", "xc"));
  EXPECT_TRUE(matches("^(?:\\\\d{2,3}|x+?)$", "123"));
  EXPECT_FALSE(matches("^(?:\\\\d{2,3}|x+?)$", "1234"));
  EXPECT_TRUE(matches("^[^a-z\\\\s]$", "\xf0\x9f\x98\x80"));
  EXPECT_FALSE(matches("^[^a-z\\\\s]$", "\xe3\x80\x80"));  // the ideographic space
  EXPECT_TRUE(matches("^.$", "\\\""));                     // a quote, escaped
  EXPECT_FALSE(matches("^.$", "\\n"));
  EXPECT_TRUE(matches("^\\\\u00e9\\\\/$", "\xc3\xa9/"));
  EXPECT_TRUE(accepts(R"({"type": "string", "pattern": "^a*$", "minLength": 2, "maxLength": 3})", R"("aaa")"));
  EXPECT_FALSE(accepts(R"({"type": "string", "pattern": "^a*$", "minLength": 2, "maxLength": 3})", R"("aaaa")"));
  EXPECT_TRUE(accepts(R"({"type": "string", "format": "date"})", R"("2024-02-29")"));
  EXPECT_FALSE(accepts(R"({"type": "string", "format": "date"})", R"("2023-02-29")"));
  EXPECT_TRUE(accepts(R"({"type": "string", "format": "date-time"})", R"("2024-12-31T23:59:59.5+01:00")"));
  EXPECT_TRUE(accepts(R"({"type": "string", "format": "date-time"})", R"("2024-12-31T23:59:59-00:30")"));
  EXPECT_FALSE(accepts(R"({"type": "string", "format": "date-time"})", R"("2024-12-31T23:59:59-00:00")"));
  EXPECT_TRUE(accepts(R"({"type": "string", "format": "ipv4"})", R"("255.0.1.19")"));
  EXPECT_FALSE(accepts(R"({"type": "string", "format": "ipv4"})", R"("256.0.1.19")"));
}

TEST(Schema, OneOfIsDoneWhereNothingSatisfiesTwo) {
  const std::string kinds = R"({"type": "object", "required": ["kind"], "oneOf": [
      {"properties": {"kind": {"const": "a"}, "x": {"type": "integer"}}},
      {"properties": {"kind": {"const": "b"}, "x": {"type": "string"}}}]})";
  EXPECT_TRUE(accepts(kinds, R"({"x":"1","kind":"b"})"));
  EXPECT_FALSE(accepts(kinds, R"({"x":"1","kind":"a"})"));
  expect_refused(Status::Unsupported, "/oneOf", R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})");
  expect_refused(Status::Unsupported, "/properties/a/oneOf",
                 R"({"properties": {"a": {"oneOf": [{"minLength": 1}, {"type": "string"}]}}})");
}

TEST(Schema, RecursionGoesThroughValues) {
  const std::string tree = R"({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "additionalProperties": false,
      "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}}})";
  EXPECT_TRUE(accepts(tree, R"({"children":[{"value":1},{"children":[{"children":[]}]}]})"));
  EXPECT_FALSE(accepts(tree, R"({"children":[{"value":1},{"children":[{"child":[]}]}]})"));
  // A way that leads to itself adds nothing.
  EXPECT_FALSE(accepts(R"({"anyOf": [{"type": "null"}, {"$ref": "#"}]})", "1"));
  EXPECT_TRUE(accepts(R"({"anyOf": [{"type": "null"}, {"$ref": "#"}]})", "null"));
}

// Each is refused, or compiled, in little time and memory; none ends the process.
TEST(Schema, HostileSchemasAreRefusedOrCompiled) {
  std::vector<std::string> schemas{
      std::string(600'000, ' '),
      std::string(100'000, '['),
      R"({"type": "string", "pattern": "(((a{1000}){1000}){1000}){1000}"})",
      R"({"type": "string", "pattern": "(a|b)*a(a|b){60}"})",
      R"({"type": "string", "pattern": "^a{0,900}$", "maxLength": 4000000000})",
      R"({"type": "string", "pattern": "\\\\u{fffffffffffff}"})",
      R"({"type": "integer", "minimum": -1e300, "maximum": 1e300})",
      R"({"type": "number", "minimum": 1e-300})",
      R"({"type": "array", "minItems": 4000000000})",
      R"({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"})",
      R"({"$ref": "#/~2"})",
      R"({"$ref": "#/%zz"})"};
  std::string choices = R"({"allOf": [)";
  for (int i = 0; i < 40; ++i) choices += R"({"anyOf": [{"minLength": 1}, {"maxLength": 2}]},)";
  schemas.push_back(choices + "true]}");
  std::string nested = R"({"$defs": {)";
  for (int i = 0; i < 30; ++i)
    nested += cat(R"("n)", i, R"(": {"anyOf": [{"$ref": "#/$defs/n)", i + 1, R"("}, {"$ref": "#/$defs/n)", i + 1, R"("}]},)");
  schemas.push_back(nested + R"("n30": {}}, "$ref": "#/$defs/n0"})");
  std::string properties = R"({"type": "object", "properties": {)";
  for (int i = 0; i < 6000; ++i) properties += cat(i > 0 ? "," : "", "\"p", i, R"(": {"type": "integer"})");
  schemas.push_back(properties + "}}");
  std::string texts = R"({"enum": [")";
  for (int i = 0; i < 20000; ++i) texts += cat(i, R"( is a text of some length", ")");
  schemas.push_back(texts + "\"]}");
  for (const std::string& schema : schemas) {
    try {
      compile_schema(schema);
    } catch (const SchemaError& error) {
      EXPECT_LT(std::string(error.what()).size(), 1000u);
    }
  }
}

}  // namespace
}  // namespace ivl::grammar_test
