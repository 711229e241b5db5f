// From the parameters of one of a model's parts to the weights of a backend.
#pragma once

#include <span>
#include <vector>

#include "model/param.h"
#include "model/precision.h"
#include "model/weight_source.h"

namespace ivl {

class PartLoader {
 public:
  // All of them outlive it.
  PartLoader(Backend& backend, WeightSource& source, std::span<const Param> params, const Precision& precision)
      : backend_(backend), source_(source), params_(params), precision_(precision) {}

  // The linear layers of this use and their biases, stacked in the order of the table, their rows as Param::order says. A weight of
  // more than two dimensions (the patch convolution) is flattened behind the first.
  std::unique_ptr<LinearWeights> linear(Use use) const;
  // The part's experts, one after the other.
  std::unique_ptr<ExpertWeights> experts(int64_t count) const;
  NormWeights norm(Use use, NormKind kind, float eps) const;
  // Without weights if the part has no such norm.
  NormWeights norm_if_any(Use use, NormKind kind, float eps) const;
  std::unique_ptr<VectorWeights> vector(Use use) const;
  std::unique_ptr<TableWeights> table(Use use) const;
  std::vector<float> widened(Use use) const;

 private:
  // Adds a parameter to what is stacked to one layer.
  void add(LinearSource& to, const Param& param) const;
  // Its values are quantized.
  void done_with(const Param& param) const;
  const Param* find(Use use, Role role) const;
  HostTensor tensor(Use use, Role role) const;

  Backend& backend_;
  WeightSource& source_;
  std::span<const Param> params_;
  const Precision& precision_;
};

}  // namespace ivl
