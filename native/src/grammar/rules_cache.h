// Schemas that were compiled lately: a caller asks with the same few again and again, and their masks are found once.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "grammar/rules.h"

namespace ivl::grammar {

// Any thread may use it.
class RulesCache {
 public:
  explicit RulesCache(std::shared_ptr<const Vocabulary> vocabulary) : vocabulary_(std::move(vocabulary)) {}

  // SchemaError as compile_schema() throws it, each time anew.
  std::shared_ptr<const Rules> of(std::string_view schema);

 private:
  using Kept = std::pair<std::string, std::shared_ptr<const Rules>>;

  // Null if it is not kept. The lock is held.
  std::shared_ptr<const Rules> find(std::string_view schema);

  const std::shared_ptr<const Vocabulary> vocabulary_;
  std::mutex mutex_;
  std::list<Kept> kept_;  // what was asked for last, first
};

}  // namespace ivl::grammar
