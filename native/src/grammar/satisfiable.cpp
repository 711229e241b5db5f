#include "grammar/satisfiable.h"

#include <algorithm>

namespace ivl::grammar {
namespace {

// ---- what can be satisfied

class Satisfiable {
 public:
  explicit Satisfiable(const Grammar& grammar) : grammar_(grammar), nodes_(grammar.nodes.size()) {
    // From the leaves on: a node of a value inside has a larger number as a rule.
    for (bool grows = true; grows;) {
      grows = false;
      for (size_t i = nodes_.size(); i-- > 0;) {
        const std::vector<Shape>& shapes = grammar.nodes[i].shapes;
        if (nodes_[i] || std::none_of(shapes.begin(), shapes.end(), [&](const Shape& shape) { return is(shape); })) continue;
        nodes_[i] = grows = true;
      }
    }
  }

  bool node(uint32_t number) const { return number != kNone && nodes_[number]; }

  bool is(const Shape& shape) const {
    switch (shape.kind) {
      case ShapeKind::Text: return !grammar_.texts[shape.index].dfa.empty();
      case ShapeKind::String: return true;
      case ShapeKind::Array: {
        const Array& array = grammar_.arrays[shape.index];
        return most_items(array) >= array.least;
      }
      default: {
        const std::vector<Property>& all = grammar_.objects[shape.index].properties;
        return std::all_of(all.begin(), all.end(), [&](const Property& each) { return !each.required || node(each.value); });
      }
    }
  }

  // Until the first item that nothing satisfies.
  uint32_t most_items(const Array& array) const {
    for (uint32_t i = 0; i <= array.first.size() && i < array.most; ++i) {
      if (!node(array.item(i))) return i;
    }
    return array.most;
  }

 private:
  const Grammar& grammar_;
  std::vector<bool> nodes_;
};

// ---- what excludes what

constexpr int kDeepest = 6;

struct Comparison {
  const Grammar& grammar;
  Budget& budget;

  bool disjoint(uint32_t a, uint32_t b, int depth) const {
    if (a == kNone || b == kNone) return true;
    if (depth > kDeepest) return false;
    const std::vector<Shape>&left = grammar.nodes[a].shapes, &right = grammar.nodes[b].shapes;
    return std::all_of(left.begin(), left.end(), [&](const Shape& one) {
      return std::all_of(right.begin(), right.end(), [&](const Shape& other) { return disjoint(one, other, depth); });
    });
  }

  bool disjoint(const Shape& a, const Shape& b, int depth) const {
    budget.take(1);
    if (a.kind != b.kind) return kinds_disjoint(a, b);
    switch (a.kind) {
      case ShapeKind::Text: return intersection(grammar.texts[a.index].dfa, grammar.texts[b.index].dfa, budget).empty();
      case ShapeKind::String: {
        const FreeString &one = grammar.strings[a.index], &other = grammar.strings[b.index];
        return one.most < other.least || other.most < one.least;
      }
      case ShapeKind::Array: return arrays_disjoint(grammar.arrays[a.index], grammar.arrays[b.index], depth);
      default: return objects_disjoint(grammar.objects[a.index], grammar.objects[b.index], depth);
    }
  }

  // A free string and a text that is no string; or, of other kinds, always.
  bool kinds_disjoint(const Shape& a, const Shape& b) const {
    const bool strings = a.kind == ShapeKind::String || b.kind == ShapeKind::String;
    const Shape& other = a.kind == ShapeKind::String ? b : a;
    return !strings || other.kind != ShapeKind::Text || grammar.texts[other.index].dfa.next(Dfa::kStart, '"') == kDead;
  }

  bool arrays_disjoint(const Array& a, const Array& b, int depth) const {
    if (a.most < b.least || b.most < a.least) return true;
    const uint32_t both =
        std::min({std::max(a.least, b.least), static_cast<uint32_t>(std::max(a.first.size(), b.first.size())) + 1});
    for (uint32_t i = 0; i < both; ++i) {
      if (disjoint(a.item(i), b.item(i), depth + 1)) return true;
    }
    return false;
  }

  // A property that one of them must have, with no value for both.
  bool objects_disjoint(const Object& a, const Object& b, int depth) const {
    const auto excludes = [&](const Object& one, const Object& other) {
      return std::any_of(one.properties.begin(), one.properties.end(), [&](const Property& property) {
        return property.required && disjoint(property.value, value(other, property.name), depth + 1);
      });
    };
    return excludes(a, b) || excludes(b, a);
  }

  static uint32_t value(const Object& object, const std::string& name) {
    const auto found = std::lower_bound(object.properties.begin(), object.properties.end(), name,
                                        [](const Property& property, const std::string& wanted) { return property.name < wanted; });
    return found != object.properties.end() && found->name == name ? found->value : object.additional;
  }
};

}  // namespace

bool prune(Grammar& grammar) {
  const Satisfiable satisfiable(grammar);
  if (!satisfiable.node(grammar.root)) return false;
  for (Node& node : grammar.nodes) std::erase_if(node.shapes, [&](const Shape& shape) { return !satisfiable.is(shape); });
  for (Array& array : grammar.arrays) array.most = satisfiable.most_items(array);
  for (Object& object : grammar.objects) {
    for (Property& property : object.properties) {
      if (!satisfiable.node(property.value)) property.value = kNone;
      object.possible += property.value != kNone;
    }
    if (!satisfiable.node(object.additional)) object.additional = kNone;
  }
  return true;
}

bool disjoint(const Grammar& grammar, uint32_t a, uint32_t b, Budget& budget) {
  return Comparison{grammar, budget}.disjoint(a, b, 0);
}

}  // namespace ivl::grammar
