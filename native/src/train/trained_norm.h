// A norm on the way there and back.
#pragma once

#include <optional>

#include "train/trained_linear.h"

namespace ivl {

class TrainedNorm {
 public:
  TrainedNorm(TrainingSpace& space, const PartLoader& loader, std::span<const Param> part, Use use, NormKind kind, float eps)
      : space_(&space), weights_(loader.norm(use, kind, eps)) {
    for (const Param& param : part) {
      if (param.use != use) continue;
      if (param.role == Role::Norm) weight_ = space.parameters.find(param.name);
      // A linear layer's bias has its own use.
      if (param.role == Role::Vector) bias_ = space.parameters.find(param.name);
    }
  }

  void forward(const Matrix& out, const Matrix& in) const { space_->backend.norm(out, in, weights_); }

  // d_in = the gradient of the input for d, that of the result; or, with `add`, plus it.
  void backward(const Matrix& d_in, const Matrix& d, const Matrix& in, bool add) const {
    const Matrix d_weight = weight_ == nullptr ? Matrix{} : weight_->gradient();
    const Matrix d_bias = bias_ == nullptr ? Matrix{} : bias_->gradient();
    space_->gradients.norm_back(d_in, d, in, weights_, add, weight_ == nullptr ? nullptr : &d_weight,
                                bias_ == nullptr ? nullptr : &d_bias);
  }

 private:
  TrainingSpace* space_;
  NormWeights weights_;
  Parameter *weight_ = nullptr, *bias_ = nullptr;
};

// Nothing if the model has no such norm.
inline std::optional<TrainedNorm> norm_if(bool there, TrainingSpace& space, const PartLoader& loader, std::span<const Param> part,
                                          Use use, float eps) {
  if (!there) return std::nullopt;
  return TrainedNorm(space, loader, part, use, NormKind::RmsNorm, eps);
}

}  // namespace ivl
