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
  const size_t widest = std::max_element(lanes.begin(), lanes.end(), [](const Event& a, const Event& b) {
                          return a.bytes < b.bytes;
                        })->bytes;
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

void Touched::add(uintptr_t first, size_t bytes) {
  for (uintptr_t at = first; at < first + bytes; at++) {
    blocks_[at / 64] |= uint64_t{1} << at % 64;
  }
}

int64_t Touched::bytes() const {
  int64_t sum = 0;
  for (const auto& [block, bits] : blocks_) {
    sum += std::popcount(bits);
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
  for (uint32_t lane = 0; lane < count; lane++) {
    for (const Event& event : lanes[lane]->events) {
      instructions[{event.pc, event.writes, event.occurrence}].push_back(event);
    }
    lanes[lane]->events.clear();
  }
  KernelTraffic& kernel = traffic()[current_kernel()];
  for (const auto& [key, events] : instructions) {
    const Event& first = events[0];
    const Allocation* allocation = find_allocation(first.address);
    Traffic& place = kernel.places[first.pc];
    if (allocation != nullptr && allocation->space == Space::Shared) {
      add(count_shared(events), place.wavefronts, kernel.sum.wavefronts);
    } else {
      const Count sectors = count_global(events);
      first.writes ? add(sectors, place.written, kernel.sum.written) : add(sectors, place.read, kernel.sum.read);
      for (const Event& event : events) {
        (first.writes ? kernel.written : kernel.read).add(reinterpret_cast<uintptr_t>(event.address), event.bytes);
      }
    }
  }
}

}  // namespace simt
