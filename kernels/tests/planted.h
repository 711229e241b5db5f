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
// Adds 1 to data[0] for each thread, and writes each block's sum of its threads' numbers to data[1 + block].
cudaError_t atomic_sums(float* data, int count);
// Adds 1 to all but the last, which counts blocks from `count` on; the last block leaves the sum of all but the last in data[0].
cudaError_t sum_by_last_block(float* data, int count);
// Ones for data[0] and data[1] by a block each, data[2] their sum by a lane that only met the one that counted.
cudaError_t copy_by_last_warp(float* data, int count);
// Ones.
cudaError_t fill(float* data, int count);

// Right, but dear. Each warp reads every second float of 64; 32 floats of one bank, written and read.
cudaError_t strided_reads(float* data, int count);
cudaError_t conflicting_columns(float* data, int count);

// With dynamic shared memory that fits without being asked for, but not beside the kernel's own.
cudaError_t too_much_shared_together(float* data, int count);

constexpr int kCount = 128;

}  // namespace planted
