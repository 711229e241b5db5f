#include "emulation/cells.h"

#include <algorithm>
#include <new>

namespace simt {
namespace {

// Of work that is over nothing but its number is ever looked at, and of all but the last reader not even that.
Access lasting(const Access& access) {
  if (access.launch == running_work) {
    return access;
  }
  Access kept;
  kept.launch = access.launch;
  return kept;
}

Cell lasting(const Cell& cell) {
  Cell kept = cell;
  kept.writer = lasting(cell.writer);
  kept.readers[0] = lasting(cell.readers[0]);
  kept.readers[1] = cell.readers[1].launch == running_work ? cell.readers[1] : Access{};
  return kept;
}

}  // namespace

Cells::Cells(size_t bytes) : lines_((bytes + kLine - 1) / kLine) {
  // Not cleared, so that the system gives memory only for what is split.
  const size_t size = lines_.size() * kParts * sizeof(Cell);
  parts_.reset(static_cast<Cell*>(std::aligned_alloc(alignof(Cell), size)));
  if (parts_ == nullptr && size != 0) {
    throw std::bad_alloc();
  }
}

void Cells::split(size_t byte, Cell& all) {
  std::fill_n(&parts_[byte / kLine * kParts], kParts, all);
  all.apart = true;
}

void Cells::merge(size_t byte, Cell& all) {
  const Cell* parts = &parts_[byte / 2];
  const Cell first = lasting(parts[0]);
  if (first.read_elsewhere != 0) {
    return;  // by others than the rest, for all that is known here
  }
  for (size_t i = 1; i < kParts; i++) {
    if (lasting(parts[i]) != first) {
      return;
    }
  }
  all = first;
}

}  // namespace simt
