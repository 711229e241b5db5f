#include "cpu/kernels.h"

#include "tensor/error.h"

namespace ivl {
namespace cpu {

const KernelTable& kernels_of(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::Avx512Bf16) return *kernel_table_avx512bf16();
  if (isa == Isa::Avx512Vnni) return *kernel_table_avx512vnni();
  if (isa == Isa::Avx512) return *kernel_table_avx512();
  if (isa == Isa::Avx2Vnni) return *kernel_table_avx2vnni();
  if (isa == Isa::Avx2) return *kernel_table_avx2();
#endif
  require(isa == Isa::Plain, "this processor's kernels were asked for");
  return *kernel_table_plain();
}

RowCodec codec_of(const KernelTable& kernels) {
  return {kernels.widen, kernels.narrow, kernels.int8_quantize_weights, kernels.int4_quantize_weights};
}

}  // namespace cpu

RowCodec row_codec() { return cpu::codec_of(cpu::kernels_of(chosen_isa())); }

}  // namespace ivl
