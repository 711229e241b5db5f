// Reads an answer byte by byte. Where it can be read in several ways, all are followed.
//
// White space is allowed before a value, a name and a closing bracket: a space, or the end of a line and up to 32 spaces. Names are written with
// the shortest escapes, and come in any order, each once.
#pragma once

#include <vector>

#include "grammar/arena.h"
#include "grammar/grammar.h"

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
  void end_of_key(Stack stack, std::vector<Stack>& out);
  void colon(Stack stack, std::vector<Stack>& out);
  bool may_add(const Object& object, const Frame& frame) const;
  bool may_close(const Object& object, const Frame& frame) const;
  bool narrow(const Object& object, Frame& frame, uint8_t byte) const;
  void ended(const Stack& stack, std::vector<Stack>& out) const;

  const Grammar& grammar_;
  Arena arena_;
};

}  // namespace ivl::grammar
