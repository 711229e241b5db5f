#include "host/memory_account.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "tensor/error.h"

namespace ivl {
namespace {

constexpr size_t kWorthALook = size_t{64} << 20;
constexpr size_t kHuge = size_t{4} << 20;  // from here on huge pages are worth asking for

// Bytes of the block that lie in pages which were never touched (or have been swapped out). None where the system does not tell.
size_t untouched(void* data, size_t bytes) {
  std::array<unsigned char, 16384> pages;  // of a piece
  size_t sum = 0;
  for (size_t at = 0; at < bytes; at += pages.size() * page_size()) {
    const size_t piece = std::min(bytes - at, pages.size() * page_size());
    if (::mincore(static_cast<std::byte*>(data) + at, piece, pages.data()) != 0) return 0;
    const size_t count = (piece + page_size() - 1) / page_size();
    const auto resident = [](unsigned char page) { return (page & 1) != 0; };
    const auto missing = count - static_cast<size_t>(std::count_if(pages.begin(), pages.begin() + count, resident));
    sum += std::min(piece, missing * page_size());
  }
  return sum;
}

int64_t mib(int64_t bytes) { return bytes >> 20; }

}  // namespace

size_t page_size() {
  static const auto size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

void* MemoryAccount::map(size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (unseen_ + bytes >= kWorthALook) {
    const int64_t available = available_();
    const int64_t promised = promised_now();
    const auto fits = static_cast<uint64_t>(std::max<int64_t>(0, available - promised));
    if (bytes > fits) {
      fail(Status::OutOfMemory,
           cat(bytes >> 20, " MiB of memory are needed, but ", mib(static_cast<int64_t>(fits)), " MiB are available",
               promised == 0 ? "" : cat(" beside ", mib(promised), " MiB that are reserved already")));
    }
    unseen_ = 0;
  }
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) fail(Status::OutOfMemory, cat("the system has no ", bytes >> 20, " MiB of memory left"));
  try {
    blocks_.emplace(data, Block{bytes, false});
  } catch (...) {
    ::munmap(data, bytes);
    throw;
  }
  unseen_ += bytes;
  if (bytes >= kHuge) ::madvise(data, bytes, MADV_HUGEPAGE);
  return data;
}

void MemoryAccount::unmap(void* data) noexcept {
  size_t bytes = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto block = blocks_.find(data);
    bytes = block->second.bytes;
    blocks_.erase(block);
  }
  ::munmap(data, bytes);
}

void MemoryAccount::set_touched(void* data) {
  const std::lock_guard<std::mutex> lock(mutex_);
  blocks_.find(data)->second.touched = true;
}

int64_t MemoryAccount::promised() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return promised_now();
}

int64_t MemoryAccount::left() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const int64_t available = available_();
  return available == std::numeric_limits<int64_t>::max() ? available : std::max<int64_t>(0, available - promised_now());
}

int64_t MemoryAccount::promised_now() {
  size_t sum = 0;
  for (auto& [data, block] : blocks_) {
    if (block.touched) continue;
    const size_t missing = untouched(data, block.bytes);
    block.touched = missing == 0;
    sum += missing;
  }
  return static_cast<int64_t>(sum);
}

}  // namespace ivl
