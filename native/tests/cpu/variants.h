// The kernel variants that this machine can run, for tests that hold for all of them.
#pragma once

#include <string>
#include <vector>

#include "cpu/kernels.h"

namespace ivl::cpu {

#ifdef IVL_SIMDE
const KernelTable* kernel_table_avx512_simde();  // AVX-512's source with its intrinsics replaced by SIMDe's
#endif

inline std::vector<const KernelTable*> kernel_variants() {
  std::vector<const KernelTable*> variants;
  for (const Isa isa : kIsas) {
    if (is_supported(isa)) variants.push_back(&kernels_of(isa));
  }
#ifdef IVL_SIMDE
  if (is_supported(Isa::Avx2)) variants.push_back(kernel_table_avx512_simde());
#endif
  return variants;
}

}  // namespace ivl::cpu
