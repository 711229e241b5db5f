// What the tests of the CPU backend's operations share: one backend for every kernel variant that runs here, beside the
// double-precision reference.
#pragma once

#include "backend/reference_backend.h"
#include "cpu/cpu_backend.h"
#include "cpu/operands.h"
#include "cpu/variants.h"

namespace ivl::cpu {

using testing::HostValues;
using testing::Operand;
using testing::ReferenceBackend;
using testing::relative_error;
using testing::same_bits;

constexpr double kTolerance = 2e-6;  // f32 sums in another order than the reference's doubles

class VariantTest : public ::testing::TestWithParam<const KernelTable*> {
 protected:
  CpuBackend backend(int threads = 2) const { return CpuBackend({.threads = threads, .kernels = GetParam()}); }
  CpuBackend rounding(int threads = 2) const {
    return CpuBackend({.threads = threads, .bf16_activations = true, .kernels = GetParam()});
  }
  ReferenceBackend reference_;
};

// Every number rounded to bf16.
inline Operand in_bf16(Operand operand) {
  for (float& x : operand.values()) x = bf16_to_f32(f32_to_bf16(x));
  return operand;
}

inline std::string variant_name(const ::testing::TestParamInfo<const KernelTable*>& info) {
  std::string name = info.param->name;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

// Those with fused multiply-add, which promise each other's bits.
inline std::vector<const KernelTable*> fused_variants() {
  std::vector<const KernelTable*> fused;
  for (const KernelTable* table : kernel_variants()) {
    if (std::string(table->name) != "plain") fused.push_back(table);
  }
  return fused;
}

}  // namespace ivl::cpu
