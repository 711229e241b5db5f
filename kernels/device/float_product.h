// What the products in 16 bits share: the instruction, and the shapes of tiles.
#pragma once

#include "device/finish.h"
#include "device/tile_product.h"

namespace gpu {
namespace {

template <class T>
struct Multiply;
template <>
struct Multiply<bf16> {
  using Sum = float;
  GPU_DEVICE static void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { mma_m16n8k16_bf16(d, a, b); }
};
template <>
struct Multiply<f16> {
  using Sum = float;
  GPU_DEVICE static void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { mma_m16n8k16_f16(d, a, b); }
};

// Rows and columns of a block's tile, of a warp's, depth and stages. Few rows: many blocks with much in flight; many: tiles that
// use what they load often, for what L2 delivers is the limit.
template <class T>
using FewRows = TileProduct<Multiply<T>, kFewRows, 32, 16, 16, 128, 8>;
template <class T>
using SomeRows = TileProduct<Multiply<T>, 64, 64, 32, 32, 128, 4>;
template <class T>
using ManyRows = TileProduct<Multiply<T>, 128, 128, 64, 64, 64, 4>;

}  // namespace
}  // namespace gpu
