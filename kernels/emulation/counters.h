// Counts what a warp's accesses cost: 32-byte sectors of global memory and wavefronts of shared memory, beside the
// fewest that the same bytes could take. Deterministic, so the figures can be kept and compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "emulation/checks.h"

namespace simt {

struct Count {
  int64_t actual = 0;
  int64_t ideal = 0;  // of the same instructions, if their bytes lay side by side
};

struct Traffic {
  Count read;        // sectors of global memory
  Count written;     // atomics too
  Count wavefronts;  // of shared memory
};

// Which bytes of global memory a kernel touched, however often. What it wrote itself before it read it back does not count as
// read: a launch need not bring it.
class Touched {
 public:
  void add(uintptr_t first, size_t bytes, bool writes);
  int64_t read() const;
  int64_t written() const;

 private:
  struct Block {  // a bit for each of 64 bytes
    uint64_t read = 0;
    uint64_t written = 0;
  };
  std::unordered_map<uintptr_t, Block> blocks_;
};

struct KernelTraffic {
  Traffic sum;
  Touched touched;
  std::map<const void*, Traffic> places;  // by return address; place_of() in report.h says which line that is
};

// By kernel name, since the last call.
std::map<std::string, KernelTraffic> take_traffic();

// One access of one thread.
struct Event {
  const void* pc;
  const void* address;
  uint32_t bytes;
  bool writes;
  uint32_t occurrence;  // how many times this thread did the same here before, since its warp met
};

void count_access(Thread& thread, const void* address, size_t bytes, Kind kind, const void* pc);
// The lanes of a warp met or ended: what they did at the same place, at the same occurrence, was one instruction.
void count_warp(const std::unique_ptr<Thread>* lanes, uint32_t count);

}  // namespace simt
