// From the pairs of a layer's parameters to what a backend takes for the layer.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "model/param.h"

namespace ivl {

// y = W x becomes y + scale * B (A x).
struct LoraPair {
  HostTensor a;  // (rank, in)
  HostTensor b;  // (out, rank)
  float scale = 1;
};

// The ranges of a tensor's rows in the order in which the model has them.
std::vector<RowRange> rows_in_order(const Param& param);

// What is added to a part's layers of this use, stacked as PartLoader does; without pairs if there are none. `pair_of` gives that of a
// parameter, or null.
AdapterSource adapter_source(std::span<const Param> part, Use use, const std::function<const LoraPair*(const Param&)>& pair_of);

}  // namespace ivl
