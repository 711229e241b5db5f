#include "emulation/ptx.h"

#include <array>

#include "emulation/async_copy.h"
#include "emulation/number.h"
#include "emulation/thread.h"

namespace gpu {
namespace {

constexpr unsigned kAll = 0xffffffffu;

// One lane's registers of a product. Fragment layouts: PTX ISA, "Matrix Fragments for mma.m16n8k16" and "...k32".
struct MmaArguments {
  void* d;
  const uint32_t* a;
  const uint32_t* b;
};

const MmaArguments& lane(void* const (&lanes)[32], int i) { return *static_cast<const MmaArguments*>(lanes[i]); }

// Element (row, k) of A and (k, column) of B, PerRegister elements a register: the quad of 8 rows or columns gives the
// lane group, k within a register's reach the lane of the quad, its upper half the second register (pair).
template <int PerRegister, auto Extract>
auto element_a(void* const (&lanes)[32], int row, int k) {
  const int half = k / (4 * PerRegister);
  const int in_half = k % (4 * PerRegister);
  const MmaArguments& from = lane(lanes, row % 8 * 4 + in_half / PerRegister);
  return Extract(from.a[half * 2 + row / 8], in_half % PerRegister);
}

template <int PerRegister, auto Extract>
auto element_b(void* const (&lanes)[32], int k, int column) {
  const int half = k / (4 * PerRegister);
  const int in_half = k % (4 * PerRegister);
  const MmaArguments& from = lane(lanes, column * 4 + in_half / PerRegister);
  return Extract(from.b[half], in_half % PerRegister);
}

template <int PerRegister, auto Extract>
void multiply(void* const (&lanes)[32]) {
  using Accumulator = decltype(Extract(0, 0));
  constexpr int kDepth = 8 * PerRegister;
  std::array<std::array<Accumulator, kDepth>, 16> a;
  std::array<std::array<Accumulator, 8>, kDepth> b;
  for (int k = 0; k < kDepth; k++) {
    for (int row = 0; row < 16; row++) {
      a[row][k] = element_a<PerRegister, Extract>(lanes, row, k);
    }
    for (int column = 0; column < 8; column++) {
      b[k][column] = element_b<PerRegister, Extract>(lanes, k, column);
    }
  }
  for (int row = 0; row < 16; row++) {
    const auto d = [&](int column) -> Accumulator& {
      return static_cast<Accumulator*>(lane(lanes, row % 8 * 4 + column / 2).d)[row / 8 * 2 + column % 2];
    };
    // Together, so that the compiler uses vectors for them; each in the order of k.
    std::array<Accumulator, 8> sums;
    for (int column = 0; column < 8; column++) sums[column] = d(column);
    for (int k = 0; k < kDepth; k++) {
      for (int column = 0; column < 8; column++) sums[column] += a[row][k] * b[k][column];
    }
    for (int column = 0; column < 8; column++) d(column) = sums[column];
  }
}

float bf16_of(uint32_t pair, int index) { return simt::bfloat16_to_float(static_cast<uint16_t>(pair >> 16 * index)); }
float f16_of(uint32_t pair, int index) { return simt::half_to_float(static_cast<uint16_t>(pair >> 16 * index)); }
int s8_of(uint32_t four, int index) { return static_cast<int8_t>(four >> 8 * index); }

struct MatrixRow {
  const void* row;
  uint32_t* registers;
};

// Register m of lane l holds elements 2(l % 4) and the next of row l / 4 of matrix m, or of its transpose.
template <bool Transposed>
void distribute(void* const (&lanes)[32]) {
  for (int matrix = 0; matrix < 4; matrix++) {
    uint16_t elements[8][8];
    for (int row = 0; row < 8; row++) {
      std::memcpy(elements[row], static_cast<const MatrixRow*>(lanes[8 * matrix + row])->row, 16);
    }
    for (int l = 0; l < 32; l++) {
      const int row = l / 4;
      const int column = l % 4 * 2;
      const uint32_t low = Transposed ? elements[column][row] : elements[row][column];
      const uint32_t high = Transposed ? elements[column + 1][row] : elements[row][column + 1];
      static_cast<const MatrixRow*>(lanes[l])->registers[matrix] = low | high << 16;
    }
  }
}

void load_matrices(uint32_t (&r)[4], const void* row, simt::WarpFunction distribute_rows, const void* pc) {
  static const uint64_t nothing[2] = {0, 0};
  const bool there = simt::access(row, 16, simt::Kind::Read, pc);
  MatrixRow mine{there ? row : nothing, r};
  simt::warp_collective("ldmatrix", kAll, distribute_rows, &mine, false, pc);
}

}  // namespace

void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  MmaArguments mine{d, a, b};
  simt::warp_collective("mma", kAll, multiply<2, bf16_of>, &mine, false, __builtin_return_address(0));
}

void mma_m16n8k16_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  MmaArguments mine{d, a, b};
  simt::warp_collective("mma", kAll, multiply<2, f16_of>, &mine, false, __builtin_return_address(0));
}

void mma_m16n8k32_s8(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  MmaArguments mine{d, a, b};
  simt::warp_collective("mma", kAll, multiply<4, s8_of>, &mine, false, __builtin_return_address(0));
}

void ldmatrix_x4(uint32_t (&r)[4], const void* row) { load_matrices(r, row, distribute<false>, __builtin_return_address(0)); }

void ldmatrix_x4_trans(uint32_t (&r)[4], const void* row) { load_matrices(r, row, distribute<true>, __builtin_return_address(0)); }

void cp_async_16(void* to, const void* from, int source_bytes) {
  simt::this_fiber().copies.issue(to, from, source_bytes, __builtin_return_address(0));
}

void cp_async_commit() { simt::this_fiber().copies.commit(); }

void cp_async_wait_pending(int pending) {
  simt::this_fiber().copies.wait(static_cast<size_t>(pending));
  simt::this_fiber().products.copies_landed();
}

}  // namespace gpu
