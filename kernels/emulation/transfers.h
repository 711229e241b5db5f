// Copies between host and device memory and fills, as the emulated runtime does them: pinned host memory is touched late,
// with the other work of the stream.
#pragma once

#include <cstddef>

#include "emulation/runtime.h"

namespace simt {

// `height` rows of `width` bytes.
struct Copy {
  std::byte* to;
  size_t to_pitch;
  const std::byte* from;
  size_t from_pitch;
  size_t width;
  size_t height;
  cudaMemcpyKind kind;
  const void* pc;  // of the call, for reports
};

cudaError_t enqueue_copy(const Copy& copy, cudaStream_t stream);
cudaError_t enqueue_fill(void* memory, int value, size_t bytes, cudaStream_t stream, const void* pc);

}  // namespace simt
