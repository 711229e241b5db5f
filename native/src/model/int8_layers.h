// Which of a model's weights int8 is for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/config.h"
#include "model/precision.h"

namespace ivl {

// Whether this weight is of a linear layer that the precision keeps in int8.
bool is_int8_layer(const std::string& name, const std::vector<int64_t>& shape, const Precision& precision);

// What a checkpoint keeps in int8 already; `type` is that of most of the rest.
Precision stored_precision(const Checkpoint& checkpoint, const ModelConfig& config);

}  // namespace ivl
