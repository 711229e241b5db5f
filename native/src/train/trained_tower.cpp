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
      inputs_(space.backend),
      projector_tape_(space.backend),
      frozen_space_(space.backend) {
  load_projector(source, params, precision);
  if (learning.vision == Learns::Nothing) {
    load_frozen(source, params, precision);
  } else {
    load_blocks(source, params, precision);
  }
}

void TrainedTower::load_projector(WeightSource& source, const ParamTable& params, const Precision& precision) {
  projector_.emplace(space_, config_, params, source, precision);
}

void TrainedTower::load_frozen(WeightSource& source, const ParamTable& params, const Precision& precision) {
  frozen_.emplace(space_.backend, config_, params);
  for (int64_t part = 0; part < frozen_->parts(); ++part) frozen_->load_part(part, source, precision);
}

void TrainedTower::load_blocks(WeightSource& source, const ParamTable& params, const Precision& precision) {
  embeddings_.emplace(space_, config_, params, source, precision);
  for (int64_t block = 0; block < config_.vision_layers_used(); ++block) {
    const std::span<const Param> part = params.of(Part::VisionBlock, block);
    blocks_.emplace_back(space_, config_, PartLoader(space_.backend, source, part, precision), part);
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
  const Matrix hidden = frozen_ ? run_frozen(pixels, cancel) : run_blocks(pixels, returns, cancel);
  cancel.check();
  projector_->forward(features, hidden, pixels.rows, projector_tape_);
}

Matrix TrainedTower::run_frozen(const Matrix& pixels, const Cancellation& cancel) {
  frozen_->begin(pixels, frozen_space_, nullptr);
  for (int64_t block = 0; block < frozen_->blocks(); ++block) {
    cancel.check();
    frozen_->run(block, pixels.rows, {}, frozen_space_, nullptr);
  }
  return frozen_->hidden(pixels.rows, frozen_space_);
}

Matrix TrainedTower::run_blocks(const Matrix& pixels, bool returns, const Cancellation& cancel) {
  const std::vector<Sequence> sequences = pictures(pixels.rows);
  // Without a way back two inputs take turns.
  const auto slot = [&](size_t block) { return returns ? block : block % 2; };
  embeddings_->forward(input_of(0, pixels.rows), pixels);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    cancel.check();
    blocks_[i].forward(input_of(slot(i + 1), pixels.rows), input_of(slot(i), pixels.rows), sequences, tape_of(i));
  }
  return input_of(slot(blocks_.size()), pixels.rows);
}

void TrainedTower::backward(const Matrix& d_features, const Matrix& pixels, Recorder* recorder, const Cancellation& cancel) {
  if (frozen_) return projector_->backward(nullptr, d_features, pixels.rows, projector_tape_, recorder);
  const int64_t tokens = config_.vision_tokens();
  const std::vector<Sequence> sequences = pictures(pixels.rows);
  const Matrix d = inputs_.matrix(kTowerGradient, pixels.rows * tokens, config_.vision.hidden);
  const auto record = [&](const std::string& name) {
    if (recorder != nullptr) recorder->record(name, space_.backend, d, tokens);
  };
  projector_->backward(&d, d_features, pixels.rows, projector_tape_, recorder);
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
  embeddings_->backward(d, pixels);
}

}  // namespace ivl
