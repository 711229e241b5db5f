#include "grammar/schema_compiler.h"

#include <algorithm>
#include <array>

#include "checkpoint/json.h"
#include "grammar/json_string.h"
#include "grammar/literals.h"
#include "grammar/numbers.h"
#include "grammar/pattern.h"

namespace ivl::grammar {
namespace {

constexpr size_t kMostNodes = 5000;

enum Type : uint32_t { kNull = 1, kBoolean = 2, kInteger = 4, kFraction = 8, kString = 16, kArray = 32, kObject = 64, kAll = 127 };

constexpr std::array<std::pair<const char*, uint32_t>, 7> kTypes{{{"null", kNull},
                                                                  {"boolean", kBoolean},
                                                                  {"integer", kInteger},
                                                                  {"number", kInteger | kFraction},
                                                                  {"string", kString},
                                                                  {"array", kArray},
                                                                  {"object", kObject}}};

uint32_t type_named(const Json& name) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) { return name == type.first; });
  return found == kTypes.end() ? 0 : found->second;
}

}  // namespace

template <class Body>
auto SchemaCompiler::at(const Json& schema, const char* keyword, const Body& body) {
  return told_at([&] { return document_.pointer(schema, keyword); }, body);
}

Grammar SchemaCompiler::compile() {
  grammar_.root = node({{&document_.root()}});
  for (uint32_t next = 0; next < conjunctions_.size(); ++next) {
    const Conjunction conjunction = conjunctions_[next];  // may move
    if (grammar_.nodes[next].shapes.empty()) fill(next, conjunction);
  }
  return std::move(grammar_);
}

uint32_t SchemaCompiler::node(Conjunction conjunction) {
  conjunction = ordered(std::move(conjunction));
  const auto [at, added] = numbers_.emplace(conjunction, static_cast<uint32_t>(conjunctions_.size()));
  if (!added) return at->second;
  if (conjunctions_.size() >= kMostNodes) {
    const Json& place = conjunction.empty() ? document_.root() : *conjunction[0].schema;
    throw SchemaError(Status::Unsupported, document_.pointer(place), "there are more than 5,000 different places for values");
  }
  conjunctions_.push_back(std::move(conjunction));
  grammar_.nodes.emplace_back();
  return at->second;
}

void SchemaCompiler::fill(uint32_t number, const Conjunction& conjunction) {
  const Json& named_by = conjunction.empty() ? document_.root() : *conjunction[0].schema;
  const auto fill_ways = [&] {
    for (const Keywords& way : ways(document_, conjunction, budget_, [&](const Json& schema) { note_choice(schema); })) {
      const std::vector<Shape> shapes = this->shapes(way);
      std::vector<Shape>& all = grammar_.nodes[number].shapes;
      all.insert(all.end(), shapes.begin(), shapes.end());
    }
  };
  told_at([&] { return document_.pointer(named_by); }, fill_ways);
}

// A oneOf has its schemas compared in the end, each with what stands beside it.
void SchemaCompiler::note_choice(const Json& schema) {
  const Json* some = document_.list(schema, "oneOf");
  if (some == nullptr || !noted_.insert(&schema).second) return;
  Exclusive exclusive{&schema, {}};
  for (const Json& each : *some) exclusive.nodes.push_back(node({{&schema, true}, {&each}}));
  exclusive_.push_back(std::move(exclusive));
}

std::vector<Shape> SchemaCompiler::shapes(const Keywords& keywords) {
  const Types types = this->types(keywords);
  std::vector<Shape> all;
  add_constants(types, all);
  if ((types & kInteger) != 0) add_numbers(keywords, (types & kFraction) == 0, all);
  if ((types & kString) != 0) add_strings(keywords, all);
  if ((types & kArray) != 0) add_arrays(keywords, all);
  if ((types & kObject) != 0) add_objects(keywords, all);
  std::vector<const Json*> values;
  const Json* named_by = this->values(keywords, values);
  return named_by == nullptr ? all : of_values(*named_by, keywords, values, all);
}

