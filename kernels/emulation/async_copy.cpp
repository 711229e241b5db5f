#include "emulation/async_copy.h"

#include <cstring>

#include "emulation/checks.h"
#include "emulation/memory.h"

namespace simt {
namespace {

constexpr size_t kBytes = 16;

}  // namespace

void AsyncCopies::issue(void* target, const void* source, int source_bytes, const void* pc) {
  if (source_bytes > 0) {
    access(source, kBytes, Kind::Read, pc, static_cast<size_t>(source_bytes));
  }
  access(target, kBytes, Kind::AsyncTarget, pc);
  open_.push_back({target, source, source_bytes, pc});
}

void AsyncCopies::commit() {
  groups_.push_back(std::move(open_));
  open_.clear();
}

void AsyncCopies::wait(size_t pending) {
  while (groups_.size() > pending) {
    for (const Copy& copy : groups_.front()) {
      if (!access(copy.target, kBytes, Kind::AsyncLanding, copy.pc)) {
        continue;  // reported; there is nowhere to copy to
      }
      std::memset(copy.target, 0, kBytes);
      if (copy.source_bytes > 0 && find_allocation(copy.source) != nullptr) {
        std::memcpy(copy.target, copy.source, static_cast<size_t>(copy.source_bytes));
      }
    }
    groups_.pop_front();
  }
}

void AsyncCopies::clear() {
  open_.clear();
  groups_.clear();
}

}  // namespace simt
