// The few shapes in which the towers' layers come out of a checkpoint.
#pragma once

#include <string>
#include <vector>

#include "model/precision.h"
#include "model/weight_source.h"

namespace ivl {

// Whether a weight is read where it lies by something else, too: embeddings that are tied to the head.
enum class Ownership { Sole, Shared };

// Linear layers PREFIX.weight (out, in) and PREFIX.bias, stacked in the given order. A weight of more than two
// dimensions (the patch convolution) is flattened behind the first.
std::unique_ptr<LinearWeights> load_linear(Backend& backend, WeightSource& source,
                                           const std::vector<std::string>& prefixes, bool bias, PartPrecision precision,
                                           Ownership ownership = Ownership::Sole);

// PREFIX.weight and, for a LayerNorm, PREFIX.bias.
NormWeights load_norm(Backend& backend, WeightSource& source, const std::string& prefix, NormKind kind, double eps,
                      DType type);

std::vector<float> widen(const HostTensor& tensor);

}  // namespace ivl
