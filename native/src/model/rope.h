// The table of rotary position embeddings.
#pragma once

#include <vector>

#include "model/config.h"

namespace ivl {

// (rope_rows, head_dim): of each position the cosines of its head_dim / 2 angles, then the sines.
//
// Su et al., "RoFormer" (2021), as transformers' LlamaRotaryEmbedding computes it: the inverse frequencies theta^(-2i/d) and their
// products with the position are f32. With dynamic scaling (bloc97, "NTK-Aware Scaled RoPE", 2023) a position from Rope::trained on
// has the theta of a text that ends with it, as a token that was decoded there has in transformers: its rotation is then the same
// whether it came alone or in a prompt. (A prompt that is longer than that turns otherwise there, all of it by its own length.)
//
// With longrope a row's rotation depends on its prompt, too, as in the models' own code: a prompt of more than `original` tokens turns by
// the long factors from its first token on; behind a shorter one a decoded token does from position `original` on, and the keys that
// are in the cache stay as they are. So the table has the first `original` positions twice: first by the short factors, then, as the
// beginning of all positions, by the long ones.
std::vector<float> rope_table(const Rope& rope, int64_t context, int64_t head_dim);

// Rows of the table: the context, and with longrope the positions that it has twice.
int64_t rope_rows(const Rope& rope, int64_t context);

// Whether a prompt of so many tokens turns by the long factors from its first token on. What is computed of one that does and of
// one that does not is never the same.
bool turns_long(const Rope& rope, int64_t prompt);

// The row of the table that would be position 0's for the rows at positions [first, first + rows) of a sequence with such a prompt.
// They lie together, since of a prompt either all turn long or none.
int64_t rope_begin(const Rope& rope, int64_t context, int64_t prompt, int64_t first, int64_t rows);

}  // namespace ivl
