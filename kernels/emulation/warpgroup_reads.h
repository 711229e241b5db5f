// What a thread's warpgroup products read of shared memory. They may read as late as their group is waited for: the emulation
// computes when they are called, and reads once more at the wait, so that a write between the two is a race.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

namespace simt {

class WarpgroupReads {
 public:
  // This thread's asynchronous copies have landed, and the products would not see them, until it fences.
  void copies_landed() { fenced_ = false; }
  void fence() { fenced_ = true; }
  // 16 bytes, of a product that was called at `pc`. False if there is no memory.
  bool read(const void* chunk, const void* pc);
  void commit();
  void wait(size_t pending);
  bool empty() const { return groups_.empty() && open_.empty(); }
  // Where the oldest that nobody waited for was called; null if nothing is known.
  const void* first_pending() const;
  void clear();

 private:
  struct Read {
    const void* chunk;
    const void* pc;
  };
  bool fenced_ = true;
  std::vector<Read> open_;
  std::deque<std::vector<Read>> groups_;
};

}  // namespace simt
