#include "tests/planted.h"

#include "device/ptx.h"
#include "device/reduce.h"
#include "device/vector.h"

namespace planted {
namespace {

using gpu::kAllLanes;
using simt::Fault;

constexpr int kThreads = 64;
static_assert(kCount == 2 * kThreads);

GPU_DEVICE int thread() { return static_cast<int>(threadIdx.x); }
GPU_DEVICE int place() { return static_cast<int>(blockIdx.x) * kThreads + thread(); }

// ---- races -----------------------------------------------------------------------------------------------------------

__global__ void no_barrier(float* data, int) {
  GPU_SHARED(float, tile, kThreads);
  tile[thread()] = data[place()];
  data[place()] = tile[kThreads - 1 - thread()];  // fault: no_barrier
}

__global__ void no_barrier_before_reuse(float* data, int) {
  GPU_SHARED(float, tile, kThreads);
  tile[thread()] = data[place()];
  __syncthreads();
  const float other = tile[kThreads - 1 - thread()];
  tile[thread()] = other + 1;  // fault: no_barrier_before_reuse
  __syncthreads();
  data[place()] = tile[thread()];
}

__global__ void no_barrier_in_loop(float* data, int) {
  GPU_SHARED(float, tile, kThreads);
  float sum = 0;
  for (int i = 0; i < 3; i++) {
    tile[thread()] = data[place()] + static_cast<float>(i);  // fault: no_barrier_in_loop
    __syncthreads();
    sum += tile[(thread() + 1) % kThreads];
  }
  data[place()] = sum;
}

__global__ void no_syncwarp(float* data, int) {
  GPU_SHARED(float, tile, kThreads);
  const int partner = thread() ^ 1;
  tile[thread()] = data[place()];
  data[place()] = tile[partner];  // fault: no_syncwarp
}

__global__ void shuffle_instead_of_syncwarp(float* data, int) {
  GPU_SHARED(float, tile, kThreads);
  tile[thread()] = data[place()];
  const float other = __shfl_xor_sync(kAllLanes, data[place()], 1);
  data[place()] = other + tile[thread() ^ 1];  // fault: shuffle_instead_of_syncwarp
}

__global__ void sum_across_blocks(float* data, int) {
  if (thread() == 0) {
    data[0] += 1;  // fault: sum_across_blocks
  }
}

// ---- addresses -------------------------------------------------------------------------------------------------------

__global__ void global_write_past_end(float* data, int count) {
  data[place()] = 1;
  if (place() == count - 1) {
    data[count] = 1;  // fault: global_write_past_end
  }
}

__global__ void global_read_before_begin(float* data, int) {
  data[place()] = 1;
  if (place() == 0) {
    data[0] = data[-1];  // fault: global_read_before_begin
  }
}

__global__ void wide_read_past_end(float* data, int count) {
  const auto four = gpu::load<gpu::Vector<float, 4>>(data + (place() == count - 1 ? count - 3 + 3 : 0));  // fault: wide_read_past_end
  if (four.at[0] < 0) {
    data[place()] = four.at[1];
  }
}

__global__ void shared_off_by_one(float* data, int) {
  GPU_SHARED(float, tile, kThreads);
  tile[thread() + 1] = data[place()];  // fault: shared_off_by_one
  __syncthreads();
  data[place()] = thread() == 0 ? 0 : tile[thread()];
}

__global__ void misaligned_wide_load(float* data, int) {
  if (place() == 0) {
    const auto four = gpu::load<gpu::Vector<float, 4>>(data + 1);  // fault: misaligned_wide_load
    data[0] = four.at[0];
  }
}

__global__ void misaligned_async_copy(float* data, int) {
  GPU_SHARED(float, tile, kThreads + 4);
  if (thread() == 0) {
    gpu::cp_async_16(tile + 1, data + 4);  // fault: misaligned_async_copy
  }
  gpu::cp_async_commit();
  gpu::cp_async_wait<0>();
  __syncthreads();
  data[place()] = tile[1];
}

// ---- values ----------------------------------------------------------------------------------------------------------

__global__ void shared_never_written(float* data, int) {
  GPU_SHARED(float, tile, kThreads);
  if (thread() > 0) {
    tile[thread()] = data[place()];
  }
  __syncthreads();
  data[place()] = tile[(thread() + 1) % kThreads];  // fault: shared_never_written
}

__global__ void async_read_before_wait(float* data, int) {
  GPU_SHARED(float, tile, kThreads);
  if (thread() < kThreads / 4) {
    gpu::cp_async_16(tile + 4 * thread(), data + static_cast<int>(blockIdx.x) * kThreads + 4 * thread());
  }
  gpu::cp_async_commit();
  __syncthreads();
  const float early = tile[thread()];  // fault: async_read_before_wait
  gpu::cp_async_wait<0>();
  __syncthreads();
  data[place()] = early;
}

__global__ void async_wait_without_barrier(float* data, int) {
  GPU_SHARED(float, tile, kThreads);
  if (thread() < kThreads / 4) {
    gpu::cp_async_16(tile + 4 * thread(), data + static_cast<int>(blockIdx.x) * kThreads + 4 * thread());
  }
  gpu::cp_async_commit();
  gpu::cp_async_wait<0>();
  data[place()] = tile[thread()];  // fault: async_wait_without_barrier
}

__global__ void async_wait_for_the_wrong_group(float* data, int) {
  GPU_SHARED(float, tile, kThreads);
  if (thread() < kThreads / 4) {
    gpu::cp_async_16(tile + 4 * thread(), data + static_cast<int>(blockIdx.x) * kThreads + 4 * thread());
  }
  gpu::cp_async_commit();
  gpu::cp_async_wait<1>();
  __syncthreads();
  const float early = tile[thread()];  // fault: async_wait_for_the_wrong_group
  gpu::cp_async_wait<0>();
  data[place()] = early;
}

// ---- meeting ---------------------------------------------------------------------------------------------------------

__global__ void barrier_in_a_branch(float* data, int) {
  data[place()] = 1;
  if (thread() < 32) {
    __syncthreads();  // fault: barrier_in_a_branch
  }
}

__global__ void shuffle_in_a_branch(float* data, int) {
  if (thread() % 2 == 0) {
    data[place()] = __shfl_xor_sync(kAllLanes, data[place()], 2);  // fault: shuffle_in_a_branch
  }
}

__global__ void return_before_a_shuffle(float* data, int) {
  if (thread() % 32 == 31) {
    return;
  }
  data[place()] = __shfl_down_sync(kAllLanes, data[place()], 1);  // fault: return_before_a_shuffle
}

template <void (*Kernel)(float*, int)>
cudaError_t start(float* data, int count) {
  return gpu::launch("planted", Kernel, dim3(static_cast<unsigned>(count / kThreads)), dim3(kThreads), 0, nullptr, data,
                     count);
}

#define PLANTED(name, fault) \
  Kernel { #name, Fault::fault, start<name> }

const Kernel all[] = {
    PLANTED(no_barrier, Race),
    PLANTED(no_barrier_before_reuse, Race),
    PLANTED(no_barrier_in_loop, Race),
    PLANTED(no_syncwarp, Race),
    PLANTED(shuffle_instead_of_syncwarp, Race),
    PLANTED(sum_across_blocks, Race),
    PLANTED(global_write_past_end, Bounds),
    PLANTED(global_read_before_begin, Bounds),
    PLANTED(wide_read_past_end, Bounds),
    PLANTED(shared_off_by_one, Bounds),
    PLANTED(misaligned_wide_load, Alignment),
    PLANTED(misaligned_async_copy, Alignment),
    PLANTED(shared_never_written, Uninitialized),
    PLANTED(async_read_before_wait, Async),
    PLANTED(async_wait_without_barrier, Race),
    PLANTED(async_wait_for_the_wrong_group, Async),
    PLANTED(barrier_in_a_branch, Divergence),
    PLANTED(shuffle_in_a_branch, Divergence),
    PLANTED(return_before_a_shuffle, Divergence),
};

__global__ void right(float* data, int) {
  GPU_SHARED(float, tile, kThreads);
  GPU_SHARED(float, scratch, kThreads / gpu::kWarp);
  if (thread() < kThreads / 4) {
    gpu::cp_async_16(tile + 4 * thread(), data + static_cast<int>(blockIdx.x) * kThreads + 4 * thread());
  }
  gpu::cp_async_commit();
  gpu::cp_async_wait<0>();
  __syncthreads();
  const float other = tile[kThreads - 1 - thread()];
  __syncthreads();
  tile[thread()] = other;
  __syncwarp();
  const float sum = gpu::block_reduce<kThreads, gpu::Sum>(tile[thread() ^ 1], scratch);
  data[place()] = sum;
}

}  // namespace

std::span<const Kernel> kernels() { return all; }

cudaError_t without_fault(float* data, int count) { return start<right>(data, count); }

}  // namespace planted
