// Random schemas, random values, and a check of one against the other that knows nothing of grammars.
#pragma once

#include <random>

#include <nlohmann/json.hpp>

namespace ivl::grammar_test {

using Json = nlohmann::json;

class RandomSchemas {
 public:
  explicit RandomSchemas(uint64_t seed) : random_(seed) {}

  Json schema();
  // A value that the schema may have been made for; often it satisfies it.
  Json value(const Json& schema, int depth = 0);
  // Some other value near this one.
  Json changed(const Json& value);
  uint64_t number(uint64_t below) { return random_() % below; }

 private:
  Json schema(int depth);
  Json plain_schema(int depth);
  Json object_schema(int depth);
  Json array_schema(int depth);
  Json any_value(int depth);
  std::string text(size_t length);
  bool one_in(uint64_t count) { return number(count) == 0; }

  std::mt19937_64 random_;
  Json root_;
};

// Of the keywords that RandomSchemas writes.
bool valid(const Json& root, const Json& schema, const Json& value);

}  // namespace ivl::grammar_test
