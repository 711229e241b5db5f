// A block's tile of in W^T by tensor cores. The operands come to shared memory by asynchronous copies, some stages ahead.
//
// A sum runs over the columns in steps of one instruction, in order, in one accumulator, wherever in a tile it lies and
// whatever the tile's shape. So a row's results are the same bits alone, in a batch and in a prompt.
#pragma once

#include "device/ptx.h"
#include "device/reduce.h"

namespace gpu {

// What a tile takes of every row at a time, in 16-byte chunks. One step of an instruction is two chunks.
constexpr int kTileDepth = 64;
constexpr int kChunkBytes = 16;
constexpr int kTileChunks = kTileDepth / kChunkBytes;

// Where a chunk of a row lies: eight rows' chunks of one column in different banks.
GPU_DEVICE int swizzled(int row, int chunk) {
  return row * kTileDepth + (chunk ^ (row / 2 % kTileChunks)) * kChunkBytes;
}

GPU_DEVICE int lane() { return static_cast<int>(threadIdx.x) % kWarp; }

// Two matrices of rows of `row_bytes` bytes, a multiple of 16.
struct TileOperands {
  const void* in = nullptr;
  const void* weight = nullptr;
  int row_bytes = 0;
};

// Instruction has a type Sum and multiply(Sum (&)[4], a, b) for a 16 x 8 product of two chunks of each row.
template <class Instruction, int TileRows, int TileColumns, int WarpRows, int WarpColumns, int Stages>
struct TileProduct {
  static constexpr int kRows = TileRows;
  static constexpr int kColumns = TileColumns;
  static constexpr int kStages = Stages;
  static constexpr int kWarpColumns = WarpColumns;
  static constexpr int kWarpsAcross = TileColumns / WarpColumns;
  static constexpr int kThreads = kWarp * (TileRows / WarpRows) * kWarpsAcross;
  static constexpr int kDown = WarpRows / 16;
  static constexpr int kAcross = WarpColumns / 8;
  static constexpr int kStageBytes = (TileRows + TileColumns) * kTileDepth;
  static constexpr int kSharedBytes = Stages * kStageBytes;
  static constexpr int kCopies = (TileRows + TileColumns) * kTileChunks / kThreads;
  static_assert(TileRows * kTileChunks % kThreads == 0 && TileColumns * kTileChunks % kThreads == 0);
  static_assert(WarpColumns % 16 == 0 && TileRows % 8 == 0);

  typename Instruction::Sum sums[kDown][kAcross][4] = {};

  // in_row(r) is the row of `in` for row r of the tile, weight_row(c) that of `weight` for its column c; a negative one
  // counts as zeros. All threads of the block call it, with kSharedBytes of shared memory.
  template <class InRow, class WeightRow>
  GPU_DEVICE void run(char* memory, const TileOperands& operands, int64_t in_stride_bytes, const InRow& in_row,
                      const WeightRow& weight_row) {
    const char* from[kCopies];
    unsigned exists = 0;  // a bit for each of them
#pragma unroll
    for (int i = 0; i < kCopies; i++) {
      const int r = copied_row(i);
      const bool weight = r >= TileRows;
      const int64_t row = weight ? weight_row(r - TileRows) : in_row(r);
      const int64_t stride = weight ? operands.row_bytes : in_stride_bytes;
      exists |= row >= 0 ? 1u << i : 0u;
      from[i] = static_cast<const char*>(weight ? operands.weight : operands.in) + (row >= 0 ? row * stride : 0);
    }
    const int steps = (operands.row_bytes + kTileDepth - 1) / kTileDepth;
    for (int stage = 0; stage < Stages - 1; stage++) {
      copy(memory, from, exists, operands.row_bytes, stage);
    }
    for (int step = 0; step < steps; step++) {
      cp_async_wait<Stages - 2>();
      __syncthreads();  // the stage has come for all, and the one before it is free
      copy(memory, from, exists, operands.row_bytes, step + Stages - 1);
      const char* stage = memory + step % Stages * kStageBytes;
      multiply(stage, stage + TileRows * kTileDepth);
    }
    cp_async_wait<0>();
  }

  // Adds the product of kTileDepth bytes of every row, which lie in shared memory as swizzled() says: in's rows and weight's.
  GPU_DEVICE void multiply(const char* in, const char* weight) {
#pragma unroll
    for (int k = 0; k < kTileChunks / 2; k++) {
      uint32_t a[kDown][4];
#pragma unroll
      for (int m = 0; m < kDown; m++) {
        // Matrices: rows 0-7 and 8-15 of the first chunk, then of the second.
        const int row = warp() / kWarpsAcross * WarpRows + 16 * m + lane() % 16;
        ldmatrix_x4(a[m], in + swizzled(row, 2 * k + lane() / 16));
      }
#pragma unroll
      for (int n = 0; n < kAcross; n += 2) {
        // Matrices: columns 0-7 of the first and the second chunk, then columns 8-15.
        const int column = warp() % kWarpsAcross * WarpColumns + 8 * n + lane() / 16 * 8 + lane() % 8;
        uint32_t b[4];
        ldmatrix_x4(b, weight + swizzled(column, 2 * k + lane() / 8 % 2));
        const uint32_t low[2] = {b[0], b[1]};
        const uint32_t high[2] = {b[2], b[3]};
#pragma unroll
        for (int m = 0; m < kDown; m++) {
          Instruction::multiply(sums[m][n], a[m], low);
          Instruction::multiply(sums[m][n + 1], a[m], high);
        }
      }
    }
  }

  // Row and column of the tile where sums[m][n][0] lies; [1] is the column behind it, [2] and [3] eight rows below.
  GPU_DEVICE static int row_of(int m) { return warp() / kWarpsAcross * WarpRows + 16 * m + lane() / 4; }
  GPU_DEVICE static int column_of(int n) { return warp() % kWarpsAcross * WarpColumns + 8 * n + lane() % 4 * 2; }

 private:
  GPU_DEVICE static int warp() { return static_cast<int>(threadIdx.x) / kWarp; }
  GPU_DEVICE static int copied_row(int i) { return (i * kThreads + static_cast<int>(threadIdx.x)) / kTileChunks; }

  // The step's chunks of all rows into its stage, as one group; an empty group if there is no such step.
  GPU_DEVICE static void copy(char* memory, const char* const (&from)[kCopies], unsigned exists, int row_bytes, int step) {
    if (step * kTileDepth < row_bytes) {
      const int chunk = static_cast<int>(threadIdx.x) % kTileChunks;
      const int at = step * kTileDepth + chunk * kChunkBytes;
      char* stage = memory + step % Stages * kStageBytes;
#pragma unroll
      for (int i = 0; i < kCopies; i++) {
        const bool inside = at < row_bytes && (exists >> i & 1) != 0;
        cp_async_16(stage + swizzled(copied_row(i), chunk), from[i] + (inside ? at : 0), inside ? kChunkBytes : 0);
      }
    }
    cp_async_commit();
  }
};

}  // namespace gpu
