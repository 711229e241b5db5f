// How a block's tiles of two matrices come to shared memory: by asynchronous copies, in stages of `Depth` bytes of every row.
#pragma once

#include "device/ptx.h"

namespace gpu {

constexpr int kChunkBytes = 16;  // one step of an instruction is two chunks

// Where a chunk of a row lies, of which a stage has `Chunks`: eight rows' chunks of one column in different banks.
template <int Chunks>
GPU_DEVICE int swizzled(int row, int chunk) {
  static_assert(Chunks == 4 || Chunks == 8);
  return (row * Chunks + (chunk ^ (row / (8 / Chunks) % Chunks))) * kChunkBytes;
}

// Rows of `row_bytes` bytes, a multiple of 16.
struct TileOperands {
  const void* in = nullptr;  // the tile's first row
  int64_t in_stride_bytes = 0;
  int in_rows = 0;  // so many exist
  const void* weight = nullptr;
  int row_bytes = 0;
};

// One chunk of every kRowsTogether-th row is a thread's part.
template <int TileRows, int TileColumns, int Depth, int Stages, int Threads>
struct TileCopies {
  static constexpr int kChunks = Depth / kChunkBytes;
  static constexpr int kInBytes = TileRows * Depth;
  static constexpr int kStageBytes = kInBytes + TileColumns * Depth;
  static constexpr int kStages = Stages;
  static constexpr int kSharedBytes = Stages * kStageBytes;
  static constexpr int kRowsTogether = Threads / kChunks;  // that all threads' copies fill at once
  static constexpr int kInCopies = (TileRows + kRowsTogether - 1) / kRowsTogether;
  static constexpr int kWeightCopies = TileColumns / kRowsTogether;
  static_assert(TileColumns % kRowsTogether == 0);

  const TileOperands& operands;
  const char* in;                         // of the first of the rows
  uint32_t weight_chunks[kWeightCopies];  // where a row begins, in chunks
  unsigned exists = 0;                    // a bit for each of them

  // weight_row(c) is the row of the weights for column c of the tile; a negative one counts as zeros.
  template <class WeightRow>
  GPU_DEVICE TileCopies(const TileOperands& operands_, const WeightRow& weight_row)
      : operands(operands_), in(static_cast<const char*>(operands_.in) + first_row() * operands_.in_stride_bytes) {
#pragma unroll
    for (int i = 0; i < kWeightCopies; i++) {
      const int64_t row = weight_row(first_row() + i * kRowsTogether);
      exists |= row >= 0 ? 1u << i : 0u;
      weight_chunks[i] = row >= 0 ? static_cast<uint32_t>(row * (operands.row_bytes / kChunkBytes)) : 0;
    }
  }

  // Where a stage lies: its rows of `in`, then those of the weights.
  GPU_DEVICE static char* stage_of(char* memory, int stage) { return memory + stage % Stages * kStageBytes; }

  GPU_DEVICE int stages() const { return (operands.row_bytes + Depth - 1) / Depth; }

  // The stage's chunks of all rows, as one group; an empty group if there is no such stage.
  GPU_DEVICE void begin(char* memory, int stage) const {
    if (stage * Depth < operands.row_bytes) {
      const int at = stage * Depth + chunk() * kChunkBytes;
      const bool inside = at < operands.row_bytes;
      char* to = stage_of(memory, stage);
#pragma unroll
      for (int i = 0; i < kInCopies; i++) {
        const int row = first_row() + i * kRowsTogether;
        const bool copied = inside && row < operands.in_rows;
        const char* from = copied ? in + i * kRowsTogether * operands.in_stride_bytes + at : static_cast<const char*>(operands.in);
        if (TileRows % kRowsTogether == 0 || row < TileRows) {
          cp_async_16(to + swizzled<kChunks>(row, chunk()), from, copied ? kChunkBytes : 0);
        }
      }
#pragma unroll
      for (int i = 0; i < kWeightCopies; i++) {
        const bool copied = inside && (exists >> i & 1) != 0;
        const int64_t offset = copied ? static_cast<int64_t>(weight_chunks[i]) * kChunkBytes + at : 0;
        cp_async_16(to + kInBytes + swizzled<kChunks>(first_row() + i * kRowsTogether, chunk()),
                    static_cast<const char*>(operands.weight) + offset, copied ? kChunkBytes : 0);
      }
    }
    cp_async_commit();
  }

  GPU_DEVICE void begin_first(char* memory) const {
    for (int stage = 0; stage < Stages - 1; stage++) {
      begin(memory, stage);
    }
  }

  // Until the oldest stage on its way has come for all threads, each of which is done with the one before it.
  GPU_DEVICE void wait_for_next() const {
    cp_async_wait<Stages - 2>();
    __syncthreads();
  }

 private:
  GPU_DEVICE static int first_row() { return static_cast<int>(threadIdx.x) / kChunks; }
  GPU_DEVICE static int chunk() { return static_cast<int>(threadIdx.x) % kChunks; }
};

}  // namespace gpu
