#include "generate/kv_sequence.h"

#include <algorithm>

namespace ivl {

KvSequence::KvSequence(KvPool& pool, const std::string& salt) : pool_(pool), root_(pool.root(salt)) {}

int64_t KvSequence::shared(KvPool& pool, const std::string& salt, std::span<const PositionKey> keys) {
  int64_t blocks = 0;
  KvPool::Prefix behind = pool.root(salt);
  for (; keys.size() >= kKvBlock; keys = keys.subspan(kKvBlock)) {
    const KvPool::Found found = pool.find(behind, keys.first(kKvBlock));
    if (found.positions < kKvBlock || found.block->users == 0) break;
    behind = found.block->prefix;
    ++blocks;
  }
  return blocks;
}

int64_t KvSequence::attach(const Engine::Turn& turn, std::span<const PositionKey> keys) {
  require(blocks_.empty(), "a sequence attaches to what is known before anything else");
  KvPool::Prefix behind = root_;
  while (length_ < static_cast<int64_t>(keys.size())) {
    const std::span<const PositionKey> rest = keys.subspan(static_cast<size_t>(length_));
    const KvPool::Found found = pool_.find(behind, rest.first(std::min<size_t>(rest.size(), kKvBlock)));
    if (found.block == nullptr) break;
    if (found.positions == kKvBlock) {
      pool_.use(*found.block);
      append(*found.block);
      length_ += kKvBlock;
      behind = found.block->prefix;
      continue;
    }
    if (found.block->users == 0 && found.positions == static_cast<int64_t>(found.block->keys.size())) {
      pool_.use(*found.block);  // nobody else's: it goes on here
      append(*found.block);
      length_ += found.positions;
    } else if (copy(turn, behind, found)) {
      length_ += found.positions;
    }
    break;
  }
  return length_;
}

// The beginning of a block in a block of its own. False if there is none.
bool KvSequence::copy(const Engine::Turn& turn, KvPool::Prefix behind, const KvPool::Found& found) {
  pool_.use(*found.block);  // or it might be the one that is taken
  KvPool::Block* own = pool_.take(turn);
  if (own != nullptr) {
    const std::vector<KvShape>& shapes = turn.kv_shapes();
    for (size_t i = 0; i < shapes.size(); ++i) {
      Backend& backend = *turn.placement().decoder[i].backend;
      backend.copy_block(own->memory[i].data(), found.block->memory[i].data(), shapes[i], found.positions);
    }
    pool_.extend(*own, behind, std::span<const PositionKey>(found.block->keys).first(static_cast<size_t>(found.positions)));
    append(*own);
  }
  pool_.release(*found.block);
  return own != nullptr;
}

bool KvSequence::reserve(const Engine::Turn& turn, int64_t positions) {
  while (blocks() < blocks_for(positions)) {
    KvPool::Block* block = pool_.take(turn);
    if (block == nullptr) return false;
    append(*block);
  }
  return true;
}

void KvSequence::extend(std::span<const PositionKey> keys) {
  while (!keys.empty()) {
    const auto at = static_cast<size_t>(length_ / kKvBlock);
    KvPool::Block& block = *blocks_.at(at);
    const std::span<const PositionKey> next = keys.first(std::min(static_cast<size_t>(kKvBlock) - block.keys.size(), keys.size()));
    pool_.extend(block, at == 0 ? root_ : blocks_[at - 1]->prefix, next);
    length_ += static_cast<int64_t>(next.size());
    keys = keys.subspan(next.size());
    if (length_ % kKvBlock == 0) share(at);
  }
}

// If another request has computed the same full block meanwhile, that one is used: the bits are the same.
void KvSequence::share(size_t at) {
  KvPool::Block* same = pool_.twin(*blocks_[at]);
  if (same == nullptr) return;
  pool_.use(*same);
  pool_.release(*blocks_[at]);
  blocks_[at] = same;
  point_at(at, *same);
}

// From the last on, so that a beginning is never forgotten before what stands behind it.
void KvSequence::release() {
  for (size_t at = blocks_.size(); at-- > 0;) pool_.release(*blocks_[at]);
  blocks_.clear();
  memory_.clear();
  tables_.clear();
  length_ = 0;
}

void KvSequence::append(KvPool::Block& block) {
  blocks_.push_back(&block);
  memory_.resize(block.memory.size());
  for (std::vector<void*>& stage : memory_) stage.resize(blocks_.size());
  point_at(blocks_.size() - 1, block);
  tables_.assign(memory_.begin(), memory_.end());
}

void KvSequence::point_at(size_t at, const KvPool::Block& block) {
  for (size_t i = 0; i < memory_.size(); ++i) memory_[i][at] = block.memory[i].data();
}

}  // namespace ivl
