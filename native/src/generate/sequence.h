// One conversation's KV cache, and what it holds.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "generate/engine.h"

namespace ivl {

// What stands at a position of a prompt: a token, or a row of a certain picture's features.
using PositionKey = uint64_t;
PositionKey token_key(int32_t token);
PositionKey picture_key(uint64_t features_id, int64_t row);
// The same in a prompt that turns by the long factors (rope.h): what was computed for the one does not do for the other.
PositionKey turned_long(PositionKey key);

class Sequence {
 public:
  explicit Sequence(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
  ~Sequence();
  Sequence(const Sequence&) = delete;
  Sequence& operator=(const Sequence&) = delete;

  const Engine* engine() const { return engine_.get(); }
  int64_t length() const { return length_.load(std::memory_order_relaxed); }

  // How many leading positions of `prompt` the cache already holds.
  int64_t common_prefix(std::span<const PositionKey> prompt) const;
  // Forgets everything behind the first `length` positions.
  void truncate(int64_t length);
  // Makes room for `tokens` positions; waits for a turn if there is less. Error(OutOfMemory) leaves the sequence as it was.
  void reserve(int64_t tokens);
  // The cache now also holds these positions, computed by a finished forward pass.
  void extend(std::span<const PositionKey> keys);
  // One for each stage of the decoder.
  std::span<KvCache> caches() { return caches_; }

  // A sequence serves one request at a time. False if it is taken.
  bool take() { return !taken_.exchange(true); }
  void release() { taken_.store(false); }

 private:
  std::shared_ptr<Engine> engine_;
  std::vector<KvCache> caches_;
  std::vector<PositionKey> keys_;
  std::atomic<int64_t> length_{0};
  std::atomic<bool> taken_{false};
};

}  // namespace ivl
