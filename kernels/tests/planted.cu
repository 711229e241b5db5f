#include "tests/planted.h"

#include "device/ptx.h"
#include "device/reduce.h"
#include "device/vector.h"
#include "device/wgmma.h"

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

__global__ void read_beside_atomics(float* data, int count) {
  atomicAdd(data, 1.0f);
  if (data[0] < 0) {  // fault: read_beside_atomics
    data[count - 1] = 0;
  }
}

__global__ void write_beside_atomics(float* data, int) {
  if (thread() == 0) {
    data[0] = 1;
  } else {
    atomicAdd(data, 1.0f);  // fault: write_beside_atomics
  }
}

__global__ void no_fence_before_the_count(float* data, int count) {
  if (thread() == 0) {
    data[blockIdx.x] = 1;
    const float before = atomicAdd(data + count - 1, 1.0f);
    __threadfence();
    if (before == static_cast<float>(count + 1)) {
      data[2] = data[0];  // fault: no_fence_before_the_count
    }
  }
}

__global__ void no_fence_behind_the_count(float* data, int count) {
  if (thread() == 0) {
    data[blockIdx.x] = 1;
    __threadfence();
    const float before = atomicAdd(data + count - 1, 1.0f);
    if (before == static_cast<float>(count + 1)) {
      data[2] = data[0];  // fault: no_fence_behind_the_count
    }
  }
}

__global__ void written_behind_the_fence(float* data, int count) {
  if (thread() == 0) {
    __threadfence();
    data[blockIdx.x] = 1;
    const float before = atomicAdd(data + count - 1, 1.0f);
    __threadfence();
    if (before == static_cast<float>(count + 1)) {
      data[2] = data[0];  // fault: written_behind_the_fence
    }
  }
}

