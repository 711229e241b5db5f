// Which weight format a model's parameters are kept in, and stored in.
#pragma once

#include "checkpoint/checkpoint.h"
#include "model/param.h"
#include "model/precision.h"

namespace ivl {

// The groups of linear layers that have a format together: the decoder's, its head, and those of the vision tower's blocks with the
// projector. None of these: embeddings, the patch convolution, norms, biases, and routers, whose choice turns on small differences.
enum class FormatGroup : uint8_t { None, Decoder, Head, Vision };
FormatGroup format_group(const Param& param);

// What the precision keeps this parameter in.
WeightFormat format_of(const Param& param, const Precision& precision);

// What becomes of this parameter where it is stored plain.
WeightFormat format_of_plain(const Param& param, const Precision& precision);

// What a checkpoint keeps its parameters in already; `type` is that of most of the rest.
Precision stored_precision(const Checkpoint& checkpoint, const ParamTable& params);

}  // namespace ivl
