#include "grammar/machine.h"

#include <algorithm>

namespace ivl::grammar {
namespace {

constexpr uint8_t kSpace = 1, kLine = 2, kMostIndented = kLine + 32;

bool is_space(uint8_t byte) { return byte == ' ' || byte == '\n'; }

void space(Stack stack, uint8_t byte, std::vector<Stack>& out) {
  uint8_t& spaces = stack.top.spaces;
  if (spaces == 0) {
    spaces = byte == ' ' ? kSpace : kLine;
  } else if (byte == ' ' && spaces >= kLine && spaces < kMostIndented) {
    ++spaces;
  } else {
    return;
  }
  out.push_back(stack);
}

uint64_t other_name(const Object& object, uint32_t text) { return object.properties.size() + text; }

}  // namespace

void Machine::step(const Stack& stack, uint8_t byte, std::vector<Stack>& out) {
  switch (stack.top.place) {
    case Place::Done: return;
    case Place::Value: return value(stack, byte, out);
    case Place::Text: return text(stack, byte, out);
    case Place::String: return string(stack, byte, out);
    case Place::ArrayFirst: return array_first(stack, byte, out);
    case Place::ArrayNext: return array_next(stack, byte, out);
    case Place::ObjectFirst:
    case Place::ObjectName:
    case Place::ObjectNext: return object(stack, byte, out);
    case Place::Key: return key(stack, byte, out);
    case Place::Colon:
      if (byte == ':') colon(stack, out);
      return;
  }
}

bool Machine::whole(const Stack& stack) const {
  if (stack.top.place == Place::Done) return true;
  return stack.top.place == Place::Text && stack.below == 0 &&
         grammar_.texts[stack.top.shape].dfa.accepts(static_cast<int32_t>(stack.top.at));
}

bool Machine::between_characters(const Stack& stack, uint32_t& most) const {
  if (stack.top.state != kBetween || !is_free(stack)) return false;
  most = stack.top.place == Place::Key ? kUnlimited : grammar_.strings[stack.top.shape].most;
  if (most != kUnlimited) most -= stack.top.at;
  return true;
}

// The value at the top has ended.
void Machine::ended(const Stack& stack, std::vector<Stack>& out) const {
  out.push_back(stack.below == 0 ? Stack{} : arena_.below(stack.below));
}

void Machine::value(const Stack& stack, uint8_t byte, std::vector<Stack>& out) {
  if (is_space(byte)) return space(stack, byte, out);
  for (const Shape& shape : grammar_.nodes[stack.top.shape].shapes) begin(stack, shape, byte, out);
}

void Machine::begin(Stack stack, const Shape& shape, uint8_t byte, std::vector<Stack>& out) {
  const auto opens = [&](uint8_t opening, Place place) {
    if (byte == opening) out.push_back({{.place = place, .shape = shape.index}, stack.below});
  };
  switch (shape.kind) {
    case ShapeKind::Text: stack.top = {.place = Place::Text, .shape = shape.index}; return text(stack, byte, out);
    case ShapeKind::String: return opens('"', Place::String);
    case ShapeKind::Array: return opens('[', Place::ArrayFirst);
    case ShapeKind::Object: return opens('{', Place::ObjectFirst);
  }
}

void Machine::text(Stack stack, uint8_t byte, std::vector<Stack>& out) {
  const Dfa& dfa = grammar_.texts[stack.top.shape].dfa;
  const auto now = static_cast<int32_t>(stack.top.at);
  const int32_t next = dfa.next(now, byte);
  if (next != kDead) {
    stack.top.at = static_cast<uint32_t>(next);
    return dfa.goes_on(next) ? out.push_back(stack) : ended(stack, out);
  }
  // A number has ended before what comes behind it.
  if (dfa.accepts(now) && stack.below != 0) step(arena_.below(stack.below), byte, out);
}

void Machine::string(Stack stack, uint8_t byte, std::vector<Stack>& out) {
  if (stack.top.state == kBetween && byte == '"') {
    if (stack.top.at >= grammar_.strings[stack.top.shape].least) ended(stack, out);
  } else if (inside(stack, byte)) {
    out.push_back(stack);
  }
}

bool Machine::is_free(const Stack& stack) const {
  if (stack.top.place == Place::Key) return grammar_.objects[stack.top.shape].additional != kNone;
  return stack.top.place == Place::String;
}

void Machine::array_first(Stack stack, uint8_t byte, std::vector<Stack>& out) {
  const Array& array = grammar_.arrays[stack.top.shape];
  if (is_space(byte)) return space(stack, byte, out);
  if (byte == ']') {
    if (array.least == 0) ended(stack, out);
    return;
  }
  if (array.most > 0) step(item(stack, 0), byte, out);
}

void Machine::array_next(Stack stack, uint8_t byte, std::vector<Stack>& out) {
  const Array& array = grammar_.arrays[stack.top.shape];
  const uint32_t items = stack.top.at;
  if (items >= array.least) {
    if (byte == ']') return ended(stack, out);
    if (is_space(byte)) return space(stack, byte, out);
  }
  if (byte == ',' && stack.top.spaces == 0 && items < array.most) out.push_back(item(stack, items));
}

// Before the array's next item.
Stack Machine::item(Stack stack, uint32_t items) {
  const Array& array = grammar_.arrays[stack.top.shape];
  stack.top = {.place = Place::ArrayNext, .shape = stack.top.shape, .at = std::min(items + 1, array.counted())};
  return {{.place = Place::Value, .shape = array.item(items)}, arena_.push(stack)};
}

bool Machine::may_add(const Object& object, const Frame& frame) const {
  return object.additional != kNone || arena_.size(frame.seen) < object.possible;
}

bool Machine::may_close(const Object& object, const Frame& frame) const {
  for (size_t i = 0; i < object.properties.size(); ++i) {
    if (object.properties[i].required && !arena_.has(frame.seen, i)) return false;
  }
  return true;
}

void Machine::object(Stack stack, uint8_t byte, std::vector<Stack>& out) {
  const Object& object = grammar_.objects[stack.top.shape];
  Frame& top = stack.top;
  const bool closes = top.place != Place::ObjectName && may_close(object, top);
  const bool names = top.place != Place::ObjectNext && may_add(object, top);
  if (is_space(byte) && (closes || names)) return space(stack, byte, out);
  if (byte == '}' && closes) return ended(stack, out);
  if (byte == '"' && names) {
    top = {.place = Place::Key, .shape = top.shape, .until = static_cast<uint32_t>(object.properties.size()), .seen = top.seen};
    out.push_back(stack);
  }
  if (byte == ',' && top.place == Place::ObjectNext && top.spaces == 0 && may_add(object, top)) {
    top.place = Place::ObjectName;
    out.push_back(stack);
  }
}

// Leaves those properties whose names go on so. Whether the name can become one that there may be.
bool Machine::narrow(const Object& object, Frame& frame, uint8_t byte) const {
  const auto begin = object.properties.begin();
  const auto before = [&](const Property& property, uint8_t value) {
    return property.name.size() <= frame.depth || static_cast<uint8_t>(property.name[frame.depth]) < value;
  };
  const auto behind = [&](uint8_t value, const Property& property) {
    return !before(property, value) && value < static_cast<uint8_t>(property.name[frame.depth]);
  };
  const auto first = std::lower_bound(begin + frame.at, begin + frame.until, byte, before);
  const auto last = std::upper_bound(first, begin + frame.until, byte, behind);
  frame.at = static_cast<uint32_t>(first - begin);
  frame.until = static_cast<uint32_t>(last - begin);
  ++frame.depth;
  if (frame.at == frame.until) frame.at = frame.until = frame.depth = 0;  // a name of its own
  if (object.additional != kNone) return true;
  for (uint32_t i = frame.at; i < frame.until; ++i) {
    if (object.properties[i].value != kNone && !arena_.has(frame.seen, i)) return true;
  }
  return false;
}

void Machine::key(Stack stack, uint8_t byte, std::vector<Stack>& out) {
  Frame& top = stack.top;
  if (top.state == kBetween && byte == '"') return end_of_key(stack, out);
  if (!inside(stack, byte)) return;
  if (grammar_.objects[top.shape].additional != kNone) top.text = arena_.append(top.text, byte);
  out.push_back(stack);
}

std::pair<uint32_t, uint64_t> Machine::named(const Object& object, const Frame& name) const {
  const bool known = name.at < name.until && object.properties[name.at].name.size() == name.depth;
  const uint32_t node = known ? object.properties[name.at].value : object.additional;
  const uint64_t number = known ? name.at : other_name(object, name.text);
  return {arena_.has(name.seen, number) ? kNone : node, number};
}

bool Machine::may_end(const Stack& name, std::string_view more) const {
  Frame top = name.top;
  if (top.state != kBetween) return false;
  top.text = arena_.find(top.text, more);
  return named(grammar_.objects[top.shape], top).first != kNone;
}

void Machine::append(Stack& name, std::string_view more) {
  for (const char byte : more) name.top.text = arena_.append(name.top.text, static_cast<uint8_t>(byte));
}

void Machine::end_of_key(Stack stack, std::vector<Stack>& out) {
  const Object& object = grammar_.objects[stack.top.shape];
  Frame& top = stack.top;
  const auto [node, name] = named(object, top);
  if (node == kNone) return;
  top = {.place = Place::Colon, .shape = top.shape, .at = node, .seen = arena_.with(top.seen, name)};
  out.push_back(stack);
}

void Machine::colon(Stack stack, std::vector<Stack>& out) {
  const uint32_t node = stack.top.at;
  stack.top.place = Place::ObjectNext;
  stack.top.at = 0;
  out.push_back({{.place = Place::Value, .shape = node}, arena_.push(stack)});
}

}  // namespace ivl::grammar
