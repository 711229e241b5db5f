// Vocabularies and grammars.
#include "api/barrier.h"
#include "api/handles.h"
#include "grammar/schema_error.h"

using namespace ivl;
using namespace ivl::api;

extern "C" {

ivl_status ivl_vocabulary_create(const char* bytes, const int64_t* ends, int64_t count, ivl_vocabulary** out) {
  return guarded([&] {
    if (count < 1) fail(Status::InvalidArgument, cat("count is ", count, ", expected at least 1"));
    given(bytes, "bytes");
    given(ends, "ends");
    std::vector<std::string> tokens;
    int64_t begin = 0;
    for (int64_t i = 0; i < count; ++i) {
      if (ends[i] < begin) fail(Status::InvalidArgument, cat("ends[", i, "] is ", ends[i], ", expected at least ", begin));
      tokens.emplace_back(bytes + begin, bytes + ends[i]);
      begin = ends[i];
    }
    auto vocabulary = std::make_shared<const grammar::Vocabulary>(std::move(tokens));
    hand_over(out, [&] { return new ivl_vocabulary{std::make_shared<grammar::RulesCache>(std::move(vocabulary))}; });
  });
}

void ivl_vocabulary_free(ivl_vocabulary* vocabulary) { delete vocabulary; }

ivl_status ivl_grammar_create(const ivl_vocabulary* vocabulary, const char* schema, ivl_text** place, ivl_grammar** out) {
  return guarded([&] {
    if (place != nullptr) *place = nullptr;
    const auto& schemas = given(vocabulary, "vocabulary").schemas;
    given(schema, "schema");
    try {
      auto rules = schemas->of(schema);
      hand_over(out, [&] { return new ivl_grammar{std::move(rules)}; });
    } catch (const grammar::SchemaError& error) {
      if (place != nullptr) *place = new ivl_text{error.pointer()};
      throw;
    }
  });
}

void ivl_grammar_free(ivl_grammar* grammar) { delete grammar; }

}  // extern "C"
