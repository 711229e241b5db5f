#include "model/load_weights.h"

namespace ivl {

std::unique_ptr<LinearWeights> load_linear(Backend& backend, WeightSource& source,
                                           const std::vector<std::string>& prefixes, bool bias, PartPrecision precision,
                                           Ownership ownership) {
  LinearSource parts;
  parts.int8 = precision.int8;
  for (const std::string& prefix : prefixes) {
    HostTensor weight = source.tensor(prefix + ".weight");
    int64_t in_features = 1;
    for (size_t i = 1; i < weight.shape.size(); ++i) in_features *= weight.shape[i];
    weight.shape = {weight.shape[0], in_features};
    parts.weights.push_back(std::move(weight));
    if (bias) parts.biases.push_back(source.tensor(prefix + ".bias"));
  }
  auto weights = backend.linear(parts, precision.type);
  if (precision.int8 && ownership == Ownership::Sole) {
    for (const std::string& prefix : prefixes) source.release(prefix + ".weight");
  }
  return weights;
}

NormWeights load_norm(Backend& backend, WeightSource& source, const std::string& prefix, NormKind kind, double eps,
                      DType type) {
  NormWeights norm;
  norm.kind = kind;
  norm.eps = static_cast<float>(eps);
  norm.weight = backend.vector(source.tensor(prefix + ".weight"), type);
  if (kind == NormKind::LayerNorm) norm.bias = backend.vector(source.tensor(prefix + ".bias"), type);
  return norm;
}

std::vector<float> widen(const HostTensor& tensor) {
  size_t size = 1;
  for (const int64_t dim : tensor.shape) size *= static_cast<size_t>(dim);
  std::vector<float> values(size);
  for (size_t i = 0; i < size; ++i) values[i] = load_f32(tensor.data, tensor.dtype, i);
  return values;
}

}  // namespace ivl
