// TileProduct (device/tile_product.h) by Hopper's warpgroup instructions, which take their operands from shared memory: warps
// load nothing to registers, and tiles can be so large that what L2 delivers suffices. On an H100 a sum's bits are those of
// TileProduct.
#pragma once

#include "device/reduce.h"
#include "device/tile_copies.h"
#include "device/wgmma.h"

namespace gpu {

// Element is bf16, f16 or int8_t. Each warpgroup has 64 rows.
template <class Element, class SumType>
struct WarpgroupProduct {
  static constexpr int kWarpgroups = 4;
  static constexpr int kRows = 64 * kWarpgroups;
  static constexpr int kColumns = 128;
  static constexpr int kThreads = 4 * kWarp * kWarpgroups;
  static constexpr int kBlocks = 1;
  static constexpr int kStages = 4;
  static constexpr int kDepth = 128;
  static constexpr int kSteps = kDepth / 32;
  static constexpr int kDown = 1;
  static constexpr int kAcross = kColumns / 8;
  using Copies = TileCopies<kRows, kColumns, kDepth, kStages, kThreads>;
  static constexpr int kSharedBytes = Copies::kSharedBytes;

  SumType sums[kDown][kAcross][4];

  // As TileProduct's.
  template <class WeightRow>
  GPU_DEVICE void run(char* memory, const TileOperands& operands, const WeightRow& weight_row) {
    const Copies copies(operands, weight_row);
    const int stages = copies.stages();
    for (int stage = 0; stage < kStages - 2; stage++) {
      copies.begin(memory, stage);
    }
    for (int stage = 0; stage < stages; stage++) {
      cp_async_wait<kStages - 3>();
      fence_for_wgmma();
      __syncthreads();  // the stage has come for all, and all products of the one before the last are done
      copies.begin(memory, stage + kStages - 2);
      multiply(Copies::stage_of(memory, stage), stage > 0);
      wgmma_wait<1>();
    }
    wgmma_wait<0>();
    cp_async_wait<0>();
  }

  GPU_DEVICE static int row_of(int /*m*/) { return warp() * 16 + lane() / 4; }
  GPU_DEVICE static int column_of(int n) { return 8 * n + lane() % 4 * 2; }

 private:
  // Begins the products of a stage's rows, as one group.
  GPU_DEVICE void multiply(const char* stage, bool adds) {
    const char* rows = stage + warp() / 4 * 64 * kDepth;
    wgmma_begin();
#pragma unroll
    for (int step = 0; step < kSteps; step++) {
      wgmma_m64n128(Element{}, sums[0], rows, stage + Copies::kInBytes, step, adds || step > 0);
    }
    wgmma_commit();
  }
};

}  // namespace gpu
