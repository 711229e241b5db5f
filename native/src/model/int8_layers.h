// Which of a model's parameters int8 is for.
#pragma once

#include "checkpoint/checkpoint.h"
#include "model/param.h"
#include "model/precision.h"

namespace ivl {

// The two groups of linear layers that are in int8 together: the decoder's with its head, and those of the vision tower's
// blocks with the projector. None of both: embeddings, the patch convolution, norms, biases, and routers, whose choice turns on
// small differences.
enum class Int8Group { None, Decoder, Vision };
Int8Group int8_group(const Param& param);

// Whether the precision keeps this parameter in int8.
bool is_int8_layer(const Param& param, const Precision& precision);

// What a checkpoint keeps in int8 already; `type` is that of most of the rest.
Precision stored_precision(const Checkpoint& checkpoint, const ParamTable& params);

}  // namespace ivl
