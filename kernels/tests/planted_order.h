// Host code with one fault each in how it orders the work of several streams, and some without, for the tests of the checker.
#pragma once

#include <span>

#include "device/gpu.h"

namespace planted {

// What a program works with: two streams of device 0, one of device 1, and memory of kCount floats.
struct Streams {
  cudaStream_t a, b, far;
  cudaEvent_t event, second, far_event;
  float* data;      // on device 0, written
  float* copy;      // on device 0
  float* far_copy;  // on device 1
  float* pinned;    // on the host
};

struct Program {
  // The line of the fault in planted_order.cu ends in "// fault: NAME". It is that of the call which comes last, or of its kernel.
  const char* name;
  void (*run)(Streams& with);
};

std::span<const Program> unordered();
std::span<const Program> ordered();

}  // namespace planted
