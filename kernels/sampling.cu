#include "sampling.h"

#include <cmath>

#include "device/select.h"
#include "sampling_rules.h"

namespace gpu {
namespace {

constexpr int kSliceThreads = 256;  // of the first two kernels' blocks, which have a slice of a row each
constexpr int kRowThreads = 1024;   // of the last one's, which has a row
constexpr int kMostSlices = kRowThreads;
static_assert(kMostVocabulary <= kMostSlices * kSlice);
constexpr int kWord = 32;                                                             // tokens whose bits share a word
constexpr size_t kSampledBytes = sizeof(uint64_t) + 3 * sizeof(float) + sizeof(int);  // of a SampledRow

using RowSelection = Selection<kRowThreads>;

// What the launches leave for each other.
struct Space {
  unsigned long long* bin_masses;  // (rows, kBins), by the upper bits of the scores' keys
  uint32_t* bin_counts;
  uint64_t* best_scores;   // (rows, slices), as ranked()
  uint64_t* best_logits;   // keys
  uint64_t* logit_masses;  // at temperature 1
  uint64_t* score_masses;
  float* added;        // (rows, slices * kSlice): to logits, of rows that have something to add
  uint32_t* repeated;  // (rows, slices * kSlice / kWord): a bit for each token, set if it was generated
};

struct Work {
  Sampling sampling;
  Space space;
};

// A greater score is greater, and among equals the lower id.
GPU_DEVICE uint64_t ranked(uint32_t key, int token) {
  return static_cast<uint64_t>(key) << 32 | (0xffffffffu - static_cast<uint32_t>(token));
}
GPU_DEVICE int token_of(uint64_t rank) { return static_cast<int>(0xffffffffu - static_cast<uint32_t>(rank)); }
GPU_DEVICE uint32_t key_of(uint64_t rank) { return static_cast<uint32_t>(rank >> 32); }

GPU_DEVICE bool limits_rank(const SamplingRow& row, int vocabulary) { return row.top_k > 0 && row.top_k < vocabulary; }
GPU_DEVICE bool needs_bins(const SamplingRow& row, int vocabulary) {
  return row.temperature > 0 && (row.top_p < 1 || limits_rank(row, vocabulary));
}

// A row's logits: what is not allowed gone, numbers added, and those of generated tokens penalised.
struct Scores {
  const float* logits;
  const uint32_t* allowed;   // null: all
  const float* added;        // null: none
  const uint32_t* repeated;  // null: none
  float penalty;

