// Random schemas: what masks lead to is valid, and what is valid is accepted.
#include <gtest/gtest.h>

#include "checkpoint/json.h"
#include "grammar/random_schemas.h"
#include "grammar/vocabularies.h"

namespace ivl::grammar_test {
namespace {

constexpr int kSchemas = 400;

// The schema's rules, or null if it is refused.
std::shared_ptr<const Rules> rules_or_null(const Json& schema, const std::shared_ptr<const Vocabulary>& vocabulary) {
  try {
    return rules_of(schema.dump(), vocabulary);
  } catch (const SchemaError&) {
    return nullptr;
  }
}

std::vector<uint32_t> tokens_in(const Mask& mask) {
  std::vector<uint32_t> tokens;
  for (uint32_t token = 0; token < mask.size() * 32; ++token) {
    if (allows(mask, token)) tokens.push_back(token);
  }
  return tokens;
}

// A walk where the shortest tokens, and the end, are likelier the longer it is.
std::optional<std::string> walk(const std::shared_ptr<const Rules>& rules, RandomSchemas& random) {
  Matcher matcher(rules, {kStop});
  std::string text;
  for (int step = 0; step < 400; ++step) {
    const std::vector<uint32_t> tokens = tokens_in(*matcher.allowed());
    EXPECT_FALSE(tokens.empty()) << text;
    if (tokens.empty()) return {};
    const bool may_end = allows(*matcher.allowed(), kStop);
    EXPECT_EQ(matcher.whole(), may_end);
    if (may_end && random.number(3) == 0) return text;
    uint32_t token = tokens[random.number(tokens.size())];
    for (const uint32_t closing : {'"', '}', ']', 'n', '0'}) {
      if (step > 30 && allows(*matcher.allowed(), 2 + closing) && random.number(3) != 0) token = 2 + closing;
    }
    if (token == kStop) return text;
    matcher.accept(static_cast<int32_t>(token));
    text += rules->vocabulary().bytes(token);
  }
  return {};  // it would have gone on
}

TEST(GrammarProperties, WalksThroughMasksGiveValidValues) {
  const auto vocabulary = made_up_vocabulary(3000);
  int walks = 0, refused = 0;
  for (int seed = 0; seed < kSchemas; ++seed) {
    RandomSchemas random(static_cast<uint64_t>(seed));
    const Json schema = random.schema();
    const auto rules = rules_or_null(schema, vocabulary);
    refused += rules == nullptr;
    if (rules == nullptr) continue;
    for (int i = 0; i < 3; ++i) {
      const std::optional<std::string> text = walk(rules, random);
      if (!text) continue;
      ++walks;
      Json value;
      ASSERT_NO_THROW(value = parse_json(*text, "walk")) << schema << "\n" << *text;  // also refuses a name given twice
      ASSERT_TRUE(valid(schema, schema, value)) << seed << " " << schema << "\n" << *text;
    }
  }
  EXPECT_GT(walks, kSchemas);
  EXPECT_LT(refused, kSchemas / 2);
}

TEST(GrammarProperties, ValuesAreAcceptedIfAndOnlyIfTheyAreValid) {
  const auto vocabulary = byte_vocabulary();
  int right = 0, wrong = 0;
  for (int seed = 0; seed < kSchemas; ++seed) {
    RandomSchemas random(static_cast<uint64_t>(seed) + 100'000);
    const Json schema = random.schema();
    const auto rules = rules_or_null(schema, vocabulary);
    if (rules == nullptr) continue;
    for (int i = 0; i < 30; ++i) {
      Json value = random.value(schema);
      if (i % 2 == 1) value = random.changed(value);
      const std::string text = value.dump();
      Matcher matcher(rules, {kStop});
      const bool expected = valid(schema, schema, value);
      ++(expected ? right : wrong);
      ASSERT_EQ(expected, matcher.accept(text) && matcher.whole()) << seed << " " << schema << "\n" << text;
    }
  }
  EXPECT_GT(right, 1500);
  EXPECT_GT(wrong, 1500);
}

// The bits are those of the definition: a token is allowed if its bytes can come next. Returns the token that it went on with.
uint32_t expect_defined(const std::shared_ptr<const Rules>& rules, Matcher& matcher, const std::string& text,
                        RandomSchemas& random) {
  const Vocabulary& vocabulary = rules->vocabulary();
  const Mask mask = *matcher.allowed();
  for (uint32_t token = 2; token < vocabulary.size(); ++token) {
    Matcher tried(rules, {kStop});
    EXPECT_EQ(tried.accept(text + vocabulary.bytes(token)), allows(mask, token)) << text << "|" << vocabulary.bytes(token);
  }
  std::vector<uint32_t> tokens = tokens_in(mask);
  std::erase(tokens, static_cast<uint32_t>(kStop));
  if (tokens.empty()) return kStop;
  const uint32_t token = tokens[random.number(tokens.size())];
  matcher.accept(static_cast<int32_t>(token));
  return token;
}

TEST(GrammarProperties, MasksAreWhatEachTokensBytesSay) {
  const auto vocabulary = made_up_vocabulary(600, 7);
  for (int seed = 0; seed < 60; ++seed) {
    RandomSchemas random(static_cast<uint64_t>(seed) + 200'000);
    const auto rules = rules_or_null(random.schema(), vocabulary);
    if (rules == nullptr) continue;
    Matcher matcher(rules, {kStop});
    std::string text;
    for (int step = 0; step < 15 && !HasFailure(); ++step) text += vocabulary->bytes(expect_defined(rules, matcher, text, random));
    ASSERT_FALSE(HasFailure()) << seed;
  }
}

// Tokens that end names, begin others and hold several whole ones; names that the object has, and those that it may not have.
TEST(GrammarProperties, MasksOfWholeNamesAreWhatEachTokensBytesSay) {
  const auto vocabulary =
      vocabulary_of({"a", "b", "ab", "\"", "\":", "1", ",", ",\"", "{\"", "}", "\\", "u00", "\xc3", "\xa9"}, 900, 3);
  const std::string schema = R"({"anyOf": [
      {"type": "object", "properties": {"a": {"type": "integer"}, "ab": false, "b\"a": {"maxLength": 2}}, "required": ["a"]},
      {"type": "object", "additionalProperties": {"type": "object"}},
      {"type": "string", "minLength": 1, "maxLength": 3}]})";
  for (const std::string& each : {std::string("{}"), schema}) {
    const auto rules = rules_of(each, vocabulary);
    for (uint64_t seed = 0; seed < 12; ++seed) {
      RandomSchemas random(seed);
      Matcher matcher(rules, {kStop});
      std::string text = seed % 2 == 0 ? R"({"a":1,"ba":{)" : "";
      ASSERT_TRUE(matcher.accept(text));
      for (int step = 0; step < 12 && !HasFailure(); ++step)
        text += vocabulary->bytes(expect_defined(rules, matcher, text, random));
      ASSERT_FALSE(HasFailure()) << each << " " << seed;
    }
  }
}

}  // namespace
}  // namespace ivl::grammar_test
