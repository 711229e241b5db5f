#include "generate/kv_pool.h"

#include <algorithm>

namespace ivl {

KvPool::KvPool(std::shared_ptr<Engine> engine, int64_t blocks) : engine_(std::move(engine)), budget_(blocks), most_(blocks) {
  if (blocks < 1) fail(Status::InvalidArgument, cat("the KV cache has room for ", blocks, " blocks, expected at least 1"));
}

KvPool::~KvPool() {
  for (const auto& block : blocks_) {
    for (Buffer& memory : block->memory) engine_->discard(std::move(memory));
  }
}

KvPool::Prefix KvPool::root(const std::string& salt) {
  // What was known under salts of long ago is then only not found any more.
  constexpr size_t kMostSalts = 4096;
  if (roots_.size() >= kMostSalts && roots_.count(salt) == 0) roots_.clear();
  const auto [at, added] = roots_.try_emplace(salt, 0);
  if (added) at->second = ++last_;
  return at->second;
}

KvPool::Block* KvPool::take(const Engine::Turn& turn) {
  Block* block = nullptr;
  if (!empty_.empty()) {
    block = empty_.back();
    empty_.pop_back();
  } else if (static_cast<int64_t>(blocks_.size()) < most_) {
    block = allocate(turn);
  }
  if (block == nullptr) block = evict();
  if (block == nullptr) return nullptr;
  block->users = 1;
  ++used_;
  return block;
}

// Null if there is no memory: then the blocks that are there are all that there will be, until all are given back.
KvPool::Block* KvPool::allocate(const Engine::Turn& turn) {
  auto block = std::make_unique<Block>();
  block->keys.reserve(kKvBlock);
  const std::vector<KvShape>& shapes = engine_->kv_shapes();
  try {
    for (size_t i = 0; i < shapes.size(); ++i) {
      block->memory.push_back(turn.placement().decoder[i].backend->allocate(shapes[i].block_bytes()));
    }
  } catch (const Error& error) {
    if (error.status() != Status::OutOfMemory) throw;
    most_ = std::max<int64_t>(1, static_cast<int64_t>(blocks_.size()));
    return nullptr;
  }
  return blocks_.emplace_back(std::move(block)).get();
}

KvPool::Block* KvPool::evict() {
  if (unused_.empty()) return nullptr;
  Block* block = unused_.front();
  unused_.pop_front();
  forget(*block);
  return block;
}

void KvPool::use(Block& block) {
  if (block.users++ > 0) return;
  ++used_;
  unused_.erase(block.unused);  // only a known one is reached without users
}

void KvPool::release(Block& block) {
  if (--block.users > 0) return;
  if (--used_ == 0) most_ = budget_;
  if (block.known && twin(block) == nullptr) {
    block.unused = unused_.insert(unused_.end(), &block);
  } else {
    forget(block);
    empty_.push_back(&block);
  }
}

// Where to look; what is found there is compared.
uint64_t KvPool::index_key(Prefix behind, PositionKey first) { return (behind * 0x9e3779b97f4a7c15u) ^ first; }

KvPool::Found KvPool::find(Prefix behind, std::span<const PositionKey> keys) const {
  Found best;
  if (keys.empty()) return best;
  const auto [begin, end] = known_.equal_range(index_key(behind, keys.front()));
  for (auto at = begin; at != end && best.positions < static_cast<int64_t>(keys.size()); ++at) {
    Block* block = at->second;
    if (block->behind != behind) continue;
    const auto ends = std::mismatch(keys.begin(), keys.end(), block->keys.begin(), block->keys.end());
    const int64_t positions = ends.first - keys.begin();
    if (positions > best.positions) best = {block, positions};
  }
  return best;
}

void KvPool::extend(Block& block, Prefix behind, std::span<const PositionKey> keys) {
  if (keys.empty()) return;
  block.keys.insert(block.keys.end(), keys.begin(), keys.end());
  if (static_cast<int64_t>(block.keys.size()) == kKvBlock) block.prefix = ++last_;
  if (block.known) return;
  block.behind = behind;
  block.known = true;
  known_.emplace(index_key(behind, block.keys.front()), &block);
}

KvPool::Block* KvPool::twin(const Block& block) const {
  const auto [begin, end] = known_.equal_range(index_key(block.behind, block.keys.front()));
  for (auto at = begin; at != end; ++at) {
    Block* other = at->second;
    const bool covers = other->behind == block.behind && other->keys.size() >= block.keys.size() &&
                        std::equal(block.keys.begin(), block.keys.end(), other->keys.begin());
    if (other != &block && covers) return other;
  }
  return nullptr;
}

void KvPool::forget(Block& block) {
  if (block.known) {
    const auto [begin, end] = known_.equal_range(index_key(block.behind, block.keys.front()));
    known_.erase(std::find_if(begin, end, [&](const auto& entry) { return entry.second == &block; }));
  }
  block.known = false;
  block.keys.clear();
}

}  // namespace ivl
