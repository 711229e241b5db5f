// Vocabularies for tests: every byte, and made-up tokens of all the kinds that a tokenizer has.
#pragma once

#include <memory>
#include <random>
#include <string>

#include "grammar/matcher.h"
#include "grammar/schema.h"

namespace ivl::grammar_test {

using namespace ivl::grammar;

inline constexpr int32_t kStop = 1;  // a special token, without bytes of its own

// Two special tokens, a token for each byte, then pieces of JSON and of texts until there are so many.
std::shared_ptr<const Vocabulary> made_up_vocabulary(size_t size, uint64_t seed = 1);

// A token for each byte, then short runs of these parts.
std::shared_ptr<const Vocabulary> vocabulary_of(const std::vector<std::string>& parts, size_t size, uint64_t seed);

// Of bytes alone.
inline std::shared_ptr<const Vocabulary> byte_vocabulary() { return made_up_vocabulary(258); }

inline std::shared_ptr<const Rules> rules_of(std::string_view schema,
                                             std::shared_ptr<const Vocabulary> vocabulary = byte_vocabulary()) {
  return std::make_shared<const Rules>(compile_schema(schema), std::move(vocabulary));
}

// Whether a whole answer under the schema is this text.
inline bool accepts(std::string_view schema, std::string_view text) {
  Matcher matcher(rules_of(schema), {kStop});
  return matcher.accept(text) && matcher.whole();
}

}  // namespace ivl::grammar_test
