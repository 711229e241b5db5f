// cp.async: a copy from global to shared memory that lands some time before its thread has waited for it. The
// emulation lets it land at the wait, the latest moment; until then its target must not be touched.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

namespace simt {

class AsyncCopies {
 public:
  // 16 bytes; `source_bytes` of them from the source, zeros after those.
  void issue(void* target, const void* source, int source_bytes, const void* pc);
  // What was issued since the last commit becomes a group.
  void commit();
  // Lands all groups but the last `pending`.
  void wait(size_t pending);
  bool empty() const { return groups_.empty() && open_.empty(); }
  void clear();

 private:
  struct Copy {
    void* target;
    const void* source;
    int source_bytes;
    const void* pc;
  };
  std::vector<Copy> open_;
  std::deque<std::vector<Copy>> groups_;
};

}  // namespace simt
