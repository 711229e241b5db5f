// Makes a grammar's nodes, one for each conjunction of schemas that stands somewhere.
#pragma once

#include <map>
#include <set>

#include "grammar/conjunction.h"
#include "grammar/grammar.h"

namespace ivl::grammar {

class SchemaCompiler {
 public:
  explicit SchemaCompiler(const Document& document) : document_(document) {}

  // All that can be reached from the document's root, with what nothing satisfies still in it.
  Grammar compile();

  // A oneOf, and the node of each of its schemas.
  struct Exclusive {
    const Json* schema;
    std::vector<uint32_t> nodes;
  };
  const std::vector<Exclusive>& exclusive() const { return exclusive_; }
  Budget& budget() { return budget_; }

 private:
  using Types = uint32_t;  // a bit each

  uint32_t node(Conjunction conjunction);
  void fill(uint32_t number, const Conjunction& conjunction);
  void note_choice(const Json& schema);
  std::vector<Shape> shapes(const Keywords& keywords);
  Types types(const Keywords& keywords) const;
  void add_constants(Types types, std::vector<Shape>& out);
  Shape plain_number(bool whole);
  void add_numbers(const Keywords& keywords, bool whole, std::vector<Shape>& out);
  void add_strings(const Keywords& keywords, std::vector<Shape>& out);
  void add_arrays(const Keywords& keywords, std::vector<Shape>& out);
  void add_objects(const Keywords& keywords, std::vector<Shape>& out);
  const Json* values(const Keywords& keywords, std::vector<const Json*>& out) const;
  std::vector<Shape> of_values(const Json& named_by, const Keywords& keywords, const std::vector<const Json*>& values,
                               const std::vector<Shape>& all);
  bool admits(const std::vector<Shape>& shapes, const Json& value) const;
  Shape constant(const Json& value);
  uint32_t constant_node(const Json& value);
  Shape add(Dfa dfa, bool dense);
  // What body() throws is said of this keyword.
  template <class Body>
  auto at(const Json& schema, const char* keyword, const Body& body);

  const Document& document_;
  Budget budget_;
  Grammar grammar_;
  std::map<Conjunction, uint32_t> numbers_;
  std::vector<Conjunction> conjunctions_;  // by node; those of constants are empty
  std::vector<Exclusive> exclusive_;
  std::set<const Json*> noted_;  // whose oneOf is among these
  std::map<bool, Shape> plain_numbers_;
};

}  // namespace ivl::grammar