__global__ void only_one_thread_knows_the_last_block(float* data, int count) {
  if (place() < count - 1) {
    data[place()] = 1;
  }
  __syncthreads();
  if (thread() == 0) {
    __threadfence();
    atomicAdd(data + count - 1, 1.0f);
    __threadfence();
  }
  if (blockIdx.x == 1 && thread() == 32) {
    data[count - 2] = data[0];  // fault: only_one_thread_knows_the_last_block
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
  const auto four =
      gpu::load<gpu::Vector<float, 4>>(data + (place() == count - 1 ? count - 3 + 3 : 0));  // fault: wide_read_past_end
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

__global__ void atomic_on_what_nobody_wrote(float* data, int) {
  GPU_SHARED(float, sum, 1);
  data[place()] = atomicAdd(sum, data[place()]);  // fault: atomic_on_what_nobody_wrote
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

// ---- warpgroup products ----------------------------------------------------------------------------------------------

constexpr int kOperandBytes = (64 + 128) * 128;

GPU_DEVICE void copy_operands(char* operands, const float* data) {
  for (int at = 16 * thread(); at < kOperandBytes; at += 16 * kThreads) {
    gpu::cp_async_16(operands + at, data + at / 4 % kCount);
  }
  gpu::cp_async_commit();
  gpu::cp_async_wait<0>();
}

__global__ void no_fence_before_a_warpgroup_product(float* data, int) {
  GPU_SHARED(char, operands, kOperandBytes);
  float sums[16][4];
  copy_operands(operands, data);
  __syncthreads();
  gpu::wgmma_begin();
  gpu::wgmma_m64n128(gpu::bf16{}, sums, operands, operands + 64 * 128, 0, false);  // fault: no_fence_before_a_warpgroup_product
  gpu::wgmma_commit();
  gpu::wgmma_wait<0>();
}

__global__ void overwritten_under_a_warpgroup_product(float* data, int) {
  GPU_SHARED(char, operands, kOperandBytes);
  float sums[16][4];
  copy_operands(operands, data);
  gpu::fence_for_wgmma();
  __syncthreads();
  gpu::wgmma_begin();
  gpu::wgmma_m64n128(gpu::bf16{}, sums, operands, operands + 64 * 128, 0, false);  // fault: overwritten_under_a_warpgroup_product
  gpu::wgmma_commit();
  __syncthreads();
  copy_operands(operands, data);
  gpu::wgmma_wait<0>();
}

__global__ void warpgroup_product_never_waited_for(float* data, int) {
  GPU_SHARED(char, operands, kOperandBytes);
  float sums[16][4];
  copy_operands(operands, data);
  gpu::fence_for_wgmma();
  __syncthreads();
  gpu::wgmma_begin();
  gpu::wgmma_m64n128(gpu::bf16{}, sums, operands, operands + 64 * 128, 0, false);  // fault: warpgroup_product_never_waited_for
  gpu::wgmma_commit();
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
  return gpu::launch<Kernel>("planted", dim3(static_cast<unsigned>(count / kThreads)), dim3(kThreads), 0, nullptr, data, count);
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
    PLANTED(read_beside_atomics, Race),
    PLANTED(write_beside_atomics, Race),
    PLANTED(no_fence_before_the_count, Race),
    PLANTED(no_fence_behind_the_count, Race),
    PLANTED(written_behind_the_fence, Race),
    PLANTED(only_one_thread_knows_the_last_block, Race),
    PLANTED(global_write_past_end, Bounds),
    PLANTED(global_read_before_begin, Bounds),
    PLANTED(wide_read_past_end, Bounds),
    PLANTED(shared_off_by_one, Bounds),
    PLANTED(misaligned_wide_load, Alignment),
    PLANTED(misaligned_async_copy, Alignment),
    PLANTED(shared_never_written, Uninitialized),
    PLANTED(atomic_on_what_nobody_wrote, Uninitialized),
    PLANTED(async_read_before_wait, Async),
    PLANTED(async_wait_without_barrier, Race),
    PLANTED(async_wait_for_the_wrong_group, Async),
    PLANTED(no_fence_before_a_warpgroup_product, Async),
    PLANTED(overwritten_under_a_warpgroup_product, Race),
    PLANTED(warpgroup_product_never_waited_for, Async),
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

__global__ void adds(float* data, int) {
  GPU_SHARED(int, sum, 1);
  if (thread() == 0) {
    *sum = 0;
  }
  __syncthreads();
  atomicAdd(sum, thread());
  atomicAdd(data, 1.0f);
  __syncthreads();
  if (thread() == kThreads - 1) {
    data[1 + blockIdx.x] = static_cast<float>(*sum);
  }
}

__global__ void last_block_sums(float* data, int count) {
  GPU_SHARED(int, last, 1);
  float* counter = data + count - 1;
  if (place() < count - 1) {
    data[place()] += 1;
  }
  __syncthreads();
  if (thread() == 0) {
    __threadfence();
    *last = atomicAdd(counter, 1.0f) == static_cast<float>(count) + static_cast<float>(gridDim.x - 1) ? 1 : 0;
    __threadfence();
  }
  __syncthreads();
  if (*last != 0) {
    float sum = 0;
    for (int i = 0; i < count - 1; i++) {
      sum += data[i];
    }
    __syncthreads();
    if (thread() == 0) {
      data[0] = sum;
      *counter = static_cast<float>(count);  // for the next launch
    }
  }
}

__global__ void last_warp_copies(float* data, int count) {
  if (thread() < 32) {
    float before = 0;
    if (thread() == 0) {
      data[blockIdx.x] = 1;
      __threadfence();
      before = atomicAdd(data + count - 1, 1.0f);
      __threadfence();
    }
    __syncwarp();
    const bool last = __shfl_sync(kAllLanes, before, 0) == static_cast<float>(count) + static_cast<float>(gridDim.x - 1);
    if (last && thread() == 1) {
      data[2] = data[0] + data[1];
    }
  }
}

__global__ void fill_kernel(float* data, int) { data[place()] = 1; }

__global__ void every_second(float* data, int) {
  if (data[2 * thread()] < 0) {
    data[0] = 0;
  }
}

__global__ void columns(float* data, int) {
  GPU_SHARED(float, tile, 32 * 32);
  float& own = tile[thread() % 32 * 32 + thread() / 32];
  own = data[place()];
  __syncthreads();
  data[place()] = own + 1;
}

}  // namespace

std::span<const Kernel> kernels() { return all; }

cudaError_t without_fault(float* data, int count) { return start<right>(data, count); }
cudaError_t atomic_sums(float* data, int count) { return start<adds>(data, count); }
cudaError_t sum_by_last_block(float* data, int count) { return start<last_block_sums>(data, count); }
cudaError_t copy_by_last_warp(float* data, int count) { return start<last_warp_copies>(data, count); }
cudaError_t fill(float* data, int count) { return start<fill_kernel>(data, count); }
cudaError_t strided_reads(float* data, int count) { return start<every_second>(data, count); }
cudaError_t conflicting_columns(float* data, int count) { return start<columns>(data, count); }
cudaError_t too_much_shared_together(float* data, int count) {
  return simt::enqueue_kernel("columns", reinterpret_cast<const void*>(columns), {{1}, {kThreads}, 46 * 1024}, nullptr,
                              [=] { columns(data, count); });
}

}  // namespace planted