SchemaCompiler::Types SchemaCompiler::types(const Keywords& keywords) const {
  Types types = kAll;
  for (const Json* schema : keywords) {
    const Json* type = document_.find(*schema, "type");
    if (type == nullptr) continue;
    Types some = 0;
    for (const Json& name : type->is_array() ? *type : Json::array({*type})) {
      const uint32_t one = type_named(name);
      if (one == 0) document_.wrong(*schema, "type", "null, boolean, integer, number, string, array, object or a list of them");
      some |= one;
    }
    types &= some;
  }
  return types;
}

Shape SchemaCompiler::add(Dfa dfa, bool dense) {
  grammar_.texts.push_back({std::move(dfa), dense});
  return {ShapeKind::Text, static_cast<uint32_t>(grammar_.texts.size() - 1)};
}

void SchemaCompiler::add_constants(Types types, std::vector<Shape>& out) {
  std::vector<std::string> texts;
  if ((types & kNull) != 0) texts.push_back("null");
  if ((types & kBoolean) != 0) texts.insert(texts.end(), {"false", "true"});
  if (!texts.empty()) out.push_back(add(one_of(std::move(texts), budget_), false));
}

void SchemaCompiler::add_numbers(const Keywords& keywords, bool whole, std::vector<Shape>& out) {
  struct Named {
    const Json* schema;
    const char* keyword;
    Bound bound;
    bool least;
  };
  std::vector<Named> bounds;
  for (const Json* schema : keywords) {
    const auto note = [&](const char* keyword, bool exclusive, bool least) {
      const Json* number = document_.number(*schema, keyword);
      if (number != nullptr) bounds.push_back({schema, keyword, {Decimal::of(*number), exclusive}, least});
    };
    note("minimum", false, true);
    note("exclusiveMinimum", true, true);
    note("maximum", false, false);
    note("exclusiveMaximum", true, false);
  }
  if (bounds.empty()) return out.push_back(plain_number(whole));
  size_t digits = kMostDigits;
  for (const Named& each : bounds) digits = std::max({digits, each.bound.at.whole.size(), each.bound.at.fraction.size()});
  Dfa dfa = numbers(whole, digits, {}, {}, budget_);
  for (const Named& each : bounds) {
    using Maybe = std::optional<Bound>;
    dfa = at(*each.schema, each.keyword, [&] {
      const Maybe least = each.least ? Maybe(each.bound) : Maybe(), most = each.least ? Maybe() : Maybe(each.bound);
      return intersection(dfa, numbers(whole, digits, least, most, budget_), budget_);
    });
  }
  out.push_back(add(std::move(dfa), false));
}

// Any number, which many places have.
Shape SchemaCompiler::plain_number(bool whole) {
  const auto known = plain_numbers_.find(whole);
  if (known != plain_numbers_.end()) return known->second;
  return plain_numbers_[whole] = add(numbers(whole, kMostDigits, {}, {}, budget_), false);
}

