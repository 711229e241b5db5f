#include "grammar/vocabularies.h"

#include <set>

namespace ivl::grammar_test {
namespace {

// Letters of one to four bytes, digits, spaces and what JSON is made of.
std::string piece(std::mt19937_64& random) {
  static const std::vector<std::string> kLetters{"a",
                                                 "b",
                                                 "e",
                                                 "n",
                                                 "o",
                                                 "r",
                                                 "s",
                                                 "t",
                                                 "x",
                                                 "A",
                                                 "Z",
                                                 "_",
                                                 "\xc3\xa9",
                                                 "\xd0\xb6",
                                                 "\xe4\xbd\xa0",
                                                 "\xe2\x82\xac",
                                                 "\xf0\x9f\x98\x80"};
  static const std::vector<std::string> kMarks{
      "\"",  "\\",  "{",  "}",    "[", "]", ":", ",", "\",", "\":",  "\": ", "{\"",   "\"}", "\": \"", "\", \"",
      "\\n", "\\u", "\n", "\n  ", "-", ".", "e", "0", "17",  "true", "null", "false", "]}",  "\\\"",   "\\\\"};
  const auto one_of = [&](const std::vector<std::string>& all) { return all[random() % all.size()]; };
  std::string text = random() % 2 == 0 ? " " : "";
  const size_t kind = random() % 50;  // few have marks, as in vocabularies of languages
  for (size_t length = 1 + random() % 8; length > 0; --length) {
    text += kind == 0   ? one_of(kMarks)
            : kind == 1 ? std::to_string(random() % 10)
            : kind == 2 ? one_of(random() % 3 == 0 ? kMarks : kLetters)
                        : one_of(kLetters);
  }
  // Some begin or end inside a character.
  if (random() % 16 == 0) text.erase(0, 1);
  if (random() % 16 == 0 && !text.empty()) text.pop_back();
  return text;
}

template <class Piece>
std::shared_ptr<const Vocabulary> filled(size_t size, const Piece& piece) {
  std::vector<std::string> tokens(2);
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  std::set<std::string> known;
  while (tokens.size() < size) {
    std::string text = piece();
    if (text.size() > 1 && known.insert(text).second) tokens.push_back(std::move(text));
  }
  return std::make_shared<const Vocabulary>(std::move(tokens));
}

}  // namespace

std::shared_ptr<const Vocabulary> made_up_vocabulary(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  return filled(size, [&] { return piece(random); });
}

std::shared_ptr<const Vocabulary> vocabulary_of(const std::vector<std::string>& parts, size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  return filled(size, [&] {
    std::string text;
    for (size_t length = 2 + random() % 6; length > 0; --length) text += parts[random() % parts.size()];
    return text;
  });
}

}  // namespace ivl::grammar_test
