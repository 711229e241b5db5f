// The kernels for any processor: four lanes in the compiler's vector extensions.
#include "cpu/isa/kernel_table.h"
#include "cpu/isa/simd_plain.h"

namespace ivl::cpu {
namespace {

// 4 registers a V16: small tiles.
constexpr int kTileRows = 2;
constexpr int kTileCols = 3;
constexpr int kDirectCols1 = 2;
constexpr int kDirectCols2 = 1;
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

constexpr KernelTable kTable = {
    "plain",     kBlockRows, kBlockCols, products, epilogue, attention,    rms_norm,
    layer_norm, rotate,     add,        widen,    narrow,   evaluate, multiply_add, read,
};

}  // namespace

const KernelTable* kernel_table_plain() { return &kTable; }

}  // namespace ivl::cpu