void SchemaCompiler::add_strings(const Keywords& keywords, std::vector<Shape>& out) {
  FreeString lengths;
  std::optional<Dfa> dfa;
  const Json* named_by = nullptr;  // where a pattern or a format stands
  const char* keyword = nullptr;
  const auto narrow = [&](const Json& schema, const char* name, const std::string& expression) {
    named_by = &schema, keyword = name;
    Dfa found = at(schema, name, [&] { return pattern(expression, budget_); });
    dfa = dfa ? at(schema, name, [&] { return intersection(*dfa, found, budget_); }) : std::move(found);
  };
  for (const Json* schema : keywords) {
    lengths.least = std::max(lengths.least, document_.count(*schema, "minLength").value_or(0));
    lengths.most = std::min(lengths.most, document_.count(*schema, "maxLength").value_or(kUnlimited));
    if (const auto expression = document_.text(*schema, "pattern")) narrow(*schema, "pattern", *expression);
    if (const auto format = document_.text(*schema, "format")) {
      const char* known = format_pattern(*format);
      if (known == nullptr)
        document_.refuse(*schema, "format",
                         cat("the format ", found(Json(*format)), " is not supported; these are: ", known_formats()));
      narrow(*schema, "format", known);
    }
  }
  if (lengths.least > lengths.most) return;
  if (!dfa) {
    grammar_.strings.push_back(lengths);
    return out.push_back({ShapeKind::String, static_cast<uint32_t>(grammar_.strings.size() - 1)});
  }
  if (lengths.least > 0 || lengths.most != kUnlimited) {
    dfa = at(*named_by, keyword, [&] { return intersection(*dfa, strings(lengths.least, lengths.most, budget_), budget_); });
  }
  out.push_back(add(std::move(*dfa), true));
}

void SchemaCompiler::add_arrays(const Keywords& keywords, std::vector<Shape>& out) {
  Array array;
  size_t beginning = 0;
  for (const Json* schema : keywords) {
    array.least = std::max(array.least, document_.count(*schema, "minItems").value_or(0));
    array.most = std::min(array.most, document_.count(*schema, "maxItems").value_or(kUnlimited));
    if (const Json* first = document_.list(*schema, "prefixItems")) beginning = std::max(beginning, first->size());
    const Json* rest = document_.find(*schema, "items");
    if (rest != nullptr && rest->is_array())
      document_.refuse(*schema, "items", "a list is not supported; prefixItems is its newer name");
  }
  if (array.least > array.most) return;
  const auto item = [&](size_t index) {
    Conjunction all;
    for (const Json* schema : keywords) {
      const Json* first = document_.find(*schema, "prefixItems");
      const Json* rest = document_.find(*schema, "items");
      if (first != nullptr && index < first->size()) {
        all.push_back({&(*first)[index]});
      } else if (rest != nullptr) {
        all.push_back({rest});
      }
    }
    return node(std::move(all));
  };
  for (size_t i = 0; i < beginning; ++i) array.first.push_back(item(i));
  array.rest = item(beginning);
  grammar_.arrays.push_back(std::move(array));
  out.push_back({ShapeKind::Array, static_cast<uint32_t>(grammar_.arrays.size() - 1)});
}

void SchemaCompiler::add_objects(const Keywords& keywords, std::vector<Shape>& out) {
  std::map<std::string, bool> required;  // of each name
  for (const Json* schema : keywords) {
    if (const Json* properties = document_.object(*schema, "properties")) {
      for (const auto& property : properties->items()) required.emplace(property.key(), false);
    }
    for (const std::string& name : document_.names(*schema, "required")) required[name] = true;
  }
  const auto value = [&](const std::string* name) {
    Conjunction all;
    for (const Json* schema : keywords) {
      const Json* properties = document_.find(*schema, "properties");
      const Json* additional = document_.find(*schema, "additionalProperties");
      if (name != nullptr && properties != nullptr && properties->contains(*name)) {
        all.push_back({&(*properties)[*name]});
      } else if (additional != nullptr) {
        all.push_back({additional});
      }
    }
    return node(std::move(all));
  };
  Object object;
  budget_.take(required.size() * keywords.size());
  for (const auto& [name, is_required] : required) object.properties.push_back({escaped(name), value(&name), is_required});
  std::sort(object.properties.begin(), object.properties.end(),
            [](const Property& a, const Property& b) { return a.name < b.name; });
  object.additional = value(nullptr);
  grammar_.objects.push_back(std::move(object));
  out.push_back({ShapeKind::Object, static_cast<uint32_t>(grammar_.objects.size() - 1)});
}

