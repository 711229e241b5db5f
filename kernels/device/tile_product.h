// A block's tile of in W^T by tensor cores. The operands come to shared memory by asynchronous copies, some stages ahead.
//
// A sum runs over the columns in steps of one instruction, in order, in one accumulator, wherever in a tile it lies and
// whatever the tile's shape. So a row's results are the same bits alone, in a batch and in a prompt.
#pragma once

#include "device/reduce.h"
#include "device/tile_copies.h"

namespace gpu {

GPU_DEVICE int lane() { return static_cast<int>(threadIdx.x) % kWarp; }

// Instruction has a type Sum and multiply(Sum (&)[4], a, b) for a 16 x 8 product of two chunks of each row. A stage holds `Depth`
// bytes of every row.
template <class Instruction, int TileRows, int TileColumns, int WarpRows, int WarpColumns, int Depth, int Stages>
struct TileProduct {
  static constexpr int kRows = TileRows;
  static constexpr int kColumns = TileColumns;
  static constexpr int kDepth = Depth;
  static constexpr int kStages = Stages;
  static constexpr int kWarpColumns = WarpColumns;
  static constexpr int kWarpsAcross = TileColumns / WarpColumns;
  static constexpr int kThreads = kWarp * (TileRows / WarpRows) * kWarpsAcross;
  // On a multiprocessor, whose registers are shared out accordingly.
  static constexpr int kBlocks = TileRows <= 16 ? 4 : TileRows <= 64 ? 3 : 2;
  static constexpr int kDown = WarpRows / 16;
  static constexpr int kAcross = WarpColumns / 8;
  using Copies = TileCopies<TileRows, TileColumns, Depth, Stages, kThreads>;
  static constexpr int kChunks = Copies::kChunks;
  static constexpr int kSteps = kChunks / 2;  // of the instruction, in a stage
  static constexpr int kInBytes = Copies::kInBytes;
  static constexpr int kStageBytes = Copies::kStageBytes;
  static constexpr int kSharedBytes = Stages * kStageBytes;
  static_assert(WarpColumns % 16 == 0 && TileRows % 8 == 0);

  typename Instruction::Sum sums[kDown][kAcross][4] = {};

  // weight_row as TileCopies takes it. All threads of the block call it, with kSharedBytes of shared memory.
  template <class WeightRow>
  GPU_DEVICE void run(char* memory, const TileOperands& operands, const WeightRow& weight_row) {
    const Copies copies(operands, weight_row);
    const int stages = copies.stages();
    for (int stage = 0; stage < Stages - 1; stage++) {
      copies.begin(memory, stage);
    }
    Fragments fragments[2];
    cp_async_wait<Stages - 2>();
    __syncthreads();
    fragments[0].load(memory, 0);
    for (int stage = 0; stage < stages; stage++) {
      const char* here = memory + stage % Stages * kStageBytes;
      const char* next = memory + (stage + 1) % Stages * kStageBytes;
#pragma unroll
      for (int step = 0; step < kSteps; step++) {
        // The next step's operands are on their way to registers while this one's are multiplied.
        if (step + 1 < kSteps) {
          fragments[(step + 1) % 2].load(here, step + 1);
        } else if (stage + 1 < stages) {
          cp_async_wait<Stages - 2>();
          __syncthreads();  // the next stage has come for all, and this one is in registers
          fragments[(step + 1) % 2].load(next, 0);
        }
        if (step == 0) {
          copies.begin(memory, stage + Stages - 1);
        }
        multiply(fragments[step % 2]);
      }
    }
    cp_async_wait<0>();
  }

  // Adds the product of a stage's rows, which lie in shared memory as swizzled() says: in's and weight's.
  GPU_DEVICE void multiply(const char* in, const char* weight) {
#pragma unroll
    for (int step = 0; step < kSteps; step++) {
      Fragments fragments;
      fragments.load(in, weight, step);
      multiply(fragments);
    }
  }

  // Row and column of the tile where sums[m][n][0] lies; [1] is the column behind it, [2] and [3] eight rows below.
  GPU_DEVICE static int row_of(int m) { return warp() / kWarpsAcross * WarpRows + 16 * m + lane() / 4; }
  GPU_DEVICE static int column_of(int n) { return warp() % kWarpsAcross * WarpColumns + 8 * n + lane() % 4 * 2; }

 private:
  static_assert(kSteps % 2 == 0, "fragments take turns");

  GPU_DEVICE static int warp() { return static_cast<int>(threadIdx.x) / kWarp; }

  // A warp's operands of one step.
  struct Fragments {
    uint32_t a[kDown][4];
    uint32_t b[kAcross / 2][4];

    GPU_DEVICE void load(const char* stage, int step) { load(stage, stage + kInBytes, step); }
    GPU_DEVICE void load(const char* in, const char* weight, int step) {
#pragma unroll
      for (int m = 0; m < kDown; m++) {
        // Matrices: rows 0-7 and 8-15 of the first chunk, then of the second.
        const int row = warp() / kWarpsAcross * WarpRows + 16 * m + lane() % 16;
        ldmatrix_x4(a[m], in + swizzled<kChunks>(row, 2 * step + lane() / 16));
      }
#pragma unroll
      for (int n = 0; n < kAcross / 2; n++) {
        // Matrices: columns 0-7 of the first and the second chunk, then columns 8-15.
        const int column = warp() % kWarpsAcross * WarpColumns + 16 * n + lane() / 16 * 8 + lane() % 8;
        ldmatrix_x4(b[n], weight + swizzled<kChunks>(column, 2 * step + lane() / 8 % 2));
      }
    }
  };

  GPU_DEVICE void multiply(const Fragments& f) {
#pragma unroll
    for (int m = 0; m < kDown; m++) {
#pragma unroll
      for (int n = 0; n < kAcross / 2; n++) {
        const uint32_t low[2] = {f.b[n][0], f.b[n][1]};
        const uint32_t high[2] = {f.b[n][2], f.b[n][3]};
        Instruction::multiply(sums[m][2 * n], f.a[m], low);
        Instruction::multiply(sums[m][2 * n + 1], f.a[m], high);
      }
    }
  }
};

}  // namespace gpu
