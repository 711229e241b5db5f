// The documented meaning of the instructions in device/wgmma.h. Sums are added up as emulation/ptx.h does it, so that a result's
// bits are those of mma.sync here, too.
#pragma once

#include <cstdint>

#include "device/types.h"
#include "emulation/device.h"

namespace gpu {

void fence_for_wgmma();
inline void wgmma_begin() {}
void wgmma_commit();
void wgmma_wait_pending(int pending);
void wgmma_m64n128(bf16, float (&d)[16][4], const char* a, const char* b, int step, bool adds);
void wgmma_m64n128(f16, float (&d)[16][4], const char* a, const char* b, int step, bool adds);
void wgmma_m64n128(int8_t, int (&d)[16][4], const char* a, const char* b, int step, bool adds);

template <int Pending>
void wgmma_wait() {
  wgmma_wait_pending(Pending);
}

}  // namespace gpu
