// The kernels for AVX2, FMA and F16C: sixteen registers of eight lanes.
#include "cpu/isa/kernel_table.h"
#include "cpu/isa/simd_avx2.h"

namespace ivl::cpu {
namespace {

// 3 x 4 accumulators, 3 + 1 loads: all sixteen registers.
constexpr int kTileRows = 3;
constexpr int kTileCols = 4;
constexpr int kDirectCols1 = 4;
constexpr int kDirectCols2 = 2;
constexpr int64_t kPrefetchSpan = 8192;
constexpr int64_t kPrefetchAhead = 1024;
constexpr int64_t kBlockRows = 96;
constexpr int64_t kBlockCols = 48;

#include "cpu/isa/v16.inl"

#include "cpu/isa/math.inl"

#include "cpu/isa/gemm.inl"

#include "cpu/isa/epilogue.inl"

#include "cpu/isa/attention.inl"

#include "cpu/isa/norm.inl"

#include "cpu/isa/elementwise.inl"

#include "cpu/isa/peak.inl"

constexpr KernelTable kTable = {
    "avx2",     kBlockRows, kBlockCols, products, epilogue, attention,    rms_norm,
    layer_norm, rotate,     add,        widen,    narrow,   evaluate, multiply_add, read,
};

}  // namespace

const KernelTable* kernel_table_avx2() { return &kTable; }

}  // namespace ivl::cpu
