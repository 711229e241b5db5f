// A compiled schema: which JSON values there may be, as small shapes that name one another by number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grammar/dfa.h"

namespace ivl::grammar {

inline constexpr uint32_t kNone = UINT32_MAX;       // no node: nothing may stand there
inline constexpr uint32_t kUnlimited = UINT32_MAX;  // of counts

// A number, a literal, a patterned string: as it is written.
struct Text {
  Dfa dfa;
  bool dense = false;  // a patterned string, of which many tokens may be a part
};

// Any string of so many characters.
struct FreeString {
  uint32_t least = 0, most = kUnlimited;
};

struct Array {
  std::vector<uint32_t> first;  // nodes of the items at the beginning
  uint32_t rest = kNone;        // of all others
  uint32_t least = 0, most = kUnlimited;

  uint32_t item(uint32_t index) const { return index < first.size() ? first[index] : rest; }
  // Counts from here on are alike.
  uint32_t counted() const;
};

struct Property {
  std::string name;  // with the shortest escapes
  uint32_t value = kNone;
  bool required = false;
};

struct Object {
  std::vector<Property> properties;  // by name; those that are forbidden, too
  uint32_t additional = kNone;       // all others
  uint32_t possible = 0;             // properties that have a value
};

enum class ShapeKind : uint8_t { Text, String, Array, Object };

struct Shape {
  ShapeKind kind;
  uint32_t index;
};

// One of several shapes.
struct Node {
  std::vector<Shape> shapes;
};

struct Grammar {
  std::vector<Node> nodes;
  std::vector<Text> texts;
  std::vector<FreeString> strings;
  std::vector<Array> arrays;
  std::vector<Object> objects;
  uint32_t root = 0;
};

inline uint32_t Array::counted() const {
  const auto beginning = static_cast<uint32_t>(first.size());
  const uint32_t bound = most == kUnlimited ? least : most;
  return beginning > bound ? beginning : bound;
}

}  // namespace ivl::grammar
