// The kernels for AVX-512: thirty-two registers of sixteen lanes. With IVL_VNNI also for AVX512_VNNI, with IVL_BF16 for AVX512_BF16.
#include "cpu/isa/kernel_table.h"
#include "cpu/isa/simd_avx512.h"

namespace ivl::cpu {
namespace {

constexpr int kTileRows = 6, kTileCols = 4;  // 24 accumulators, 6 + 1 operands
constexpr int kIntTileRows = 6;
#ifdef IVL_BF16
constexpr int kPairTileRows = 6;
#else
constexpr int kPairTileRows = 4;  // 16 accumulators, 8 + 2 operands
#endif
constexpr int kGemmRows = 6, kGemmRegs = 4, kGemmPanels = 1;  // 24 accumulators, 4 + 1 operands

}  // namespace

}  // namespace ivl::cpu

#ifdef IVL_SIMDE
#define IVL_KERNEL_NAME "avx512 through SIMDe"
#define IVL_KERNEL_TABLE kernel_table_avx512_simde
namespace ivl::cpu {
const KernelTable* kernel_table_avx512_simde();  // beside the real one in the tests, which declare it too
}
#elif defined(IVL_BF16)
#define IVL_KERNEL_NAME "avx512bf16"
#define IVL_KERNEL_TABLE kernel_table_avx512bf16
#elif defined(IVL_VNNI)
#define IVL_KERNEL_NAME "avx512vnni"
#define IVL_KERNEL_TABLE kernel_table_avx512vnni
#else
#define IVL_KERNEL_NAME "avx512"
#define IVL_KERNEL_TABLE kernel_table_avx512
#endif
#include "cpu/isa/kernels.inl"
