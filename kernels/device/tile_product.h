// A block's tile of in W^T by tensor cores. The operands come to shared memory by asynchronous copies, some stages ahead.
//
// A sum runs over the columns in steps of one instruction, in order, in one accumulator, wherever in a tile it lies and
// whatever the tile's shape. So a row's results are the same bits alone, in a batch and in a prompt.
#pragma once

#include "device/reduce.h"
#include "device/tile_copies.h"

namespace gpu {

// The products of a tile's stages, of which copies.begin_first() has begun the first: load(fragments, stage, step) brings a warp's
// operands of a step to registers, multiply(fragments) adds their product to its sums. All threads of the block call it.
template <class Fragments, int Steps, class Copies, class Load, class Multiply>
GPU_DEVICE void multiply_stages(const Copies& copies, char* memory, const Load& load, const Multiply& multiply) {
  static_assert(Steps % 2 == 0, "fragments take turns");
  const int stages = copies.stages();
  Fragments fragments[2];
  copies.wait_for_next();
  load(fragments[0], 0, 0);
  for (int stage = 0; stage < stages; stage++) {
#pragma unroll
    for (int step = 0; step < Steps; step++) {
      // The next step's operands are on their way to registers while this one's are multiplied.
      if (step + 1 < Steps) {
        load(fragments[(step + 1) % 2], stage, step + 1);
      } else if (stage + 1 < stages) {
        copies.wait_for_next();  // this stage is in registers
        load(fragments[(step + 1) % 2], stage + 1, 0);
      }
      if (step == 0) {
        copies.begin(memory, stage + Copies::kStages - 1);
      }
      multiply(fragments[step % 2]);
    }
  }
  cp_async_wait<0>();
}

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
  static constexpr int kSharedBytes = Copies::kSharedBytes;
  static_assert(WarpColumns % 16 == 0 && TileRows % 8 == 0);

  typename Instruction::Sum sums[kDown][kAcross][4] = {};

  // weight_row as TileCopies takes it. All threads of the block call it, with kSharedBytes of shared memory.
  template <class WeightRow>
  GPU_DEVICE void run(char* memory, const TileOperands& operands, const WeightRow& weight_row) {
    const Copies copies(operands, weight_row);
    copies.begin_first(memory);
    multiply_stages<Fragments, kSteps>(
        copies, memory,
        [&](Fragments& f, int stage, int step) {
          const char* in = Copies::stage_of(memory, stage);
          f.load_in(in, step);
          f.load_weights(in + Copies::kInBytes, step);
        },
        [&](const Fragments& f) { multiply(f); });
  }

  // Row and column of the tile where sums[m][n][0] lies; [1] is the column behind it, [2] and [3] eight rows below.
  GPU_DEVICE static int row_of(int m) { return warp() / kWarpsAcross * WarpRows + 16 * m + lane() / 4; }
  GPU_DEVICE static int column_of(int n) { return warp() % kWarpsAcross * WarpColumns + 8 * n + lane() % 4 * 2; }

 protected:
  // A warp's operands of one step, from a stage's rows, which lie in shared memory as swizzled() says.
  struct Fragments {
    uint32_t a[kDown][4];
    uint32_t b[kAcross / 2][4];

    GPU_DEVICE void load_in(const char* in, int step) {
#pragma unroll
      for (int m = 0; m < kDown; m++) {
        // Matrices: rows 0-7 and 8-15 of the first chunk, then of the second.
        const int row = warp() / kWarpsAcross * WarpRows + 16 * m + lane() % 16;
        ldmatrix_x4(a[m], in + swizzled<kChunks>(row, 2 * step + lane() / 16));
      }
    }
    GPU_DEVICE void load_weights(const char* weights, int step) {
#pragma unroll
      for (int n = 0; n < kAcross / 2; n++) {
        // Matrices: columns 0-7 of the first and the second chunk, then columns 8-15.
        const int column = warp() % kWarpsAcross * WarpColumns + 16 * n + lane() / 16 * 8 + lane() % 8;
        ldmatrix_x4(b[n], weights + swizzled<kChunks>(column, 2 * step + lane() / 8 % 2));
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
