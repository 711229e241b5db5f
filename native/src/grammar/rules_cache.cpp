#include "grammar/rules_cache.h"

#include <algorithm>

#include "grammar/schema.h"

namespace ivl::grammar {
namespace {

constexpr size_t kMostSchemas = 4;  // whose masks may be 10 MB each

}  // namespace

std::shared_ptr<const Rules> RulesCache::find(std::string_view schema) {
  const auto known = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.first == schema; });
  if (known == kept_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, known);
  return known->second;
}

std::shared_ptr<const Rules> RulesCache::of(std::string_view schema) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (auto known = find(schema)) return known;
  }
  // Without the lock: a large schema keeps nobody else waiting.
  auto made = std::make_shared<const Rules>(compile_schema(schema), vocabulary_);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (auto known = find(schema)) return known;
  kept_.emplace_front(schema, made);
  if (kept_.size() > kMostSchemas) kept_.pop_back();
  return made;
}

}  // namespace ivl::grammar
