// What the checker has to say: faults of kernels and of the host code around them, each once for a place and kind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace simt {

enum class Fault {
  Race,           // two threads, no barrier between them, at least one writes
  Order,          // work of two streams, nothing orders them, at least one writes
  Bounds,         // no live allocation there
  Alignment,      // an address that is no multiple of the access' size
  Uninitialized,  // read before anything was written
  Divergence,     // a barrier or warp collective that not all of its threads reach
  Async,          // the target of an asynchronous copy used before the copy was waited for
  Device,         // memory of another device, or of the host
  Host,           // wrong use of the runtime: streams, events, sizes
};

const char* name_of(Fault fault);

struct Report {
  Fault fault;
  std::string kernel;
  std::string what;
  std::string where;  // "kernels/norm.cu:31", or an address where nothing better is known
  int64_t count = 1;  // how often this fault was seen at this place
  std::string text() const;
};

// `pc` is a return address in the faulty code.
void report(Fault fault, const void* pc, std::string what);
// "kernels/norm.cu:31" for a return address, by addr2line, or the address where that is not known.
std::string place_of(const void* pc);
// All reports since the last call.
std::vector<Report> take_reports();

}  // namespace simt
