#include "emulation/pinned.h"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <csignal>

#include <map>
#include <mutex>
#include <vector>

#include "emulation/report.h"

namespace simt {
namespace {

struct Pending {
  PinnedUse use;
  Clock done;
};

struct Block {
  std::byte* begin = nullptr;
  std::byte* open = nullptr;  // the same pages at another address, never protected
  size_t bytes = 0;           // whole pages
  std::vector<Pending> pending;
};

// The handler below may find any thread anywhere.
std::recursive_mutex& mutex() {
  static std::recursive_mutex one;
  return one;
}

std::map<const std::byte*, Block>& blocks() {
  static std::map<const std::byte*, Block> by_begin;
  return by_begin;
}

Block* block_of(const void* address) {
  const auto* at = static_cast<const std::byte*>(address);
  auto found = blocks().upper_bound(at);
  if (found == blocks().begin()) return nullptr;
  --found;
  return at < found->first + found->second.bytes ? &found->second : nullptr;
}

size_t page() {
  static const auto size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

void protect(const Block& block, const PinnedUse& use) {
  const size_t first = static_cast<size_t>(use.begin - block.begin) / page() * page();
  const auto end = static_cast<size_t>(use.begin - block.begin) + (use.height - 1) * use.pitch + use.width;
  mprotect(block.begin + first, end - first, use.writes ? PROT_NONE : PROT_READ);
}

// What must not be read last, since it must not be written either.
void protect_pending(const Block& block) {
  mprotect(block.begin, block.bytes, PROT_READ | PROT_WRITE);
  for (const bool writes : {false, true}) {
    for (const Pending& pending : block.pending) {
      if (pending.use.writes == writes) protect(block, pending.use);
    }
  }
}

bool touches(const PinnedUse& use, const std::byte* address) {
  if (address < use.begin) return false;
  const auto offset = static_cast<size_t>(address - use.begin);
  return offset / use.pitch < use.height && offset % use.pitch < use.width;
}

// The access is made again when the handler returns, so its page is opened, whether this was a fault or a neighbour of what is
// in use.
bool explain_fault(const void* address, const void* pc) {
  const std::lock_guard lock(mutex());
  const Block* block = block_of(address);
  if (block == nullptr) return false;
  const auto* at = static_cast<const std::byte*>(address);
  for (const Pending& pending : block->pending) {
    if (!touches(pending.use, at)) continue;
    report(Fault::Order, pc,
           pending.use.writes ? "pinned memory used before the copy to it was waited for"
                              : "pinned memory written before the copy from it was waited for");
    break;
  }
  const size_t first = static_cast<size_t>(at - block->begin) / page() * page();
  mprotect(block->begin + first, page(), PROT_READ | PROT_WRITE);
  return true;
}

struct sigaction previous;

void on_fault(int signal, siginfo_t* info, void* context) {
  const auto pc = static_cast<uintptr_t>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
  if (explain_fault(info->si_addr, reinterpret_cast<const void*>(pc + 1))) return;
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {
    sigaction(signal, &previous, nullptr);  // the access is made again and ends the process
  }
}

void handle_faults() {
  static const bool once = [] {
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, &previous);
    return true;
  }();
  static_cast<void>(once);
}

}  // namespace

void* allocate_pinned(size_t bytes) {
  handle_faults();
  const std::lock_guard lock(mutex());
  Block block;
  block.bytes = (bytes + page() - 1) / page() * page();
  const int file = memfd_create("pinned", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, static_cast<off_t>(block.bytes)) != 0) return nullptr;
  const auto map = [&] { return mmap(nullptr, block.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0); };
  void* begin = map();
  void* open = map();
  close(file);
  if (begin == MAP_FAILED || open == MAP_FAILED) return nullptr;
  block.begin = static_cast<std::byte*>(begin);
  block.open = static_cast<std::byte*>(open);
  return blocks().emplace(block.begin, block).first->second.begin;
}

bool free_pinned(void* memory) {
  const std::lock_guard lock(mutex());
  const auto found = blocks().find(static_cast<std::byte*>(memory));
  if (found == blocks().end()) return false;
  munmap(found->second.begin, found->second.bytes);
  munmap(found->second.open, found->second.bytes);
  blocks().erase(found);
  return true;
}

bool is_pinned(const void* address) {
  const std::lock_guard lock(mutex());
  return block_of(address) != nullptr;
}

std::byte* open_pinned(const void* address) {
  const std::lock_guard lock(mutex());
  auto* at = const_cast<std::byte*>(static_cast<const std::byte*>(address));
  const Block* block = block_of(address);
  return block == nullptr ? at : block->open + (at - block->begin);
}

void add_pinned_use(const PinnedUse& use, const Clock& done) {
  const std::lock_guard lock(mutex());
  Block* block = block_of(use.begin);
  if (block == nullptr) return;
  block->pending.push_back({use, done});
  protect_pending(*block);
}

void forget_pinned_uses(const Clock& host) {
  const std::lock_guard lock(mutex());
  for (auto& [begin, block] : blocks()) {
    const size_t forgotten = std::erase_if(block.pending, [&](const Pending& pending) { return host.covers(pending.done); });
    if (forgotten > 0) protect_pending(block);
  }
}

bool has_pinned_uses(const void* memory) {
  const std::lock_guard lock(mutex());
  const Block* block = block_of(memory);
  return block != nullptr && !block->pending.empty();
}

}  // namespace simt
