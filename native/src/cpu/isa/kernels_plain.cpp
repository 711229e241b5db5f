// The kernels for any processor: four lanes in the compiler's vector extensions.
#include "cpu/isa/kernel_table.h"
#include "cpu/isa/simd_plain.h"

namespace ivl::cpu {
namespace {

constexpr int kTileRows = 2, kTileCols = 4;
constexpr int kIntTileRows = 2;
constexpr int kPairTileRows = 2;
constexpr int kGemmRows = 2, kGemmRegs = 4, kGemmPanels = 1;

}  // namespace

}  // namespace ivl::cpu

#define IVL_KERNEL_NAME "plain"
#define IVL_KERNEL_TABLE kernel_table_plain
#include "cpu/isa/kernels.inl"
