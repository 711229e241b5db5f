// Hopper's products by warpgroups, of operands in shared memory (PTX ISA 9.x, "Asynchronous Warpgroup Level Matrix
// Instructions"): asm on the device, for sm_90a alone, the documented meaning in emulation/wgmma.h. Four warps, the first of
// which has a number that four divides, call them together.
#pragma once

#include "device/ptx.h"

#if defined(GPU_EMULATED)

#include "emulation/wgmma.h"

#else

namespace gpu {

// "fence.proxy.async": what this thread wrote to shared memory is seen by the instructions below, behind a barrier.
GPU_DEVICE void fence_for_wgmma() { asm volatile("fence.proxy.async.shared::cta;\n" ::: "memory"); }
// "wgmma.fence": the registers of the sums are free for them.
GPU_DEVICE void wgmma_begin() { asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory"); }
GPU_DEVICE void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;\n" ::: "memory"); }
// Until at most Pending groups are not done: until then their operands must stay, and their sums are not there.
template <int Pending>
GPU_DEVICE void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;\n" ::"n"(Pending) : "memory");
}

// "Matrix descriptor": rows of 128 bytes, swizzled by 128 bytes, eight of them 1024 bytes.
GPU_DEVICE uint64_t matrix_descriptor(const char* rows) {
  constexpr uint64_t kEightRows = 1024, kSwizzle128 = 1;
  return (shared_address(rows) & 0x3ffff) >> 4 | kEightRows >> 4 << 32 | kSwizzle128 << 62;
}

#define GPU_SUMS_OF_128(C)                                                                                                    \
  C(d[0][0]), C(d[0][1]), C(d[0][2]), C(d[0][3]), C(d[1][0]), C(d[1][1]), C(d[1][2]), C(d[1][3]), C(d[2][0]), C(d[2][1]),     \
      C(d[2][2]), C(d[2][3]), C(d[3][0]), C(d[3][1]), C(d[3][2]), C(d[3][3]), C(d[4][0]), C(d[4][1]), C(d[4][2]), C(d[4][3]), \
      C(d[5][0]), C(d[5][1]), C(d[5][2]), C(d[5][3]), C(d[6][0]), C(d[6][1]), C(d[6][2]), C(d[6][3]), C(d[7][0]), C(d[7][1]), \
      C(d[7][2]), C(d[7][3]), C(d[8][0]), C(d[8][1]), C(d[8][2]), C(d[8][3]), C(d[9][0]), C(d[9][1]), C(d[9][2]), C(d[9][3]), \
      C(d[10][0]), C(d[10][1]), C(d[10][2]), C(d[10][3]), C(d[11][0]), C(d[11][1]), C(d[11][2]), C(d[11][3]), C(d[12][0]),    \
      C(d[12][1]), C(d[12][2]), C(d[12][3]), C(d[13][0]), C(d[13][1]), C(d[13][2]), C(d[13][3]), C(d[14][0]), C(d[14][1]),    \
      C(d[14][2]), C(d[14][3]), C(d[15][0]), C(d[15][1]), C(d[15][2]), C(d[15][3])

#define GPU_SUM_F32(x) "+f"(x)
#define GPU_SUM_S32(x) "+r"(x)
#define GPU_REGISTERS_OF_128                                                         \
  "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "          \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}"

// d (64 x 128, a warp has 16 rows, as mma.m16n8k16 lays them out) = a b^T, added to what was there if `adds`: 64 rows of a and
// 128 of b, which lie as swizzled<8>() says, in blocks of 1024 bytes; of each the 32 bytes of step `step`.
#define GPU_WGMMA_M64N128(ELEMENT, SUM, INSTRUCTION, SUM_REGISTER, TRANSPOSES)                                                 \
  GPU_DEVICE void wgmma_m64n128(ELEMENT, SUM(&d)[16][4], const char* a, const char* b, int step, bool adds) {                  \
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\nwgmma.mma_async.sync.aligned.m64n128" INSTRUCTION                  \
                 " " GPU_REGISTERS_OF_128 ", %64, %65, p" TRANSPOSES ";\n}\n"                                                  \
                 : GPU_SUMS_OF_128(SUM_REGISTER)                                                                               \
                 : "l"(matrix_descriptor(a + 32 * step)), "l"(matrix_descriptor(b + 32 * step)), "r"(static_cast<int>(adds))); \
  }
// Behind the predicate: neither operand is negated or transposed.
GPU_WGMMA_M64N128(bf16, float, "k16.f32.bf16.bf16", GPU_SUM_F32, ", 1, 1, 0, 0")
GPU_WGMMA_M64N128(f16, float, "k16.f32.f16.f16", GPU_SUM_F32, ", 1, 1, 0, 0")
GPU_WGMMA_M64N128(int8_t, int, "k32.s32.s8.s8", GPU_SUM_S32, "")

#undef GPU_WGMMA_M64N128
#undef GPU_SUMS_OF_128
#undef GPU_SUM_F32
#undef GPU_SUM_S32
#undef GPU_REGISTERS_OF_128

}  // namespace gpu

#endif
