#include "generate/sequence.h"

#include <algorithm>

namespace ivl {
namespace {

// Tokens are 32-bit, so the top bits are free for marks.
constexpr PositionKey kPictureBit = PositionKey{1} << 63;
constexpr PositionKey kLongBit = PositionKey{1} << 62;
constexpr int kRowBits = 24;

}  // namespace

PositionKey token_key(int32_t token) { return static_cast<uint32_t>(token); }

PositionKey picture_key(uint64_t features_id, int64_t row) {
  return kPictureBit | (features_id << kRowBits) | static_cast<uint64_t>(row);
}

PositionKey turned_long(PositionKey key) { return key | kLongBit; }

Sequence::~Sequence() {
  for (KvCache& cache : caches_) engine_->discard(std::move(cache.memory));
}

int64_t Sequence::common_prefix(std::span<const PositionKey> prompt) const {
  const auto ends = std::mismatch(keys_.begin(), keys_.end(), prompt.begin(), prompt.end());
  return ends.first - keys_.begin();
}

void Sequence::truncate(int64_t length) {
  keys_.resize(static_cast<size_t>(std::min(length, this->length())));
  length_.store(static_cast<int64_t>(keys_.size()));
}

void Sequence::reserve(int64_t tokens) {
  if (!caches_.empty() && tokens <= caches_.front().capacity) return;
  const Engine::Access turn(*engine_);
  const std::vector<KvShape>& shapes = engine_->kv_shapes();
  std::vector<KvCache> larger;
  for (size_t i = 0; i < shapes.size(); ++i) {
    Backend& backend = *turn.placement().decoder[i].backend;
    larger.push_back({backend.allocate(static_cast<size_t>(tokens) * shapes[i].bytes_per_token()), tokens});
    if (length() > 0) backend.copy_cache(larger[i], caches_[i], shapes[i], length());
  }
  caches_ = std::move(larger);
}

void Sequence::extend(std::span<const PositionKey> keys) {
  keys_.insert(keys_.end(), keys.begin(), keys.end());
  length_.store(static_cast<int64_t>(keys_.size()));
}

}  // namespace ivl
