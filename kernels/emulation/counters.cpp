#include "emulation/counters.h"

#include <algorithm>
#include <array>
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

std::map<std::string, Traffic>& traffic() {
  static std::map<std::string, Traffic> by_kernel;
  return by_kernel;
}

// Every different 32-byte sector is one transaction.
void count_global(const std::vector<Event>& lanes, Traffic& sum) {
  std::set<uintptr_t> sectors;
  std::set<uintptr_t> words;
  for (const Event& event : lanes) {
    const auto first = reinterpret_cast<uintptr_t>(event.address);
    for (uintptr_t at = first / kSector; at <= (first + event.bytes - 1) / kSector; at++) {
      sectors.insert(at);
    }
    for (uintptr_t at = first; at < first + event.bytes; at++) {
      words.insert(at);
    }
  }
  sum.sectors += static_cast<int64_t>(sectors.size());
  sum.ideal_sectors += static_cast<int64_t>((words.size() + kSector - 1) / kSector);
}

// 32 banks of 4 bytes; lanes with more than 4 bytes take turns in groups of 128 bytes. In a turn a bank gives one word.
void count_shared(const std::vector<Event>& lanes, Traffic& sum) {
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
    sum.wavefronts += static_cast<int64_t>(turns);
    sum.ideal_wavefronts += static_cast<int64_t>((different + kBanks - 1) / kBanks);
  }
}

}  // namespace

std::map<std::string, Traffic> take_traffic() {
  auto result = std::move(traffic());
  traffic().clear();
  return result;
}

void count_access(Thread& thread, const void* address, size_t bytes, Kind kind, const void* pc) {
  // The kinds differ in the instruction, hence also where one place of the source becomes several.
  const void* place = static_cast<const std::byte*>(pc) + (kind == Kind::AsyncTarget ? 1 : 0);
  uint32_t before = 0;
  for (const Event& event : thread.events) {
    before += event.pc == place ? 1 : 0;
  }
  thread.events.push_back({place, address, static_cast<uint32_t>(bytes), before});
}

void count_warp(const std::unique_ptr<Thread>* lanes, uint32_t count) {
  std::map<std::tuple<const void*, uint32_t>, std::vector<Event>> instructions;
  for (uint32_t lane = 0; lane < count; lane++) {
    for (const Event& event : lanes[lane]->events) {
      instructions[{event.pc, event.occurrence}].push_back(event);
    }
    lanes[lane]->events.clear();
  }
  Traffic& sum = traffic()[current_kernel()];
  for (const auto& [place, events] : instructions) {
    const Allocation* allocation = find_allocation(events[0].address);
    if (allocation != nullptr && allocation->space == Space::Shared) {
      count_shared(events, sum);
    } else {
      count_global(events, sum);
    }
  }
}

}  // namespace simt
