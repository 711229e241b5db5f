// What the compiler calls in code compiled with -fsanitize=thread, in place of ThreadSanitizer's library.
#include <cstddef>

#include "emulation/block.h"
#include "emulation/checks.h"
#include "emulation/memory.h"

namespace {

// Behind the hook comes the access itself, which cannot be left out: where there is no memory, the launch ends before it.
void before(const void* address, size_t alignment, simt::Kind kind, const void* pc, size_t bytes) {
  if (simt::is_device_address(address) && !simt::access(address, alignment, kind, pc, bytes)) {
    simt::abandon_launch();
  }
}

}  // namespace

#define IVL_SIMT_HOOK(size)                                                                                 \
  void __tsan_read##size(void* a) { before(a, size, simt::Kind::Read, __builtin_return_address(0), size); } \
  void __tsan_write##size(void* a) { before(a, size, simt::Kind::Write, __builtin_return_address(0), size); }

// What the compiler knows to be unaligned is of bytes.
#define IVL_SIMT_UNALIGNED_HOOK(size)                                                                              \
  void __tsan_unaligned_read##size(void* a) { before(a, 1, simt::Kind::Read, __builtin_return_address(0), size); } \
  void __tsan_unaligned_write##size(void* a) { before(a, 1, simt::Kind::Write, __builtin_return_address(0), size); }

extern "C" {

IVL_SIMT_HOOK(1)
IVL_SIMT_HOOK(2)
IVL_SIMT_HOOK(4)
IVL_SIMT_HOOK(8)
IVL_SIMT_HOOK(16)
IVL_SIMT_UNALIGNED_HOOK(2)
IVL_SIMT_UNALIGNED_HOOK(4)
IVL_SIMT_UNALIGNED_HOOK(8)
IVL_SIMT_UNALIGNED_HOOK(16)

void __tsan_read_range(void* a, size_t size) { before(a, 1, simt::Kind::Read, __builtin_return_address(0), size); }
void __tsan_write_range(void* a, size_t size) { before(a, 1, simt::Kind::Write, __builtin_return_address(0), size); }
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_read(void*) {}
void __tsan_vptr_update(void*, void*) {}

}  // extern "C"