  GPU_DEVICE float of(int token, float logit) const {
    if (allowed != nullptr && !sampling::is_set(allowed, token)) {
      return -INFINITY;
    }
    const float score = added != nullptr ? __fadd_rn(logit, added[token]) : logit;
    return repeated != nullptr && sampling::is_set(repeated, token) ? sampling::penalised(score, penalty) : score;
  }
  GPU_DEVICE uint32_t key(int token) const { return sampling::key_of(of(token, logits[token])); }
};

GPU_DEVICE const float* logits_of(const Work& work, unsigned row) {
  return work.sampling.logits.data + row * work.sampling.logits.stride;
}

GPU_DEVICE uint32_t* repeated_of(const Work& work, unsigned row) {
  return work.space.repeated + static_cast<int64_t>(row) * slices_of(work.sampling.vocabulary) * (kSlice / kWord);
}

GPU_DEVICE float* added_of(const Work& work, unsigned row) {
  return work.space.added + static_cast<int64_t>(row) * slices_of(work.sampling.vocabulary) * kSlice;
}

GPU_DEVICE Scores scores_of(const Work& work, const SamplingRow& row, unsigned index) {
  return {logits_of(work, index), row.allowed, row.added_count > 0 ? added_of(work, index) : nullptr,
          row.generated_count > 0 ? repeated_of(work, index) : nullptr, row.penalty};
}

// The slice's part of `added`; after it every thread of the block may read it.
GPU_DEVICE void spread_added(const Work& work, const SamplingRow& row) {
  const int first = static_cast<int>(blockIdx.x) * kSlice;
  float* added = added_of(work, blockIdx.y) + first;
  for (int i = static_cast<int>(threadIdx.x); i < kSlice; i += kSliceThreads) {
    added[i] = 0;
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < row.added_count; i += kSliceThreads) {
    const int place = row.added[i].token - first;
    if (place >= 0 && place < kSlice) {
      added[place] = row.added[i].logit;
    }
  }
  __syncthreads();
}

// The slice's words of `repeated`; after it every thread may read them.
GPU_DEVICE void mark_generated(const Work& work, const SamplingRow& row, uint32_t* words) {
  const int thread = static_cast<int>(threadIdx.x);
  const int first = static_cast<int>(blockIdx.x) * kSlice;
  if (thread < kSlice / kWord) {
    words[thread] = 0;
  }
  __syncthreads();
  for (int i = thread; i < row.generated_count; i += kSliceThreads) {
    const int place = row.generated[i] - first;
    if (place >= 0 && place < kSlice) {
      atomicOr(&words[place / kWord], 1u << (place % kWord));
    }
  }
  __syncthreads();
  if (thread < kSlice / kWord) {
    repeated_of(work, blockIdx.y)[first / kWord + thread] = words[thread];
  }
  __syncthreads();
}

// The best of each slice: blockIdx.x is the slice, blockIdx.y the row. Also sets the bins to zero, for the next kernel.
__global__ void __launch_bounds__(kSliceThreads) scan_kernel(Work work) {
  GPU_SHARED(uint32_t, words, kSlice / kWord);
  GPU_SHARED(uint64_t, scratch, 2 * kSliceThreads / kWarp);
  const SamplingRow row = work.sampling.rows[blockIdx.y];
  const int vocabulary = work.sampling.vocabulary;
  const int first = static_cast<int>(blockIdx.x) * kSlice + static_cast<int>(threadIdx.x);
  if (row.generated_count > 0) {
    mark_generated(work, row, words);
  }
  if (row.added_count > 0) {
    spread_added(work, row);
  }
  if (blockIdx.x == 0 && needs_bins(row, vocabulary)) {
    for (int bin = static_cast<int>(threadIdx.x); bin < kBins; bin += kSliceThreads) {
      work.space.bin_masses[blockIdx.y * kBins + bin] = 0;
      work.space.bin_counts[blockIdx.y * kBins + bin] = 0;
    }
  }
  const Scores scores = scores_of(work, row, blockIdx.y);
  uint64_t best_score = 0;
  uint64_t best_logit = 0;
#pragma unroll
  for (int i = 0; i < kSlice / kSliceThreads; i++) {
    const int token = first + i * kSliceThreads;
    if (token < vocabulary) {
      const float logit = scores.logits[token];
      best_logit = WholeMax()(best_logit, sampling::key_of(logit));
      best_score = WholeMax()(best_score, ranked(sampling::key_of(scores.of(token, logit)), token));
    }
  }
  best_score = block_reduce<kSliceThreads, WholeMax>(best_score, scratch);
  best_logit = block_reduce<kSliceThreads, WholeMax>(best_logit, scratch + kSliceThreads / kWarp);
  if (threadIdx.x == 0) {
    work.space.best_scores[blockIdx.y * gridDim.x + blockIdx.x] = best_score;
    work.space.best_logits[blockIdx.y * gridDim.x + blockIdx.x] = best_logit;
  }
}

struct Best {
  float logit;
  float score;
  int token;
};

// Of a row's slices, in every thread. `scratch` is shared memory of 2 * Threads / kWarp values.
template <int Threads>
GPU_DEVICE Best best_of(const Space& space, unsigned row, int slices, uint64_t* scratch) {
  uint64_t score = 0;
  uint64_t logit = 0;
  for (int slice = static_cast<int>(threadIdx.x); slice < slices; slice += Threads) {
    score = WholeMax()(score, space.best_scores[row * slices + slice]);
    logit = WholeMax()(logit, space.best_logits[row * slices + slice]);
  }
  score = block_reduce<Threads, WholeMax>(score, scratch);
  logit = block_reduce<Threads, WholeMax>(logit, scratch + Threads / kWarp);
  return {sampling::value_of(static_cast<uint32_t>(logit)), sampling::value_of(key_of(score)), token_of(score)};
}

// The mass of each slice and, where the choice is limited, of each bin. Blocks as of scan_kernel.
__global__ void __launch_bounds__(kSliceThreads) masses_kernel(Work work) {
  GPU_SHARED(uint64_t, scratch, 2 * kSliceThreads / kWarp);
  GPU_SHARED(uint32_t, bin_memory, 3 * kBins);
  const Bins bins{bin_memory, bin_memory + kBins, bin_memory + 2 * kBins};
  const SamplingRow row = work.sampling.rows[blockIdx.y];
  const int vocabulary = work.sampling.vocabulary;
  const auto thread = static_cast<int>(threadIdx.x);
  const bool binned = needs_bins(row, vocabulary);
  const Best best = best_of<kSliceThreads>(work.space, blockIdx.y, static_cast<int>(gridDim.x), scratch);
  if (binned) {
    bins.clear(thread, kSliceThreads);
  }
  __syncthreads();

  const Scores scores = scores_of(work, row, blockIdx.y);
  uint64_t logit_mass = 0;
  uint64_t score_mass = 0;
  for (int i = 0; i < kSlice / kSliceThreads; i++) {
    const int token = static_cast<int>(blockIdx.x) * kSlice + i * kSliceThreads + thread;
    if (token < vocabulary) {
      const float logit = scores.logits[token];
      logit_mass += sampling::mass_of(sampling::distance_of(logit, best.logit, 1.0f));
      if (row.temperature > 0) {
        const float score = scores.of(token, logit);
        const uint64_t mass = sampling::mass_of(sampling::distance_of(score, best.score, row.temperature));
        score_mass += mass;
        if (binned) {
          const uint32_t bin = sampling::key_of(score) >> kFirstShift;
          atomicAdd(&bins.counts[bin], 1u);
          bins.add(bin, mass);
        }
      }
    }
  }
  logit_mass = block_reduce<kSliceThreads, WholeSum>(logit_mass, scratch);
  score_mass = block_reduce<kSliceThreads, WholeSum>(score_mass, scratch + kSliceThreads / kWarp);
  if (thread == 0) {
    work.space.logit_masses[blockIdx.y * gridDim.x + blockIdx.x] = logit_mass;
    work.space.score_masses[blockIdx.y * gridDim.x + blockIdx.x] = score_mass;
  }
  for (int bin = thread; binned && bin < kBins; bin += kSliceThreads) {
    if (bins.counts[bin] > 0) {
      atomicAdd(&work.space.bin_counts[blockIdx.y * kBins + bin], bins.counts[bin]);
      atomicAdd(&work.space.bin_masses[blockIdx.y * kBins + bin], static_cast<unsigned long long>(bins.mass(bin)));
    }
  }
}

// The token that the row's random number falls on, among those that top-k and top-p leave.
GPU_DEVICE int drawn(const RowSelection& select, const Work& work, const SamplingRow& row, const Best& best) {
  const int vocabulary = work.sampling.vocabulary;
  const GivenBins given{work.space.bin_counts + blockIdx.x * kBins, work.space.bin_masses + blockIdx.x * kBins};
  const Scores scores = scores_of(work, row, blockIdx.x);
  const auto key = [&](int token) { return scores.key(token); };
  const auto mass = [&](uint32_t k) {
    return sampling::mass_of(sampling::distance_of(sampling::value_of(k), best.score, row.temperature));
  };
  Cut cut;
  uint64_t least = 0;
  const auto kept = [&](int token) -> uint64_t {
    const uint32_t k = key(token);
    const uint64_t own = cut.keeps(k, token) ? mass(k) : 0;
    return own < least ? 0 : own;
  };
  uint64_t total = 0;
  if (limits_rank(row, vocabulary)) {
    cut = select.cut_at<false>(key, mass, given, static_cast<uint64_t>(row.top_k - 1));
    total = select.weigh(kept);
  } else {
    const int slices = slices_of(vocabulary);
    if (select.thread() < slices) {
      select.sums[select.thread()] = work.space.score_masses[blockIdx.x * slices + threadIdx.x];
    }
    total = select.total();
  }
  if (row.top_p < 1) {
    cut = select.cut_at<true>(key, mass, given, sampling::wanted_mass(total, row.top_p) - 1);
    total = select.weigh(kept);
  }
  if (row.min_p > 0) {
    least = sampling::least_mass(row.min_p);
    total = select.weigh(kept);
  }
  return select.candidate_at(kept, sampling::drawn_mass(total, row.uniform));
}

// The best few by logit. They come together in any order, and each finds its place by how many are better.
GPU_DEVICE void write_top(const RowSelection& select, const Work& work, const SamplingRow& row, uint64_t* list, int* listed) {
  const float* logits = logits_of(work, blockIdx.x);
  const int wanted = row.top < work.sampling.vocabulary ? row.top : work.sampling.vocabulary;
  const auto key = [&](int token) { return sampling::key_of(logits[token]); };
  const auto no_mass = [](uint32_t) { return uint64_t{0}; };
  const Cut cut = select.cut_at<false>(key, no_mass, {}, static_cast<uint64_t>(wanted - 1));
  if (select.thread() == 0) {
    *listed = 0;
  }
  __syncthreads();
  for (int token = select.thread(); token < work.sampling.vocabulary; token += kRowThreads) {
    const uint32_t k = key(token);
    if (cut.keeps(k, token)) {
      list[atomicAdd(listed, 1)] = ranked(k, token);
    }
  }
  __syncthreads();
  if (select.thread() < wanted) {
    const uint64_t own = list[select.thread()];
    int better = 0;
    for (int i = 0; i < wanted; i++) {
      better += list[i] > own ? 1 : 0;
    }
    TopToken* to = work.sampling.top + static_cast<int64_t>(blockIdx.x) * work.sampling.top_stride;
    to[better] = {token_of(own), sampling::value_of(key_of(own))};
  }
}

// The token of each row, a block for each. Only rows with limits or a list of the best look at all logits again.
__global__ void __launch_bounds__(kRowThreads) draw_kernel(Work work) {
  GPU_SHARED(uint32_t, bin_memory, 3 * kBins);
  GPU_SHARED(uint64_t, sums, kMostSlices);
  GPU_SHARED(uint64_t, scratch, 3 * kRowThreads / kWarp);
  GPU_SHARED(uint64_t, list, kMostTop);
  GPU_SHARED(Passed, passed, 1);
  GPU_SHARED(int, listed, 1);
  const SamplingRow& row = work.sampling.rows[blockIdx.x];
  const int vocabulary = work.sampling.vocabulary;
  const int slices = slices_of(vocabulary);
  const RowSelection select{
      vocabulary, {bin_memory, bin_memory + kBins, bin_memory + 2 * kBins}, sums, scratch, scratch + 2 * kRowThreads / kWarp,
      passed};
  const Best best = best_of<kRowThreads>(work.space, blockIdx.x, slices, scratch);
  if (select.thread() < slices) {
    sums[select.thread()] = work.space.logit_masses[blockIdx.x * slices + threadIdx.x];
  }
  const uint64_t mass = select.total();
  __syncthreads();
  const bool finite = best.logit > -INFINITY && best.logit < INFINITY;  // not NaN either
  const bool any = finite && best.score > -INFINITY;
  const int token = row.temperature > 0 && any ? drawn(select, work, row, best) : best.token;
  if (select.thread() == 0) {
    work.sampling.out[blockIdx.x] = {mass, best.logit, best.score, logits_of(work, blockIdx.x)[token], token};
  }
  __syncthreads();
  if (row.top > 0 && finite) {
    write_top(select, work, row, list, listed);
  }
}

// The next array of a memory, of which `bytes` are taken; they come the widest first. Without memory it is only counted.
template <class T>
T* taken(size_t& bytes, void* memory, int64_t count) {
  T* array = memory == nullptr ? nullptr : reinterpret_cast<T*>(static_cast<char*>(memory) + bytes);
  bytes += static_cast<size_t>(count) * sizeof(T);
  return array;
}

Space space_in(void* memory, int64_t rows, int vocabulary, size_t& bytes) {
  const int64_t slices = rows * slices_of(vocabulary);
  bytes = 0;
  Space space;
  space.bin_masses = taken<unsigned long long>(bytes, memory, rows * kBins);
  space.best_scores = taken<uint64_t>(bytes, memory, slices);
  space.best_logits = taken<uint64_t>(bytes, memory, slices);
  space.logit_masses = taken<uint64_t>(bytes, memory, slices);
  space.score_masses = taken<uint64_t>(bytes, memory, slices);
  space.bin_counts = taken<uint32_t>(bytes, memory, rows * kBins);
  space.added = taken<float>(bytes, memory, slices * kSlice);
  space.repeated = taken<uint32_t>(bytes, memory, slices * (kSlice / kWord));
  return space;
}

}  // namespace

size_t sampling_workspace(int64_t rows, int vocabulary) {
  size_t bytes = 0;
  space_in(nullptr, rows, vocabulary, bytes);
  return bytes;
}

cudaError_t sample(const Sampling& sampling, cudaStream_t stream) {
  if (sampling.vocabulary > kMostVocabulary) {
    return cudaErrorInvalidValue;
  }
  const int slices = slices_of(sampling.vocabulary);
  size_t bytes = 0;
  const Work work{sampling, space_in(sampling.workspace, sampling.row_count, sampling.vocabulary, bytes)};
  const auto rows = static_cast<unsigned>(sampling.row_count);
  const dim3 blocks(static_cast<unsigned>(slices), rows);
  const double logits = static_cast<double>(rows) * sampling.vocabulary * sizeof(float);
  const double partial = 2.0 * rows * slices * sizeof(uint64_t);  // two numbers of each slice
  // At least, for rows without limits: which rows need bins and their logits again is known on the device only.
  next_launch_costs({logits, partial});
  cudaError_t error = launch<scan_kernel>("sampling_scan", blocks, dim3(kSliceThreads), 0, stream, work);
  if (error == cudaSuccess) {
    next_launch_costs({logits + partial, partial});
    error = launch<masses_kernel>("sampling_masses", blocks, dim3(kSliceThreads), 0, stream, work);
  }
  if (error == cudaSuccess) {
    next_launch_costs({1.5 * partial + rows * static_cast<double>(sizeof(float)), rows * static_cast<double>(kSampledBytes)});
    error = launch<draw_kernel>("sampling_draw", dim3(rows), dim3(kRowThreads), 0, stream, work);
  }
  return error;
}

}  // namespace gpu
