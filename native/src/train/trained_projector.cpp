#include "train/trained_projector.h"

#include "model/projector.h"

namespace ivl {
namespace {

enum TrainedProjectorSlot : size_t { kShuffled, kShuffledNormed, kProjectorBefore, kProjectorBehind };
enum ProjectorScratch : size_t { kProjectorGradient, kShuffledGradient };

}  // namespace

struct TrainedProjector::Tape {
  Matrix shuffled, normed, before_gelu, behind_gelu;
};

TrainedProjector::TrainedProjector(TrainingSpace& space, const ModelConfig& config, const ParamTable& params, WeightSource& source,
                                   const Precision& precision)
    : space_(space),
      config_(config),
      norm_(space, PartLoader(space.backend, source, params.of(Part::Projector), precision), params.of(Part::Projector), Use::Norm1,
            NormKind::LayerNorm, Projector::kEps),
      up_(space, PartLoader(space.backend, source, params.of(Part::Projector), precision), params.of(Part::Projector), Use::Up),
      down_(space, PartLoader(space.backend, source, params.of(Part::Projector), precision), params.of(Part::Projector),
            Use::Down) {}

TrainedProjector::Tape TrainedProjector::tape_of(Workspace& tape, int64_t rows) const {
  return {tape.matrix(kShuffled, rows, config_.projector_in()), tape.matrix(kShuffledNormed, rows, config_.projector_in()),
          tape.matrix(kProjectorBefore, rows, up_.out_features()), tape.matrix(kProjectorBehind, rows, up_.out_features())};
}

void TrainedProjector::forward(const Matrix& out, const Matrix& hidden, int64_t pictures, Workspace& workspace) const {
  const Tape tape = tape_of(workspace, out.rows);
  space_.backend.pixel_shuffle(tape.shuffled, hidden, pictures, config_.grid(), config_.downsample,
                               config_.shuffle == PixelShuffle::V2);
  norm_.forward(tape.normed, tape.shuffled);
  up_.forward(tape.before_gelu, tape.normed);
  space_.gradients.activate(tape.behind_gelu, tape.before_gelu, Activation::Gelu);
  down_.forward(out, tape.behind_gelu);
}

void TrainedProjector::backward(const Matrix* d_hidden, const Matrix& d, int64_t pictures, Workspace& workspace,
                                Recorder* recorder) const {
  const Tape tape = tape_of(workspace, d.rows);
  const Matrix d_inner = space_.scratch.matrix(kProjectorGradient, d.rows, up_.out_features());
  const Matrix d_shuffled = space_.scratch.matrix(kShuffledGradient, d.rows, config_.projector_in());
  if (recorder != nullptr) recorder->record("projector", space_.backend, d, config_.tokens_per_image());
  down_.backward(&d_inner, d, tape.behind_gelu);
  space_.gradients.activate_back(d_inner, tape.before_gelu, d_inner, Activation::Gelu);
  up_.backward(&d_shuffled, d_inner, tape.normed);
  norm_.backward(d_shuffled, d_shuffled, tape.shuffled, false);
  if (recorder != nullptr) recorder->record("vision.pixel_shuffle", space_.backend, d_shuffled, config_.tokens_per_image());
  if (d_hidden == nullptr) return;
  space_.gradients.pixel_shuffle_back(*d_hidden, d_shuffled, pictures, config_.grid(), config_.downsample,
                                      config_.shuffle == PixelShuffle::V2);
}

}  // namespace ivl
