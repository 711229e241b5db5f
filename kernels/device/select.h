// A choice among many candidates by a block, without a sort: a cut behind the k-th best, or behind the best that have a share of
// the mass, is found by the bits of their keys; the candidate at a place in the sum of all masses by sums over slices.
#pragma once

#include "device/search.h"

namespace gpu {

// So many candidates' weights are summed up by themselves.
constexpr int kSlice = 2048;
GPU_ANYWHERE int slices_of(int candidates) { return (candidates + kSlice - 1) / kSlice; }

// A key's 32 bits come to light by 11, 11 and 10, and so many bins hold any of these.
constexpr int kBins = 2048;
constexpr int kFirstShift = 21;
constexpr int kSecondShift = 10;

// How many candidates are in each bin, and their mass, in shared memory. That adds 64 bits only in a loop of attempts: here it is
// two additions of 32 bits, with the carry from what the first gives back.
struct Bins {
  uint32_t* counts;
  uint32_t* low;
  uint32_t* high;

  GPU_DEVICE void clear(int thread, int threads) const {
    for (int bin = thread; bin < kBins; bin += threads) {
      counts[bin] = 0;
      low[bin] = 0;
      high[bin] = 0;
    }
  }
  GPU_DEVICE void add(uint32_t bin, uint64_t mass) const {
    const auto part = static_cast<uint32_t>(mass);
    const uint32_t before = atomicAdd(&low[bin], part);
    const uint32_t rest = static_cast<uint32_t>(mass >> 32) + (before + part < before ? 1u : 0u);
    if (rest != 0) {
      atomicAdd(&high[bin], rest);
    }
  }
  GPU_DEVICE uint64_t mass(int bin) const { return static_cast<uint64_t>(high[bin]) << 32 | low[bin]; }
};

// Bins that were filled before, in global memory, by the first bits of the keys.
struct GivenBins {
  const uint32_t* counts = nullptr;
  const unsigned long long* masses = nullptr;
};

// What stays after a cut: all greater keys, and of this one the candidates up to `last`.
struct Cut {
  uint32_t key = 0;
  int last = 0x7fffffff;
  GPU_DEVICE bool keeps(uint32_t other, int candidate) const { return other > key || (other == key && candidate <= last); }
};

// What a block does with its shared memory to choose among candidates 0 to count - 1.
template <int Threads>
struct Selection {
  static_assert(kSlice <= 2 * Threads && kBins <= 2 * Threads, "as many places as find_passed() looks at");

  int count;
  Bins bins;
  uint64_t* sums;        // by slice
  uint64_t* scratch;     // Threads / kWarp, for find_passed
  uint64_t* reductions;  // as many
  Passed* passed;

  GPU_DEVICE int thread() const { return static_cast<int>(threadIdx.x); }

  // The sum over the slices, at most Threads of them, once theirs are in `sums`.
  GPU_DEVICE uint64_t total() const {
    __syncthreads();
    return block_reduce<Threads, WholeSum>(thread() < slices_of(count) ? sums[thread()] : 0, reductions);
  }

  // Sums up weight(candidate), a warp for each slice, and returns the total.
  template <class Weight>
  GPU_DEVICE uint64_t weigh(const Weight& weight) const {
    for (int slice = thread() / kWarp; slice < slices_of(count); slice += Threads / kWarp) {
      uint64_t sum = 0;
      for (int i = thread() % kWarp; i < kSlice; i += kWarp) {
        const int candidate = slice * kSlice + i;
        sum += candidate < count ? weight(candidate) : 0;
      }
      sum = warp_reduce<WholeSum>(sum);
      if (thread() % kWarp == 0) {
        sums[slice] = sum;
      }
    }
    return total();
  }

  // The first candidate at which the sum of the weights exceeds the target. `sums` are those of the weight.
  template <class Weight>
  GPU_DEVICE int candidate_at(const Weight& weight, uint64_t target) const {
    const Passed slice = find_passed<Threads>(
        slices_of(count), [&](int place) { return sums[place]; }, target, scratch, passed);
    const int first = slice.place * kSlice;
    const int candidates = count - first < kSlice ? count - first : kSlice;
    const Passed place = find_passed<Threads>(
        candidates, [&](int i) { return weight(first + i); }, target - slice.before, scratch, passed);
    return first + place.place;
  }

  // The cut behind the candidate, counted from the best, at which the number of candidates, or their mass, exceeds `target`. Its
  // key comes to light from the top, some bits at a time; for the first, filled bins may be given (by mass they are).
  template <bool ByMass, class Key, class Mass>
  GPU_DEVICE Cut cut_at(const Key& key, const Mass& mass, const GivenBins& given, uint64_t target) const {
    uint32_t found = 0;
    for (int level = 0; level < 3; level++) {
      const bool counted = level > 0 || given.counts == nullptr;
      if (counted) {
        fill<ByMass>(key, mass, level, found);
      }
      const auto weight = [&](int place) -> uint64_t {
        const int bin = kBins - 1 - place;
        if (!ByMass) {
          return counted ? bins.counts[bin] : given.counts[bin];
        }
        if (level == 2) {
          return bins.counts[bin] * mass(found << kSecondShift | bin);  // a bin has one key
        }
        return counted ? bins.mass(bin) : given.masses[bin];
      };
      const Passed bin = find_passed<Threads>(kBins, weight, target, scratch, passed);
      target -= bin.before;
      found = found << (level == 2 ? kSecondShift : kFirstShift - kSecondShift) | (kBins - 1 - bin.place);
    }
    const uint64_t equals = bins.counts[found & ((1u << kSecondShift) - 1)];
    __syncthreads();  // before somebody counts again
    const uint64_t needed = ByMass ? target / mass(found) + 1 : target + 1;
    Cut cut;
    cut.key = found;
    if (needed < equals) {
      const auto is_equal = [&](int candidate) -> uint64_t { return key(candidate) == found ? 1 : 0; };
      weigh(is_equal);
      cut.last = candidate_at(is_equal, needed - 1);
    }
    return cut;
  }

  // Bins of the candidates whose upper bits are those found so far.
  template <bool ByMass, class Key, class Mass>
  GPU_DEVICE void fill(const Key& key, const Mass& mass, int level, uint32_t found) const {
    bins.clear(thread(), Threads);
    __syncthreads();
    for (int candidate = thread(); candidate < count; candidate += Threads) {
      const uint32_t k = key(candidate);
      if (level == 0) {
        atomicAdd(&bins.counts[k >> kFirstShift], 1u);
      } else if (level == 1 && k >> kFirstShift == found) {
        const uint32_t bin = k >> kSecondShift & (kBins - 1);
        atomicAdd(&bins.counts[bin], 1u);
        if (ByMass) {
          bins.add(bin, mass(k));
        }
      } else if (level == 2 && k >> kSecondShift == found) {
        atomicAdd(&bins.counts[k & ((1u << kSecondShift) - 1)], 1u);
      }
    }
    __syncthreads();
  }
};

}  // namespace gpu
