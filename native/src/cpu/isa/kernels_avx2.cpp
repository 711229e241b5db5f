// The kernels for AVX2, FMA and F16C: sixteen registers of eight lanes.
#include "cpu/isa/kernel_table.h"
#include "cpu/isa/simd_avx2.h"

namespace ivl::cpu {
namespace {

constexpr int kTileRows = 3, kTileCols = 4;  // 12 accumulators, 3 + 1 operands: all sixteen registers
constexpr int kDirectCols1 = 4, kDirectCols2 = 2;
constexpr int64_t kBlockRows = 96, kBlockCols = 48;

}  // namespace

}  // namespace ivl::cpu

#define IVL_KERNEL_NAME "avx2"
#define IVL_KERNEL_TABLE kernel_table_avx2
#include "cpu/isa/kernels.inl"
