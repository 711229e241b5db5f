#include "emulation/transfers.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "emulation/memory.h"
#include "emulation/pinned.h"
#include "emulation/queue.h"
#include "emulation/report.h"

namespace simt {
namespace {

// The parts of a copy lie in live allocations of one of the devices, or outside of all device memory.
bool check_device_range(const void* address, size_t bytes, const void* pc) {
  const Allocation* allocation = find_allocation(address);
  if (allocation != nullptr && allocation->holds(address, bytes)) return true;
  report(Fault::Bounds, pc, "a copy of " + std::to_string(bytes) + " bytes beyond device memory");
  return false;
}

// What was never written stays so when it is copied between devices' memories; a copy to the host must not read it.
bool check_written(const void* address, size_t bytes, const void* pc) {
  Allocation* allocation = find_allocation(address);
  const size_t first = allocation->offset(address);
  bool written = true;
  allocation->cells.visit(first, first + bytes, false,
                          [&](const Cell& cell, size_t, uint8_t bits) { written = written && (cell.written & bits) == bits; });
  if (!written) report(Fault::Uninitialized, pc, "a copy to the host of bytes that nothing wrote");
  return written;
}

void run_copy(const Copy& copy) {
  for (size_t row = 0; row < copy.height; row++) {
    std::byte* to = copy.to + row * copy.to_pitch;
    const std::byte* from = copy.from + row * copy.from_pitch;
    if (copy.kind != cudaMemcpyHostToDevice && !check_device_range(from, copy.width, copy.pc)) return;
    if (copy.kind != cudaMemcpyDeviceToHost && !check_device_range(to, copy.width, copy.pc)) return;
    if (copy.kind == cudaMemcpyDeviceToHost) check_written(from, copy.width, copy.pc);
    if (copy.kind != cudaMemcpyHostToDevice) mark_read(from, copy.width);
    std::memcpy(open_pinned(to), open_pinned(from), copy.width);
    if (copy.kind != cudaMemcpyDeviceToHost) mark_written(to, copy.width);
  }
}

WorkName name_of(const Copy& copy) {
  const char* kinds[] = {"a copy to the device", "a copy to the host", "a copy between devices' memory"};
  return {kinds[copy.kind - cudaMemcpyHostToDevice], copy.pc};
}

std::optional<PinnedUse> pinned_use_of(const Copy& copy) {
  if (is_pinned(copy.to)) return PinnedUse{copy.to, copy.to_pitch, copy.width, copy.height, true};
  if (is_pinned(copy.from)) return PinnedUse{copy.from, copy.from_pitch, copy.width, copy.height, false};
  return {};
}

}  // namespace

// Pageable host memory is read before the call returns and written before it returns; pinned memory is touched late.
cudaError_t enqueue_copy(const Copy& wanted, cudaStream_t stream) {
  if (wanted.width == 0 || wanted.height == 0 || addresses_only()) return cudaSuccess;
  if (wanted.to_pitch < wanted.width || wanted.from_pitch < wanted.width) return cudaErrorInvalidValue;
  const bool to_host = wanted.kind == cudaMemcpyDeviceToHost;
  const bool from_host = wanted.kind == cudaMemcpyHostToDevice;
  const bool pageable = (to_host && !is_pinned(wanted.to)) || (from_host && !is_pinned(wanted.from));
  if (pageable && queue().refused_in_capture("a copy of pageable memory", wanted.pc)) {
    return cudaErrorStreamCaptureUnsupported;
  }
  if (pageable && from_host) {
    auto staged = std::make_shared<std::vector<std::byte>>(wanted.width * wanted.height);
    for (size_t row = 0; row < wanted.height; row++) {
      std::memcpy(staged->data() + row * wanted.width, wanted.from + row * wanted.from_pitch, wanted.width);
    }
    Copy late = wanted;
    late.from = staged->data();
    late.from_pitch = late.width;
    return queue().enqueue(stream, {[late, staged] { run_copy(late); }, name_of(wanted), {}, {}});
  }
  const cudaError_t error = queue().enqueue(stream, {[wanted] { run_copy(wanted); }, name_of(wanted), {}, pinned_use_of(wanted)});
  return error == cudaSuccess && pageable ? cudaStreamSynchronize(stream) : error;
}

cudaError_t enqueue_fill(void* memory, int value, size_t bytes, cudaStream_t stream, const void* pc) {
  if (bytes == 0 || addresses_only()) return cudaSuccess;
  const auto run = [=] {
    if (!check_device_range(memory, bytes, pc)) return;
    std::memset(memory, value, bytes);
    mark_written(memory, bytes);
  };
  return queue().enqueue(stream, {run, {"a fill", pc}, {}, {}});
}

}  // namespace simt
