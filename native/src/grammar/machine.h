// Reads an answer byte by byte. Where it can be read in several ways, all are followed.
//
// White space is allowed before a value, a name and a closing bracket: a space, or the end of a line and up to 32 spaces. Names are written with
// the shortest escapes, and come in any order, each once.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "grammar/arena.h"
#include "grammar/grammar.h"
#include "grammar/json_string.h"

namespace ivl::grammar {

class Machine {
 public:
  explicit Machine(const Grammar& grammar) : grammar_(grammar) {}

  Stack start() const { return {{.place = Place::Value, .shape = grammar_.root}, 0}; }
  // Where the byte leads to, appended to `out`. Each of these can go on to a whole value.
  void step(const Stack& stack, uint8_t byte, std::vector<Stack>& out);
  // Whether the value may end here.
  bool whole(const Stack& stack) const;

  Arena& arena() { return arena_; }
  // Of a free string or a free name between two characters: how many more there may be. Of anything else nothing.
  bool between_characters(const Stack& stack, uint32_t& most) const;

  // ---- a free string or a free name, byte by byte: what step() does, but quicker, and leaving out the name's text
  bool is_free(const Stack& stack) const;
  // Where the byte leads to. False if it can't stand inside: it ends the string, or is none of one.
  bool inside(Stack& stack, uint8_t byte) const;
  // Whether a quote may end the name that has these bytes more.
  bool may_end(const Stack& name, std::string_view more) const;
  void append(Stack& name, std::string_view more);

 private:
  void begin(Stack stack, const Shape& shape, uint8_t byte, std::vector<Stack>& out);
  void value(const Stack& stack, uint8_t byte, std::vector<Stack>& out);
  void text(Stack stack, uint8_t byte, std::vector<Stack>& out);
  void string(Stack stack, uint8_t byte, std::vector<Stack>& out);
  void array_first(Stack stack, uint8_t byte, std::vector<Stack>& out);
  void array_next(Stack stack, uint8_t byte, std::vector<Stack>& out);
  Stack item(Stack stack, uint32_t items);
  void object(Stack stack, uint8_t byte, std::vector<Stack>& out);
  void key(Stack stack, uint8_t byte, std::vector<Stack>& out);
  // A name as it stands there: what its value is, kNone if there may be none, and the number that sets know it by.
  std::pair<uint32_t, uint64_t> named(const Object& object, const Frame& name) const;
  void end_of_key(Stack stack, std::vector<Stack>& out);
  void colon(Stack stack, std::vector<Stack>& out);
  bool may_add(const Object& object, const Frame& frame) const;
  bool may_close(const Object& object, const Frame& frame) const;
  bool narrow(const Object& object, Frame& frame, uint8_t byte) const;
  void ended(const Stack& stack, std::vector<Stack>& out) const;

  const Grammar& grammar_;
  Arena arena_;
};

// Here, for its speed is a walk's.
inline bool Machine::inside(Stack& stack, uint8_t byte) const {
  Frame& top = stack.top;
  if (top.state == kBetween && byte == '"') return false;
  if (top.place == Place::Key) {
    const Object& object = grammar_.objects[top.shape];
    top.state = string_next(Escapes::Shortest, top.state, byte);
    const bool own = object.additional != kNone && top.at == top.until;  // and stays so
    return top.state != kNoState && (own || narrow(object, top, byte));
  }
  const FreeString& string = grammar_.strings[top.shape];
  uint32_t& characters = top.at;
  if (top.state == kBetween) {
    if (characters == string.most) return false;
    characters += string.most != kUnlimited || characters < string.least;
  }
  top.state = string_next(Escapes::Any, top.state, byte);
  return top.state != kNoState;
}

}  // namespace ivl::grammar
