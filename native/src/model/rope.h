// The table of rotary position embeddings.
#pragma once

#include <vector>

#include "model/config.h"

namespace ivl {

// (context, head_dim): of each position the cosines of its head_dim / 2 angles, then the sines.
//
// Su et al., "RoFormer" (2021), as transformers' LlamaRotaryEmbedding computes it: the inverse frequencies theta^(-2i/d) and their
// products with the position are f32. With dynamic scaling (bloc97, "NTK-Aware Scaled RoPE", 2023) a position from Rope::trained on
// has the theta of a text that ends with it, as a token that was decoded there has in transformers: its rotation is then the same
// whether it came alone or in a prompt. (A prompt that is longer than that turns otherwise there, all of it by its own length.)
std::vector<float> rope_table(const Rope& rope, int64_t context, int64_t head_dim);

}  // namespace ivl
