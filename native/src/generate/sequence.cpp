#include "generate/sequence.h"

#include <algorithm>

#include "backend/host_memory.h"

namespace ivl {
namespace {

// Tokens are 32-bit, so the top bit is free to mark pictures.
constexpr PositionKey kPictureBit = PositionKey{1} << 63;
constexpr int kRowBits = 24;

}  // namespace

PositionKey token_key(int32_t token) { return static_cast<uint32_t>(token); }

PositionKey picture_key(uint64_t features_id, int64_t row) {
  return kPictureBit | (features_id << kRowBits) | static_cast<uint64_t>(row);
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
  if (tokens <= cache_.capacity) return;
  const KvShape& shape = engine_->kv_shape();
  const size_t bytes = static_cast<size_t>(tokens) * shape.bytes_per_token();
  require_host_memory(bytes, "the KV cache");
  KvCache larger;
  larger.memory = engine_->backend()->allocate(bytes);
  larger.capacity = tokens;
  if (length() > 0) engine_->backend()->copy_cache(larger, cache_, shape, length());
  cache_ = std::move(larger);
}

void Sequence::extend(std::span<const PositionKey> keys) {
  keys_.insert(keys_.end(), keys.begin(), keys.end());
  length_.store(static_cast<int64_t>(keys_.size()));
}

}  // namespace ivl
