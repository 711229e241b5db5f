// Kernels with one fault each, for the tests of the checker.
#pragma once

#include <span>

#include "device/gpu.h"
#include "emulation/report.h"

namespace planted {

struct Kernel {
  // The line of the fault in planted.cu ends in "// fault: NAME".
  const char* name;
  simt::Fault fault;
  // Starts it on `count` floats.
  cudaError_t (*start)(float* data, int count);
};

std::span<const Kernel> kernels();

// Uses everything the others use, rightly.
cudaError_t without_fault(float* data, int count);

constexpr int kCount = 128;

}  // namespace planted
