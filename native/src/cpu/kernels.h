// The kernels of each instruction set.
#pragma once

#include "backend/int8_weights.h"
#include "cpu/isa/kernel_table.h"
#include "host/processor.h"

namespace ivl::cpu {

// Of one that the processor has.
const KernelTable& kernels_of(Isa isa);
RowCodec codec_of(const KernelTable& kernels);

}  // namespace ivl::cpu
