#include "train/trained_tower.h"

namespace ivl {
namespace {

enum TowerSlot : size_t { kTowerGradient, kFirstInput };  // of inputs_; the blocks' results follow

}  // namespace

TrainedTower::TrainedTower(TrainingSpace& space, const ModelConfig& config, const ParamTable& params, WeightSource& source,
                           const Precision& precision, const Learning& learning)
    : space_(space),
      config_(config),
      learning_(learning),
      embeddings_(space, config, params, source, precision),
      projector_(space, config, params, source, precision),
      inputs_(space.backend),
      projector_tape_(space.backend) {
  for (int64_t block = 0; block < config.vision_layers_used(); ++block) {
    const std::span<const Param> part = params.of(Part::VisionBlock, block);
    blocks_.emplace_back(space, config, PartLoader(space.backend, source, part, precision), part);
  }
}

std::vector<Sequence> TrainedTower::pictures(int64_t count) const {
  std::vector<Sequence> sequences;
  for (int64_t i = 0; i < count; ++i) sequences.push_back({i * config_.vision_tokens(), config_.vision_tokens()});
  return sequences;
}

Workspace& TrainedTower::tape_of(size_t block) {
  const size_t at = keeps_ ? block : 0;
  while (tapes_.size() <= at) tapes_.emplace_back(space_.backend);
  return tapes_[at];
}

Matrix TrainedTower::input_of(size_t block, int64_t pictures) {
  return inputs_.matrix(kFirstInput + block, pictures * config_.vision_tokens(), config_.vision.hidden);
}

// Whether a gradient is wanted of the block's input.
bool TrainedTower::learns_before(size_t block) const { return block > 0 || learning_.vision == Learns::All; }

void TrainedTower::forward(const Matrix& features, const Matrix& pixels, bool returns, bool keeps, const Cancellation& cancel) {
  keeps_ = returns && keeps;
  const std::vector<Sequence> sequences = pictures(pixels.rows);
  // Without a way back two inputs take turns.
  const auto slot = [&](size_t block) { return returns ? block : block % 2; };
  embeddings_.forward(input_of(0, pixels.rows), pixels);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    cancel.check();
    blocks_[i].forward(input_of(slot(i + 1), pixels.rows), input_of(slot(i), pixels.rows), sequences, tape_of(i));
  }
  cancel.check();
  projector_.forward(features, input_of(slot(blocks_.size()), pixels.rows), pixels.rows, projector_tape_);
}

void TrainedTower::backward(const Matrix& d_features, const Matrix& pixels, Recorder* recorder, const Cancellation& cancel) {
  const int64_t tokens = config_.vision_tokens();
  const std::vector<Sequence> sequences = pictures(pixels.rows);
  const Matrix d = inputs_.matrix(kTowerGradient, pixels.rows * tokens, config_.vision.hidden);
  const bool wants_tower = learning_.vision != Learns::Nothing;
  const auto record = [&](const std::string& name) {
    if (recorder != nullptr) recorder->record(name, space_.backend, d, tokens);
  };
  projector_.backward(wants_tower ? &d : nullptr, d_features, pixels.rows, projector_tape_, recorder);
  if (!wants_tower) return;
  for (size_t i = blocks_.size(); i-- > 0;) {
    cancel.check();
    record(cat("vision.layers.", i));
    const Matrix in = input_of(i, pixels.rows);
    // The block's result is of no use again; its place is.
    if (!keeps_) blocks_[i].forward(input_of(i + 1, pixels.rows), in, sequences, tape_of(i));
    blocks_[i].backward(d, in, sequences, tape_of(i), learns_before(i));
  }
  if (learning_.vision != Learns::All) return;
  record("vision.embeddings");
  embeddings_.backward(d, pixels);
}

}  // namespace ivl
