#include "grammar/schema.h"

#include "grammar/satisfiable.h"
#include "grammar/schema_compiler.h"

namespace ivl::grammar {
namespace {

void check_exclusive(const Document& document, const Grammar& grammar, SchemaCompiler& compiler) {
  for (const SchemaCompiler::Exclusive& each : compiler.exclusive()) {
    for (size_t i = 0; i < each.nodes.size(); ++i) {
      for (size_t j = i + 1; j < each.nodes.size(); ++j) {
        if (disjoint(grammar, each.nodes[i], each.nodes[j], compiler.budget())) continue;
        document.refuse(*each.schema, "oneOf",
                        cat("a value may satisfy both ", i, " and ", j,
                            " of it; anyOf, or a property with another constant in each, would do"));
      }
    }
  }
}

}  // namespace

Grammar compile_schema(std::string_view text) {
  const Document document(text);
  SchemaCompiler compiler(document);
  Grammar grammar = compiler.compile();
  const bool satisfied = prune(grammar);
  told_at([] { return ""; }, [&] { check_exclusive(document, grammar, compiler); });
  if (!satisfied) throw SchemaError(Status::InvalidArgument, "", "no value satisfies it");
  return grammar;
}

}  // namespace ivl::grammar
