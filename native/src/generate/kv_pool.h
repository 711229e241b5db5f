// The blocks of all sequences' KV caches, within a budget. A block can be found by what it holds, from its first position on, and
// stays so when nobody uses it any more, until its memory is wanted: the least recently used goes first.
//
// Prefixes have numbers. A block stands behind a prefix, and once it is full it has a number for the prefix that ends with it. What is
// found is compared key by key, so that no two different beginnings are ever taken for one another.
//
// Not thread-safe: its scheduler uses it.
#pragma once

#include <list>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "generate/engine.h"
#include "generate/position_key.h"

namespace ivl {

class KvPool {
 public:
  using Prefix = uint64_t;

  struct Block {
    std::vector<Buffer> memory;     // of each stage of the decoder
    std::vector<PositionKey> keys;  // of its positions, as far as it is computed
    Prefix behind = 0;
    Prefix prefix = 0;  // once it is full
    int64_t users = 0;
    bool known = false;                  // find() gives it
    std::list<Block*>::iterator unused;  // its place in the pool's list, while it is known and has no user
  };

  // At most `blocks`; Error(InvalidArgument) if that is none.
  KvPool(std::shared_ptr<Engine> engine, int64_t blocks);
  ~KvPool();
  KvPool(const KvPool&) = delete;
  KvPool& operator=(const KvPool&) = delete;

  // Of nothing yet. Prefixes of different salts have nothing in common.
  Prefix root(const std::string& salt);

  // An empty block with one user; null if every block has users, or there is no memory for another one.
  Block* take(const Engine::Turn& turn);
  void use(Block& block);
  // One user less. Without users a known block stays for a while, any other is empty again.
  void release(Block& block);

  struct Found {
    Block* block = nullptr;
    int64_t positions = 0;  // of the keys that it holds
  };
  // The block behind the prefix that holds most of the keys, from the first on; none if no block holds the first.
  Found find(Prefix behind, std::span<const PositionKey> keys) const;
  // Computed positions of a block with a user that has room for them; behind the prefix, if they are its first.
  void extend(Block& block, Prefix behind, std::span<const PositionKey> keys);
  // Of a full block: another one that holds the same, or null.
  Block* twin(const Block& block) const;

  int64_t most() const { return most_; }
  // Blocks with users, and those that take() could give.
  int64_t used() const { return used_; }
  int64_t available() const { return most_ - used_; }

 private:
  static uint64_t index_key(Prefix behind, PositionKey first);
  Block* allocate(const Engine::Turn& turn);
  Block* evict();
  void forget(Block& block);

  std::shared_ptr<Engine> engine_;
  const int64_t budget_;
  int64_t most_;  // the budget, or less while memory is short
  int64_t used_ = 0;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<Block*> empty_;
  std::list<Block*> unused_;  // known, the least recently used first
  std::unordered_multimap<uint64_t, Block*> known_;
  std::unordered_map<std::string, Prefix> roots_;
  Prefix last_ = 0;
};

}  // namespace ivl
