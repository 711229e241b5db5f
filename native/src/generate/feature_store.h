// Pictures that were asked about, by their content: whoever comes with the same one shares its features.
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "generate/features.h"

namespace ivl {

// Any thread may use it.
class FeatureStore {
 public:
  // Features that nobody uses are kept up to `budget` bytes, the least recently used going first.
  explicit FeatureStore(size_t budget) : budget_(budget) {}

  // Those of the content, or new ones to be encoded from the pixels. Two calls share features if their contents are equal, which is
  // the caller's word; an empty one is shared with nobody.
  // Of adapters those count that change what images look like.
  std::shared_ptr<Features> get(const std::shared_ptr<Engine>& engine, const std::string& content, std::vector<float> pixels,
                                int64_t count, const AdapterChoices& adapters);
  void clear();

  // Calls that found what they asked for.
  int64_t hits() const;

 private:
  struct Entry {
    std::string content;
    std::shared_ptr<Features> features;
  };
  void shrink();

  mutable std::mutex mutex_;
  size_t budget_;
  std::list<Entry> entries_;  // the least recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_content_;
  int64_t hits_ = 0;
};

}  // namespace ivl
