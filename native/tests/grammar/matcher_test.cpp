#include "grammar/matcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "grammar/vocabularies.h"

namespace ivl::grammar_test {
namespace {

int32_t byte_token(char byte) { return 2 + static_cast<uint8_t>(byte); }

TEST(Matcher, AnAnswerEndsOnlyWhereItIsWhole) {
  Matcher matcher(rules_of(R"({"type": "integer"})"), {kStop});
  EXPECT_FALSE(allows(*matcher.allowed(), kStop));
  matcher.accept(byte_token('-'));
  EXPECT_FALSE(allows(*matcher.allowed(), kStop));
  matcher.accept(byte_token('1'));
  EXPECT_TRUE(allows(*matcher.allowed(), kStop));
  EXPECT_TRUE(allows(*matcher.allowed(), static_cast<uint32_t>(byte_token('2'))));
  EXPECT_FALSE(allows(*matcher.allowed(), static_cast<uint32_t>(byte_token('.'))));
}

TEST(Matcher, SpecialTokensAreNoText) {
  Matcher matcher(rules_of("{}"), {kStop});
  matcher.accept(byte_token('"'));
  EXPECT_FALSE(allows(*matcher.allowed(), 0));
  EXPECT_FALSE(allows(*matcher.allowed(), kStop));
}

// A token with bytes that ends answers is no part of one.
TEST(Matcher, AStopTokenWithBytesOnlyStops) {
  Matcher matcher(rules_of("{}"), {byte_token('}')});
  matcher.accept(byte_token('{'));
  EXPECT_FALSE(allows(*matcher.allowed(), static_cast<uint32_t>(byte_token('}'))));
  Matcher number(rules_of("{}"), {byte_token('}')});
  number.accept(byte_token('1'));
  EXPECT_TRUE(allows(*number.allowed(), static_cast<uint32_t>(byte_token('}'))));
}

TEST(Matcher, TooManyWaysToReadAnAnswerAreAnError) {
  std::string schema = R"({"$defs": {"a": {"anyOf": [)";
  for (int i = 0; i < 10; ++i) schema += cat(R"({"type": "array", "maxItems": )", i + 2, R"(, "items": {"$ref": "#/$defs/a"}},)");
  schema += R"({"type": "null"}]}}, "$ref": "#/$defs/a"})";
  Matcher matcher(rules_of(schema), {kStop});
  try {
    for (int i = 0; i < 8; ++i) matcher.accept("[");
    ADD_FAILURE() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(Status::Unsupported, error.status());
  }
}

double cpu_micros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// Printed, not held against a bound: machines differ. A document of all kinds of values, a token at a time.
TEST(Matcher, TimeOfItsMasks) {
  const std::string schema =
      R"({"type": "object", "required": ["name", "kind", "tags", "count"], "additionalProperties": false, "properties": {
      "name": {"type": "string", "maxLength": 60}, "kind": {"enum": ["circle", "square", "triangle"]}, "count": {"type": "integer", "minimum": 0},
      "code": {"type": "string", "pattern": "^[a-z]+[0-9]*$"}, "tags": {"type": "array", "items": {"type": "string"}},
      "more": {"type": "object"}}})";
  const std::string answer =
      R"({"name": "A red circle and a \"blue\" square", "kind": "circle", "tags": ["one", "two and three", "four"], )"
      R"("code": "abcdefgh123", "more": {"a": [1.5, true], "b": {"c": "text of some words"}}, "count": 17})";
  for (const size_t size : {size_t{64'009}, size_t{151'936}}) {
    const auto vocabulary = made_up_vocabulary(size);
    const double begin = cpu_micros();
    const auto rules = rules_of(schema, vocabulary);
    const double compiled = cpu_micros() - begin;
    std::vector<double> micros;
    for (int round = 0; round < 5; ++round) {
      Matcher matcher(rules, {kStop});
      for (size_t at = 0; at < answer.size(); at += 3) {
        const double start = cpu_micros();
        matcher.allowed();
        micros.push_back(cpu_micros() - start);
        ASSERT_TRUE(matcher.accept(std::string_view(answer).substr(at, 3))) << at;
      }
      EXPECT_TRUE(matcher.whole());
    }
    std::sort(micros.begin(), micros.end());
    double sum = 0;
    for (const double each : micros) sum += each;
    std::printf("%zu tokens: compiled in %.0f us; masks of %zu steps: average %.1f us, median %.1f, p99 %.1f, most %.1f\n", size,
                compiled, micros.size(), sum / static_cast<double>(micros.size()), micros[micros.size() / 2],
                micros[micros.size() * 99 / 100], micros.back());
  }
}

}  // namespace
}  // namespace ivl::grammar_test
