// Every kernel, over the registers and the sizes that the including kernels_*.cpp has defined. Products of few rows have kTileRows x
// kTileCols accumulators, of bf16 by bf16 kPairTileRows, in int8 kIntTileRows times kTileCols; of many rows kGemmRows x
// kGemmRegs, whatever the type, with kGemmPanels times kGemmRegs registers of columns packed together.

namespace ivl::cpu {
namespace {

static_assert(kInt8Align % kIntBytes == 0);

#include "cpu/isa/row_count.inl"

#include "cpu/isa/v16.inl"

#include "cpu/isa/math.inl"

#include "cpu/isa/operands.inl"

#include "cpu/isa/elementwise.inl"

#include "cpu/isa/gemv.inl"

#include "cpu/isa/gemm.inl"

#include "cpu/isa/quantize.inl"

#include "cpu/isa/int4_rows.inl"

#include "cpu/isa/int4_products.inl"

#include "cpu/isa/int4_quantize.inl"

#include "cpu/isa/products.inl"

#include "cpu/isa/int8.inl"

#include "cpu/isa/epilogue.inl"

#include "cpu/isa/attention.inl"

#include "cpu/isa/pair_attention.inl"

#include "cpu/isa/small_product.inl"

#include "cpu/isa/norm.inl"

#include "cpu/isa/peak.inl"

constexpr KernelTable kTable = {
    IVL_KERNEL_NAME,
    products,
    pack_row,
    packed_products,
    epilogue,
    int8_products,
    int8_quantize,
    int8_quantize_weights,
    int4_quantize_weights,
    attention,
    cached_pair_attention,
    pack_pair_tile,
    pair_attention,
    small_product,
    rms_norm,
    layer_norm,
    rotate,
    add,
    add_weighted,
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
