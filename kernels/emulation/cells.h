// What the checks know of memory: beside every two bytes lies a cell that says who wrote and read them last. As kernels mostly
// move sixteen bytes at once, one cell speaks for all of these for as long as there is no difference between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "emulation/order.h"

namespace simt {

// Who accessed, and when: see Thread::clock.
struct Access {
  WorkId launch = 0;  // or the copy or fill; 0: nobody yet
  uint32_t block = 0;
  uint16_t thread = 0;
  uint16_t fences = 0;  // that the thread came through
  uint16_t block_epoch = 0;
  uint16_t warp_epoch = 0;

  bool operator==(const Access&) const = default;
};

// One line of a processor's cache: most of the emulation's time goes into fetching them.
struct alignas(64) Cell {
  Access writer;
  Access readers[2];           // the last two different threads
  uint8_t written = 0;         // a bit for each of the two bytes
  uint8_t atomic = 0;          // 1: the last write was atomic; 2: so was one of another thread, and nothing orders the two
  uint8_t in_flight = 0;       // an asynchronous copy will land here
  uint8_t read_elsewhere = 0;  // see Allocation::readers_elsewhere
  bool apart = false;          // of one that speaks for sixteen bytes: no longer, each two have their own
  uint32_t life = 0;           // of the memory it describes; see Cells::forget

  bool operator==(const Cell&) const = default;
};

class Cells {
 public:
  explicit Cells(size_t bytes = 0);

  // From here on no cell says anything: shared memory is new to each block.
  void forget() { life_++; }

  // The cell of this byte and its neighbour alone.
  Cell& of(size_t byte) {
    Cell& all = line_of(byte);
    if (!all.apart) {
      split(byte, all);
    }
    return parts_[byte / 2];
  }

  // Calls each(cell, byte, bits) for the cells from byte `first` to before `end`, in their order. `byte` is the first that is meant
  // of a cell's two, `bits` says which are. Where sixteen bytes are meant that have one cell it is called once for them all; never
  // so if `singly`.
  template <class Each>
  void visit(size_t first, size_t end, bool singly, const Each& each) {
    for (size_t byte = first; byte < end;) {
      const size_t line_end = byte / kLine * kLine + kLine;
      if (singly || byte % kLine != 0 || line_end > end) {
        visit_parts(byte, line_end < end ? line_end : end, each);
      } else if (Cell& all = line_of(byte); !all.apart) {
        each(all, byte, kBoth);
      } else {
        visit_parts(byte, line_end, each);
        merge(byte, all);
      }
      byte = line_end;
    }
  }

 private:
  static constexpr size_t kLine = 16;  // bytes
  static constexpr size_t kParts = kLine / 2;
  static constexpr uint8_t kBoth = 3;

  Cell& line_of(size_t byte) {
    Cell& all = lines_[byte / kLine];
    if (all.life != life_) {
      all = {};
      all.life = life_;
    }
    return all;
  }

  template <class Each>
  void visit_parts(size_t first, size_t end, const Each& each) {
    of(first);
    // They are many times what they describe and seldom in a cache: all are fetched together.
    for (size_t byte = first; byte < end; byte += 2) {
      __builtin_prefetch(&parts_[byte / 2], 1);
    }
    for (size_t byte = first; byte < end;) {
      const bool both = byte % 2 == 0 && byte + 1 < end;
      each(parts_[byte / 2], byte, both ? kBoth : static_cast<uint8_t>(1 << byte % 2));
      byte += both ? 2 : 1;
    }
  }

  void split(size_t byte, Cell& all);
  // Lets one cell speak for the line again, if its cells are alike to every check that is to come.
  void merge(size_t byte, Cell& all);

  struct Free {
    void operator()(Cell* cells) const { std::free(cells); }
  };

  std::vector<Cell> lines_;              // one for sixteen bytes each
  std::unique_ptr<Cell[], Free> parts_;  // one for two bytes each; they say nothing before their line is apart
  uint32_t life_ = 0;
};

}  // namespace simt
