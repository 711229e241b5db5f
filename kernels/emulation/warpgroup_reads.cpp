#include "emulation/warpgroup_reads.h"

#include "emulation/checks.h"
#include "emulation/report.h"

namespace simt {
namespace {

constexpr size_t kBytes = 16;

}  // namespace

bool WarpgroupReads::read(const void* chunk, const void* pc) {
  if (!fenced_) {
    report(Fault::Async, pc, "a warpgroup product behind asynchronous copies without fence.proxy.async");
    fenced_ = true;
  }
  if (!access(chunk, kBytes, Kind::MatrixRead, pc)) return false;
  open_.push_back({chunk, pc});
  return true;
}

void WarpgroupReads::commit() {
  groups_.push_back(std::move(open_));
  open_.clear();
}

void WarpgroupReads::wait(size_t pending) {
  while (groups_.size() > pending) {
    for (const Read& read : groups_.front()) access(read.chunk, kBytes, Kind::MatrixRead, read.pc);
    groups_.pop_front();
  }
}

const void* WarpgroupReads::first_pending() const {
  for (const auto& group : groups_) {
    if (!group.empty()) return group.front().pc;
  }
  return open_.empty() ? nullptr : open_.front().pc;
}

void WarpgroupReads::clear() {
  fenced_ = true;
  open_.clear();
  groups_.clear();
}

}  // namespace simt
