// The projector on the way there and back.
#pragma once

#include "model/recorder.h"
#include "train/trained_norm.h"

namespace ivl {

class TrainedProjector {
 public:
  TrainedProjector(TrainingSpace& space, const ModelConfig& config, const ParamTable& params, WeightSource& source,
                   const Precision& precision);

  // As Projector::forward.
  void forward(const Matrix& out, const Matrix& hidden, int64_t pictures, Workspace& tape) const;
  // d is the gradient of out; d_hidden receives that of hidden, unless it is null.
  void backward(const Matrix* d_hidden, const Matrix& d, int64_t pictures, Workspace& tape, Recorder* recorder) const;

 private:
  struct Tape;
  Tape tape_of(Workspace& tape, int64_t rows) const;

  TrainingSpace& space_;
  const ModelConfig& config_;
  TrainedNorm norm_;
  TrainedLinear up_, down_;
};

}  // namespace ivl
