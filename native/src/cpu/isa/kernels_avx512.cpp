// The kernels for AVX-512: thirty-two registers of sixteen lanes.
#include "cpu/isa/kernel_table.h"
#include "cpu/isa/simd_avx512.h"

namespace ivl::cpu {
namespace {

// 4 x 6 accumulators, 4 + 1 loads.
constexpr int kTileRows = 4;
constexpr int kTileCols = 6;
constexpr int kDirectCols1 = 4;
constexpr int kDirectCols2 = 4;
constexpr int64_t kPrefetchSpan = 8192;
constexpr int64_t kPrefetchAhead = 1024;
constexpr int64_t kBlockRows = 64;
constexpr int64_t kBlockCols = 48;

#include "cpu/isa/v16.inl"

#include "cpu/isa/math.inl"

#include "cpu/isa/gemm.inl"

#include "cpu/isa/epilogue.inl"

#include "cpu/isa/attention.inl"

#include "cpu/isa/norm.inl"

#include "cpu/isa/elementwise.inl"

#include "cpu/isa/peak.inl"

#ifdef IVL_SIMDE
constexpr const char* kName = "avx512 through SIMDe";
#else
constexpr const char* kName = "avx512";
#endif

constexpr KernelTable kTable = {
    kName,       kBlockRows, kBlockCols, products, epilogue, attention,    rms_norm,
    layer_norm, rotate,     add,        widen,    narrow,   evaluate, multiply_add, read,
};

}  // namespace

#ifdef IVL_SIMDE
// Beside the real one in the tests, declared there.
const KernelTable* kernel_table_avx512_simde();
const KernelTable* kernel_table_avx512_simde() { return &kTable; }
#else
const KernelTable* kernel_table_avx512() { return &kTable; }
#endif

}  // namespace ivl::cpu
