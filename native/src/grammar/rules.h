// A schema's grammar and the vocabulary that answers are written with.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "grammar/grammar.h"
#include "grammar/vocabulary.h"

namespace ivl::grammar {

// Any thread may use it.
class Rules {
 public:
  Rules(Grammar grammar, std::shared_ptr<const Vocabulary> vocabulary)
      : grammar_(std::move(grammar)), vocabulary_(std::move(vocabulary)) {}
  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;

  const Grammar& grammar() const { return grammar_; }
  const Vocabulary& vocabulary() const { return *vocabulary_; }

  // Tokens that can stand in the text from this state of its automaton on, without ending it. Found once.
  std::shared_ptr<const Mask> inside(uint32_t text, uint32_t state) const;

 private:
  const Grammar grammar_;
  const std::shared_ptr<const Vocabulary> vocabulary_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<uint32_t, uint32_t>, std::shared_ptr<const Mask>> inside_;
};

}  // namespace ivl::grammar
