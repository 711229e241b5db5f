// Every kernel, over the registers and the sizes that the including kernels_*.cpp has defined: kTileRows x kTileCols
// accumulators of a product, kPairTileRows x kTileCols of one of bf16 by bf16, kIntTileRows x kIntTileCols of one in int8, and the
// rows and columns of a product's task.

namespace ivl::cpu {
namespace {

static_assert(kInt8Align % kIntBytes == 0);
static_assert(kBlockRows * kBlockCols <= kSumFloats / 2 && kBlockCols % (4 * kTileCols) == 0);
static_assert(kBlockRows % kTaskRows == 0 && kTaskRows % kTileRows == 0);
static_assert(kTaskRows % kPairTileRows == 0 && kTaskRows % kIntTileRows == 0);

#include "cpu/isa/v16.inl"

#include "cpu/isa/math.inl"

#include "cpu/isa/operands.inl"

#include "cpu/isa/gemm.inl"

#include "cpu/isa/int8.inl"

#include "cpu/isa/epilogue.inl"

#include "cpu/isa/attention.inl"

#include "cpu/isa/norm.inl"

#include "cpu/isa/elementwise.inl"

#include "cpu/isa/peak.inl"

constexpr KernelTable kTable = {
    IVL_KERNEL_NAME,
    kBlockRows,
    kBlockCols,
    products,
    epilogue,
    int8_products,
    int8_quantize,
    int8_quantize_weights,
    attention,
    rms_norm,
    layer_norm,
    rotate,
    add,
    widen,
    narrow,
    narrow_to_int8,
    evaluate,
    multiply_add,
    bf16_multiply_add,
    int8_multiply_add,
    read,
};

}  // namespace

const KernelTable* IVL_KERNEL_TABLE() { return &kTable; }

}  // namespace ivl::cpu
