#include "grammar/conjunction.h"

#include <algorithm>

namespace ivl::grammar {
namespace {

constexpr size_t kMostWays = 256;

using Path = std::vector<const Json*>;  // schemas that led to a place

struct Open {
  Part part;
  bool choice = false;  // the schema is a list, one of which is to be taken
  Path path = {};
};

// A way that is not followed to its end.
struct Way {
  std::vector<Open> open;
  Keywords taken = {};

  bool has(const Json* schema) const { return std::binary_search(taken.begin(), taken.end(), schema); }
  void take(const Json* schema) { taken.insert(std::lower_bound(taken.begin(), taken.end(), schema), schema); }
};

bool leads_to_itself(const Open& open) {
  return std::find(open.path.begin(), open.path.end(), open.part.schema) != open.path.end();
}

// What else the schema demands.
void follow(const Document& document, const Open& from, Way& way) {
  const Json& schema = *from.part.schema;
  Path path = from.path;
  path.push_back(&schema);
  if (const Json* target = document.reference(schema)) way.open.push_back({{target}, false, path});
  if (const Json* all = document.list(schema, "allOf")) {
    for (const Json& each : *all) way.open.push_back({{&each}, false, path});
  }
  for (const char* keyword : {"anyOf", "oneOf"}) {
    if (const Json* some = document.list(schema, keyword)) way.open.push_back({{some}, true, path});
  }
}

}  // namespace

Conjunction ordered(Conjunction parts) {
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  return parts;
}

std::vector<Keywords> ways(const Document& document, const Conjunction& conjunction, Budget& budget,
                           const std::function<void(const Json&)>& seen) {
  std::vector<Way> open(1);
  for (const Part& part : conjunction) open[0].open.push_back({part});
  std::vector<Keywords> done;
  while (!open.empty()) {
    Way way = std::move(open.back());
    open.pop_back();
    budget.take(1 + way.open.size());
    if (way.open.empty()) {
      done.push_back(std::move(way.taken));
      continue;
    }
    const Open next = std::move(way.open.back());
    way.open.pop_back();
    const Json& schema = *next.part.schema;
    if (next.choice) {
      if (open.size() + done.size() + schema.size() > kMostWays) {
        throw SchemaError(Status::Unsupported, document.pointer(schema),
                          "with what stands beside it there are more than 256 ways to satisfy it");
      }
      for (const Json& each : schema) {
        open.push_back(way);
        open.back().open.push_back({{&each}, false, next.path});
      }
      continue;
    }
    document.check(schema);
    if (leads_to_itself(next) || schema == Json(false)) continue;
    if (!schema.is_boolean() && !way.has(&schema)) {
      way.take(&schema);
      seen(schema);
      if (!next.part.own) follow(document, next, way);
    }
    open.push_back(std::move(way));
  }
  std::sort(done.begin(), done.end());
  done.erase(std::unique(done.begin(), done.end()), done.end());
  return done;
}

}  // namespace ivl::grammar
