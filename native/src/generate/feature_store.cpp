#include "generate/feature_store.h"

#include "generate/engine.h"

namespace ivl {

std::shared_ptr<Features> FeatureStore::get(const std::shared_ptr<Engine>& engine, const std::string& bytes,
                                            std::vector<float> pixels, int64_t count, const AdapterChoices& adapters) {
  if (bytes.empty()) return std::make_shared<Features>(engine, std::move(pixels), count, adapters);
  // The key's length stands before it, so that no content's beginning passes for one.
  const std::string key = adapters.seeing().key(), content = cat(key.size(), '|', key, bytes);
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_content_.find(content);
  if (found != by_content_.end() && found->second->features->pictures() == count) {
    ++hits_;
    entries_.splice(entries_.end(), entries_, found->second);
    return found->second->features;
  }
  if (found != by_content_.end()) entries_.erase(found->second);
  entries_.push_back({content, std::make_shared<Features>(engine, std::move(pixels), count, adapters)});
  by_content_[content] = std::prev(entries_.end());
  const std::shared_ptr<Features> features = entries_.back().features;
  shrink();
  return features;
}

// Features in use would stay anyway: they don't count.
void FeatureStore::shrink() {
  size_t idle = 0;
  for (auto at = entries_.end(); at != entries_.begin();) {
    --at;
    if (at->features.use_count() > 1) continue;
    idle += at->features->encoded() ? at->features->bytes() : at->features->pixels().size() * sizeof(float);
    if (idle <= budget_) continue;
    by_content_.erase(at->content);
    at = entries_.erase(at);
  }
}

void FeatureStore::clear() {
  const std::lock_guard<std::mutex> lock(mutex_);
  by_content_.clear();
  entries_.clear();
}

int64_t FeatureStore::hits() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return hits_;
}

}  // namespace ivl
