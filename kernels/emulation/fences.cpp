#include "emulation/fences.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace simt {

// The fences behind which atomics came to one address, in order.
struct Releases {
  std::vector<Access> fences;
  std::unordered_map<uint32_t, std::vector<size_t>> of_block;

  void add(const Access& fence) {
    of_block[fence.block].push_back(fences.size());
    fences.push_back(fence);
  }
};

namespace {

std::map<const void*, Releases>& releases() {
  static std::map<const void*, Releases> by_address;
  return by_address;
}

// Before the fence in its own thread, or before a barrier that its block or warp met at before the fence.
bool is_before(const Access& access, const Access& fence) {
  return access.block_epoch < fence.block_epoch || (access.thread == fence.thread && access.fences < fence.fences) ||
         (access.thread / 32 == fence.thread / 32 && access.warp_epoch < fence.warp_epoch);
}

}  // namespace

void Fences::learn(Known& known, const Known& other) {
  for (const auto& [list, count] : other) {
    known[list] = std::max(known[list], count);
  }
}

void Fences::fence(const Access& clock) {
  learn(known_, seen_);
  seen_.clear();
  carried_ = known_;
  fenced_ = clock;
  told_.clear();
}

void Fences::atomic(const void* address) {
  Releases& here = releases()[address];
  seen_[&here] = here.fences.size();
  if (fenced_.launch == 0 || !told_.insert(&here).second) {
    return;
  }
  here.add(fenced_);
  for (const auto& [list, count] : carried_) {
    for (size_t i = 0; list != &here && i < count; i++) {
      here.add(list->fences[i]);
    }
  }
}

bool Fences::order(const Access& earlier) const {
  return std::any_of(known_.begin(), known_.end(), [&](const auto& known) {
    const auto& [list, count] = known;
    const auto of_block = list->of_block.find(earlier.block);
    return of_block != list->of_block.end() &&
           std::any_of(of_block->second.begin(), of_block->second.end(),
                       [&, most = count, from = list](size_t i) { return i < most && is_before(earlier, from->fences[i]); });
  });
}

void forget_releases() { releases().clear(); }

}  // namespace simt
