// The vision tower's first step: patches, the class token, positions.
#pragma once

#include "train/trained_linear.h"

namespace ivl {

class TrainedEmbeddings {
 public:
  TrainedEmbeddings(TrainingSpace& space, const ModelConfig& config, const ParamTable& params, WeightSource& source,
                    const Precision& precision);

  // out (pictures * (1 + grid^2), C) of pixels (pictures, channels * S * S).
  void forward(const Matrix& out, const Matrix& pixels);
  // Gathers the gradients, for d of out.
  void backward(const Matrix& d, const Matrix& pixels);

 private:
  PatchGeometry geometry(int64_t pictures) const;
  void back_to_positions(const Matrix& d, int64_t pictures);

  TrainingSpace& space_;
  const ModelConfig& config_;
  std::unique_ptr<LinearWeights> patches_;
  std::unique_ptr<VectorWeights> class_token_;
  Buffer positions_;                                                                // (1 + grid^2, C), interpolated
  Parameter *patch_weight_, *patch_bias_, *class_parameter_, *position_parameter_;  // null: they do not learn
  Workspace scratch_;
};

}  // namespace ivl
