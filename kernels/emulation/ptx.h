// The documented meaning of the instructions in device/ptx.h. Products of 16-bit elements are exact in f32; they are
// added to the accumulator in the order of k. Tensor cores add in an order and precision of their own, so results agree
// to rounding, not bit for bit.
#pragma once

#include <cstdint>

#include "emulation/device.h"

namespace gpu {

void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void mma_m16n8k16_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void mma_m16n8k32_s8(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void ldmatrix_x4(uint32_t (&r)[4], const void* row);
void ldmatrix_x4_trans(uint32_t (&r)[4], const void* row);
void cp_async_16(void* to, const void* from, int source_bytes = 16);
void cp_async_commit();
void cp_async_wait_pending(int pending);

inline float exp2_approximate(float x) { return std::exp2(x); }

template <int Pending>
void cp_async_wait() {
  cp_async_wait_pending(Pending);
}

}  // namespace gpu
