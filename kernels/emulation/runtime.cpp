#include "emulation/runtime.h"

namespace simt {
namespace {

// The limits of every GPU since compute capability 3.
constexpr uint32_t kMaxThreads = 1024;
constexpr uint32_t kMaxGridX = 0x7fffffff;
constexpr uint32_t kMaxGridYZ = 65535;

int current_device = 0;

bool is_possible(const LaunchShape& shape) {
  const Dim3& grid = shape.grid;
  const Dim3& block = shape.block;
  return grid.x > 0 && grid.y > 0 && grid.z > 0 && block.count() > 0 && grid.x <= kMaxGridX && grid.y <= kMaxGridYZ &&
         grid.z <= kMaxGridYZ && block.count() <= kMaxThreads && block.z <= 64;
}

}  // namespace

void set_device(int device) { current_device = device; }
int device() { return current_device; }

cudaError_t enqueue_kernel(const char* name, const LaunchShape& shape, cudaStream_t /*stream*/,
                           const std::function<void()>& kernel) {
  if (!is_possible(shape)) {
    return cudaErrorInvalidConfiguration;
  }
  run_grid(name, shape, current_device, kernel);
  return cudaSuccess;
}

}  // namespace simt
