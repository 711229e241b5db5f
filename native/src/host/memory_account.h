// Memory that was granted and not yet taken.
//
// Linux gives out address space at once and pages when they are first touched, so what it reports as available does not know what
// was promised: one large buffer after another would be granted, and the process ended when all of them are used. Here large buffers
// are counted: a new one must fit beside the pages that those before it have yet to touch. Which pages those are the system knows
// (mincore); a buffer that was touched everywhere is not asked about again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

namespace ivl {

// Bytes of a page, which the system maps and gives back as a whole.
size_t page_size();

class MemoryAccount {
 public:
  // `available`: bytes that the process may still take, as the system sees it.
  explicit MemoryAccount(std::function<int64_t()> available) : available_(std::move(available)) {}

  // Zeroed pages, taken from the system when they are first touched. Error(OutOfMemory) with both numbers if they do not fit. Small
  // ones are looked at together: when the last of so many was granted whose sum is worth it.
  void* map(size_t bytes);
  // Of a whole map().
  void unmap(void* data) noexcept;
  // Every page of it was: what is given back of it later (madvise) counts no more.
  void set_touched(void* data);

  // Bytes of all that was granted whose pages were never touched.
  int64_t promised();
  // What is available beside that.
  int64_t left();

 private:
  struct Block {
    size_t bytes;
    bool touched;  // everywhere
  };

  int64_t promised_now();

  std::function<int64_t()> available_;
  std::mutex mutex_;  // of what is below: between the look and the grant nobody else is granted anything
  std::map<void*, Block> blocks_;
  size_t unseen_ = 0;  // bytes granted since the last look
};

}  // namespace ivl
