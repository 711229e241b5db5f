#include "emulation/wgmma.h"

#include <array>

#include "emulation/number.h"
#include "emulation/thread.h"

namespace gpu {
namespace {

constexpr unsigned kAll = 0xffffffffu;
constexpr int kColumns = 128;
constexpr int kStepBytes = 32;

float element(bf16 x) { return simt::bfloat16_to_float(x.bits); }
float element(f16 x) { return simt::half_to_float(x.bits); }
int element(int8_t x) { return x; }

// The step's elements of a row, which lies in blocks of eight rows of 128 bytes, its chunks of 16 bytes swizzled.
template <class T, class Sum>
std::array<Sum, kStepBytes / sizeof(T)> load_step(const char* rows, int row, int step, bool checked, const void* pc) {
  std::array<T, kStepBytes / sizeof(T)> elements{};
  for (int half = 0; half < 2; half++) {
    const char* chunk = rows + 128 * row + 16 * ((2 * step + half) ^ (row % 8));
    if (!checked || simt::this_fiber().products.read(chunk, pc)) {
      std::memcpy(reinterpret_cast<char*>(elements.data()) + 16 * half, chunk, 16);
    }
  }
  std::array<Sum, kStepBytes / sizeof(T)> result;
  for (size_t k = 0; k < elements.size(); k++) result[k] = element(elements[k]);
  return result;
}

// One thread's sums: PTX ISA, "Register Fragments and Shared Memory Matrix Layouts" of wgmma.m64nNk16, matrix D.
template <class T, class Sum>
void multiply(Sum (&d)[16][4], const char* a, const char* b, int step, bool adds, const void* pc) {
  simt::warp_collective(
      "wgmma", kAll, [](void* const(&)[32]) {}, nullptr, false, pc);
  const int lane = static_cast<int>(simt::this_lane());
  const int warp = static_cast<int>(threadIdx.x) / 32 % 4;
  const int row = 16 * warp + lane / 4;
  const auto rows = {load_step<T, Sum>(a, row, step, true, pc), load_step<T, Sum>(a, row + 8, step, true, pc)};
  for (int column = 0; column < kColumns; column++) {
    if (column % 8 / 2 != lane % 4) continue;
    const auto weights = load_step<T, Sum>(b, column, step, lane < 4, pc);  // eight lanes read the same
    Sum* sum = d[column / 8] + column % 2;
    for (const auto& values : rows) {
      if (!adds) *sum = 0;
      for (size_t k = 0; k < weights.size(); k++) *sum += values[k] * weights[k];
      sum += 2;
    }
  }
}

}  // namespace

void fence_for_wgmma() { simt::this_fiber().products.fence(); }
void wgmma_commit() { simt::this_fiber().products.commit(); }
void wgmma_wait_pending(int pending) { simt::this_fiber().products.wait(static_cast<size_t>(pending)); }

void wgmma_m64n128(bf16, float (&d)[16][4], const char* a, const char* b, int step, bool adds) {
  multiply<bf16>(d, a, b, step, adds, __builtin_return_address(0));
}
void wgmma_m64n128(f16, float (&d)[16][4], const char* a, const char* b, int step, bool adds) {
  multiply<f16>(d, a, b, step, adds, __builtin_return_address(0));
}
void wgmma_m64n128(int8_t, int (&d)[16][4], const char* a, const char* b, int step, bool adds) {
  multiply<int8_t>(d, a, b, step, adds, __builtin_return_address(0));
}

}  // namespace gpu