// Values that enum and const leave, and the first schema that has one of these; null if none has.
const Json* SchemaCompiler::values(const Keywords& keywords, std::vector<const Json*>& out) const {
  const Json* named_by = nullptr;
  const auto leave = [&](const Json& schema, const auto& is_there) {
    std::erase_if(out, [&](const Json* value) { return !is_there(*value); });
    if (named_by == nullptr) named_by = &schema;
  };
  for (const Json* schema : keywords) {
    if (const Json* list = document_.list(*schema, "enum")) {
      if (named_by == nullptr) {
        for (const Json& value : *list) out.push_back(&value);
      }
      leave(*schema, [&](const Json& value) { return std::find(list->begin(), list->end(), value) != list->end(); });
    }
    if (const Json* only = document_.find(*schema, "const")) {
      if (named_by == nullptr) out.push_back(only);
      leave(*schema, [&](const Json& value) { return value == *only; });
    }
  }
  return named_by;
}

// Those of the values that fit into one of the shapes.
std::vector<Shape> SchemaCompiler::of_values(const Json& named_by, const Keywords& keywords, const std::vector<const Json*>& values,
                                             const std::vector<Shape>& all) {
  const char* keyword = named_by.contains("enum") ? "enum" : "const";
  std::vector<std::string> texts;
  std::vector<Shape> shapes;
  budget_.take(values.size() * values.size() / 16);
  for (const Json* value : values) {
    if (!value->is_structured()) {
      if (admits(all, *value)) texts.push_back(literal(*value));
      continue;
    }
    for (const Json* schema : keywords) {
      for (const char* other : {"properties", "required", "additionalProperties", "items", "prefixItems", "minItems", "maxItems"}) {
        if (schema->contains(other))
          document_.refuse(named_by, keyword, cat("a list or an object in it beside \"", other, "\" is not supported"));
      }
    }
    if ((types(keywords) & (value->is_array() ? kArray : kObject)) != 0) shapes.push_back(constant(*value));
  }
  if (!texts.empty()) shapes.push_back(add(at(named_by, keyword, [&] { return one_of(std::move(texts), budget_); }), false));
  return shapes;
}

bool SchemaCompiler::admits(const std::vector<Shape>& shapes, const Json& value) const {
  return std::any_of(shapes.begin(), shapes.end(), [&](const Shape& shape) {
    if (shape.kind == ShapeKind::Text) return has(grammar_.texts[shape.index].dfa, literal(value));
    if (shape.kind != ShapeKind::String || !value.is_string()) return false;
    const FreeString& string = grammar_.strings[shape.index];
    const size_t length = characters(value.get_ref<const std::string&>());
    return string.least <= length && length <= string.most;
  });
}

// The shape of one value.
Shape SchemaCompiler::constant(const Json& value) {
  budget_.take(1);
  if (value.is_array()) {
    Array array;
    for (const Json& item : value) array.first.push_back(constant_node(item));
    array.least = array.most = static_cast<uint32_t>(value.size());
    grammar_.arrays.push_back(std::move(array));
    return {ShapeKind::Array, static_cast<uint32_t>(grammar_.arrays.size() - 1)};
  }
  if (value.is_object()) {
    Object object;
    for (const auto& item : value.items()) object.properties.push_back({escaped(item.key()), constant_node(item.value()), true});
    std::sort(object.properties.begin(), object.properties.end(),
              [](const Property& a, const Property& b) { return a.name < b.name; });
    grammar_.objects.push_back(std::move(object));
    return {ShapeKind::Object, static_cast<uint32_t>(grammar_.objects.size() - 1)};
  }
  return add(one_of({literal(value)}, budget_), false);
}

uint32_t SchemaCompiler::constant_node(const Json& value) {
  const Shape shape = constant(value);
  conjunctions_.emplace_back();
  grammar_.nodes.push_back({{shape}});
  return static_cast<uint32_t>(grammar_.nodes.size() - 1);
}

}  // namespace ivl::grammar
