// One request's KV cache: a table of the pool's blocks. Full blocks are shared with whoever has the same beginning; one that is being
// filled is the sequence's own, and others copy from it.
#pragma once

#include "generate/kv_pool.h"

namespace ivl {

class KvSequence {
 public:
  KvSequence(KvPool& pool, const std::string& salt);
  ~KvSequence() { release(); }
  KvSequence(const KvSequence&) = delete;
  KvSequence& operator=(const KvSequence&) = delete;

  int64_t length() const { return length_; }
  int64_t blocks() const { return static_cast<int64_t>(blocks_.size()); }

  // Blocks that somebody uses now and that attach() would share.
  static int64_t shared(KvPool& pool, const std::string& salt, std::span<const PositionKey> keys);
  // Of an empty one: takes over what the pool knows of these positions. Returns how many they are.
  int64_t attach(const Engine::Turn& turn, std::span<const PositionKey> keys);
  // Makes room for `positions` in all; false if the pool cannot give that many blocks, of which some may then have been given.
  bool reserve(const Engine::Turn& turn, int64_t positions);
  // The next positions, for which there is room, are computed.
  void extend(std::span<const PositionKey> keys);
  // Gives the blocks back. What is computed can be found for a while.
  void release();

  // One for each stage of the decoder.
  std::span<const KvTable> tables() const { return tables_; }

 private:
  void append(KvPool::Block& block);
  void share(size_t at);
  void point_at(size_t at, const KvPool::Block& block);
  bool copy(const Engine::Turn& turn, KvPool::Prefix behind, const KvPool::Found& found);

  KvPool& pool_;
  KvPool::Prefix root_;
  std::vector<KvPool::Block*> blocks_;
  std::vector<std::vector<void*>> memory_;  // of each stage
  std::vector<KvTable> tables_;             // of memory_
  int64_t length_ = 0;
};

}  // namespace ivl
