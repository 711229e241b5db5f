#include "emulation/counters.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <tuple>
#include <vector>

#include "emulation/memory.h"
#include "emulation/thread.h"

namespace simt {
namespace {

constexpr uintptr_t kSector = 32;
constexpr uintptr_t kBank = 4;
constexpr size_t kBanks = 32;
constexpr uintptr_t kBits = 64;  // bytes of a block in Touched

std::map<std::string, KernelTraffic>& traffic() {
  static std::map<std::string, KernelTraffic> by_kernel;
  return by_kernel;
}

// Every different 32-byte sector is one transaction.
Count count_global(const std::vector<Event>& lanes) {
  std::set<uintptr_t> sectors;
  std::set<uintptr_t> bytes;
  for (const Event& event : lanes) {
    const auto first = reinterpret_cast<uintptr_t>(event.address);
    for (uintptr_t at = first / kSector; at <= (first + event.bytes - 1) / kSector; at++) {
      sectors.insert(at);
    }
    for (uintptr_t at = first; at < first + event.bytes; at++) {
      bytes.insert(at);
    }
  }
  return {static_cast<int64_t>(sectors.size()), static_cast<int64_t>((bytes.size() + kSector - 1) / kSector)};
}

// 32 banks of 4 bytes; lanes with more than 4 bytes take turns in groups of 128 bytes. In a turn a bank gives one word.
Count count_shared(const std::vector<Event>& lanes) {
  Count sum;
  const size_t widest =
      std::max_element(lanes.begin(), lanes.end(), [](const Event& a, const Event& b) { return a.bytes < b.bytes; })->bytes;
  const size_t group = std::max<size_t>(1, kBanks * kBank / std::max<size_t>(kBank, widest));
  for (size_t first = 0; first < lanes.size(); first += group) {
    std::array<std::set<uintptr_t>, kBanks> words;
    size_t different = 0;
    for (size_t i = first; i < std::min(lanes.size(), first + group); i++) {
      const auto begin = reinterpret_cast<uintptr_t>(lanes[i].address);
      for (uintptr_t word = begin / kBank; word <= (begin + lanes[i].bytes - 1) / kBank; word++) {
        different += words[word % kBanks].insert(word).second ? 1 : 0;
      }
    }
    size_t turns = 0;
    for (const auto& bank : words) {
      turns = std::max(turns, bank.size());
    }
    sum.actual += static_cast<int64_t>(turns);
    sum.ideal += static_cast<int64_t>((different + kBanks - 1) / kBanks);
  }
  return sum;
}

void add(const Count& one, Count& place, Count& kernel) {
  for (Count* sum : {&place, &kernel}) {
    sum->actual += one.actual;
    sum->ideal += one.ideal;
  }
}

}  // namespace

std::map<std::string, KernelTraffic> take_traffic() {
  auto result = std::move(traffic());
  traffic().clear();
  return result;
}

void Touched::add(uintptr_t first, size_t bytes, bool writes) {
  const uintptr_t end = first + bytes;
  for (uintptr_t at = first, next = 0; at < end; at = next) {
    next = std::min(end, (at / kBits + 1) * kBits);
    const uint64_t bits = ~uint64_t{0} >> (kBits - (next - at)) << at % kBits;
    Block& block = blocks_[at / kBits];
    if (writes) {
      block.written |= bits;
    } else {
      block.read |= bits & ~block.written;
    }
  }
}

int64_t Touched::read() const {
  int64_t sum = 0;
  for (const auto& [place, block] : blocks_) {
    sum += std::popcount(block.read);
  }
  return sum;
}

int64_t Touched::written() const {
  int64_t sum = 0;
  for (const auto& [place, block] : blocks_) {
    sum += std::popcount(block.written);
  }
  return sum;
}

void count_access(Thread& thread, const void* address, size_t bytes, Kind kind, const void* pc) {
  // One place may read and write: an asynchronous copy does.
  const bool writes = kind != Kind::Read;
  uint32_t before = 0;
  for (const Event& event : thread.events) {
    before += event.pc == pc && event.writes == writes ? 1 : 0;
  }
  thread.events.push_back({pc, address, static_cast<uint32_t>(bytes), writes, before});
}

void count_warp(const std::unique_ptr<Thread>* lanes, uint32_t count) {
  std::map<std::tuple<const void*, bool, uint32_t>, std::vector<Event>> instructions;
  KernelTraffic& kernel = traffic()[current_kernel()];
  for (uint32_t lane = 0; lane < count; lane++) {
    for (const Event& event : lanes[lane]->events) {
      instructions[{event.pc, event.writes, event.occurrence}].push_back(event);
      if (!shared_memory().holds(event.address, 1)) {  // in the lane's order, for what it reads back
        kernel.touched.add(reinterpret_cast<uintptr_t>(event.address), event.bytes, event.writes);
      }
    }
    lanes[lane]->events.clear();
  }
  for (const auto& [key, events] : instructions) {
    const Event& first = events[0];
    const Allocation* allocation = find_allocation(first.address);
    Traffic& place = kernel.places[first.pc];
    if (allocation != nullptr && allocation->space == Space::Shared) {
      add(count_shared(events), place.wavefronts, kernel.sum.wavefronts);
    } else if (first.writes) {
      add(count_global(events), place.written, kernel.sum.written);
    } else {
      add(count_global(events), place.read, kernel.sum.read);
    }
  }
}

}  // namespace simt
