// Position embeddings for a picture grid other than the trained one.
#pragma once

#include <cstdint>
#include <vector>

namespace ivl {

// Bicubic interpolation as PyTorch's F.interpolate(mode="bicubic", align_corners=False) does it (Keys' kernel with
// A = -0.75, borders clamped, in f32): in (from, from, width) -> (to, to, width).
std::vector<float> interpolate_bicubic(const std::vector<float>& in, int64_t from, int64_t to, int64_t width);

// The gradient of `in` for that of what interpolate_bicubic() makes of it: out (to, to, width) -> (from, from, width).
std::vector<float> interpolate_bicubic_back(const std::vector<float>& out, int64_t from, int64_t to, int64_t width);

// Position embeddings (1 + trained^2, width), the class token's first, for another grid: (1 + grid^2, width). The class token's row stays
// as it is.
std::vector<float> positions_for_grid(std::vector<float> positions, int64_t trained, int64_t grid, int64_t width);
// The gradient of the positions for that of what positions_for_grid() makes of them.
std::vector<float> positions_back(const std::vector<float>& d, int64_t trained, int64_t grid, int64_t width);

}  // namespace ivl
