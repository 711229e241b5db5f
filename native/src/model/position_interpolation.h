// Position embeddings for a picture grid other than the trained one.
#pragma once

#include <cstdint>
#include <vector>

namespace ivl {

// Bicubic interpolation as PyTorch's F.interpolate(mode="bicubic", align_corners=False) does it (Keys' kernel with
// A = -0.75, borders clamped, in f32): in (from, from, width) -> (to, to, width).
std::vector<float> interpolate_bicubic(const std::vector<float>& in, int64_t from, int64_t to, int64_t width);

}  // namespace ivl
