// The kernels for AVX2, FMA and F16C: sixteen registers of eight lanes. With IVL_VNNI also for AVX-VNNI.
#include "cpu/isa/kernel_table.h"
#include "cpu/isa/simd_avx2.h"

namespace ivl::cpu {
namespace {

constexpr int kTileRows = 3, kTileCols = 4;  // 12 accumulators, 3 + 1 operands: all sixteen registers
constexpr int kIntTileRows = 3;
constexpr int kPairTileRows = 2;                              // 8 accumulators, 4 + 2 operands
constexpr int kGemmRows = 6, kGemmRegs = 2, kGemmPanels = 2;  // 12 accumulators, 2 + 1 operands

}  // namespace

}  // namespace ivl::cpu

#ifdef IVL_VNNI
#define IVL_KERNEL_NAME "avx2vnni"
#define IVL_KERNEL_TABLE kernel_table_avx2vnni
#else
#define IVL_KERNEL_NAME "avx2"
#define IVL_KERNEL_TABLE kernel_table_avx2
#endif
#include "cpu/isa/kernels.inl"
