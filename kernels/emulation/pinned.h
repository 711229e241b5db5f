// Pinned host memory, which copies touch late. While one may, host code must leave it alone, except that it may read what is
// only read: its pages are protected until host code has waited for the copy, and an access before is reported with its place.
#pragma once

#include <cstddef>

#include "emulation/order.h"

namespace simt {

// Null if there is no memory.
void* allocate_pinned(size_t bytes);
// False if allocate_pinned() never gave it.
bool free_pinned(void* memory);
bool is_pinned(const void* address);
// Where the emulation itself may touch it; any other address as it is.
std::byte* open_pinned(const void* address);

// `height` rows of `width` bytes.
struct PinnedUse {
  const std::byte* begin;
  size_t pitch;
  size_t width;
  size_t height;
  bool writes;
};

// Until `done` has come.
void add_pinned_use(const PinnedUse& use, const Clock& done);
// Host code knows that so much is done.
void forget_pinned_uses(const Clock& host);
bool has_pinned_uses(const void* memory);

}  // namespace simt
