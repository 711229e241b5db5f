// Memory for one sequence's cache on one backend.
#pragma once

#include <vector>

#include "backend/backend.h"

namespace ivl {

class BlockCache {
 public:
  BlockCache(Backend& backend, const KvShape& shape, int64_t tokens) {
    for (int64_t i = 0; i < blocks_for(tokens); ++i) {
      memory_.push_back(backend.allocate(shape.block_bytes()));
      blocks_.push_back(memory_.back().data());
    }
  }
  operator KvTable() const { return blocks_; }
  size_t size() const { return blocks_.size(); }
  char* block(size_t index) const { return static_cast<char*>(blocks_.at(index)); }

 private:
  std::vector<Buffer> memory_;
  std::vector<void*> blocks_;
};

}  // namespace ivl
