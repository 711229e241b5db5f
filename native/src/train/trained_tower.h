// The vision tower and the projector on the way there and back: from pixels to what the decoder sees of images.
#pragma once

#include <optional>
#include <vector>

#include "model/cancellation.h"
#include "model/intern_vit.h"
#include "model/recorder.h"
#include "train/trained_block.h"
#include "train/trained_embeddings.h"
#include "train/trained_projector.h"

namespace ivl {

class TrainedTower {
 public:
  TrainedTower(TrainingSpace& space, const ModelConfig& config, const ParamTable& params, WeightSource& source,
               const Precision& precision, const Learning& learning);

  // Takes what has changed of the projector, and leaves the tower.
  void load_projector(WeightSource& source, const ParamTable& params, const Precision& precision);

  // features (pictures * tokens_per_image, decoder width) of pixels (pictures, channels * S * S). With `keeps` every block has a tape of its
  // own, so that backward() need not run it again; without `returns` nothing is left behind.
  void forward(const Matrix& features, const Matrix& pixels, bool returns, bool keeps, const Cancellation& cancel);
  // d_features are the gradients of what the last forward() gave.
  void backward(const Matrix& d_features, const Matrix& pixels, Recorder* recorder, const Cancellation& cancel);

 private:
  void load_frozen(WeightSource& source, const ParamTable& params, const Precision& precision);
  void load_blocks(WeightSource& source, const ParamTable& params, const Precision& precision);
  Matrix run_frozen(const Matrix& pixels, const Cancellation& cancel);
  Matrix run_blocks(const Matrix& pixels, bool returns, const Cancellation& cancel);
  std::vector<Sequence> pictures(int64_t count) const;
  Workspace& tape_of(size_t block);
  Matrix input_of(size_t block, int64_t pictures);
  bool learns_before(size_t block) const;

  TrainingSpace& space_;
  const ModelConfig& config_;
  const Learning& learning_;
  std::optional<InternVit> frozen_;              // a tower that stays as it is,
  std::optional<TrainedEmbeddings> embeddings_;  // or one that learns
  std::vector<TrainedBlock> blocks_;
  std::optional<TrainedProjector> projector_;
  std::vector<Workspace> tapes_;  // one, or one a block
  Workspace inputs_, projector_tape_, frozen_space_;
  bool keeps_ = false;
};

}  // namespace ivl
