// The whole model on the way there and back: the gradients of a micro-batch's loss go to the parameters that learn.
//
// Every layer's input is kept. What happened within a layer is kept, too, or computed again on the way back: with the same bits, since
// every operation's are a function of its inputs alone.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "train/micro_batch.h"
#include "train/trained_layer.h"
#include "train/trained_tower.h"

namespace ivl {

class TrainedModel {
 public:
  // The backend has gradients, and its memory is the host's. `keeps`: within layers.
  TrainedModel(std::shared_ptr<Backend> backend, ModelConfig config, std::unique_ptr<WeightSource> stored,
               const Precision& precision, const Learning& learning, bool keeps);

  const ModelConfig& config() const { return config_; }
  const ParamTable& params() const { return params_; }
  const Parameters& parameters() const { return parameters_; }
  const Learning& learning() const { return learning_; }
  const Precision& precision() const { return precision_; }
  Backend& backend() const { return *backend_; }
  Gradients& gradients() const { return space_.gradients; }

  // Takes what has changed of the parameters into the layers.
  void reload();

  // features (pictures * tokens_per_image, decoder width) of pixels, on the host, some pictures at a time.
  void encode(float* features, const float* pixels, int64_t pictures, const Cancellation& cancel);
  // The sum of the lessons' losses. With `returns` the gradients of factor times that sum are added to the parameters'; a recorder then
  // sees those of activations, by their names.
  double run(const MicroBatch& batch, float factor, bool returns, Recorder* recorder, const Cancellation& cancel);

 private:
  std::vector<TurnedSequence> turned(const MicroBatch& batch) const;
  Matrix see(const MicroBatch& batch, bool returns, const Cancellation& cancel);
  void embed(const MicroBatch& batch, const Matrix& features);
  void back(const MicroBatch& batch, const std::vector<TurnedSequence>& samples, const Matrix& d, Recorder* recorder,
            const Cancellation& cancel);
  void back_to_embeddings(const MicroBatch& batch, const Matrix& d, Recorder* recorder, const Cancellation& cancel);
  Matrix input_of(size_t layer, int64_t rows) { return inputs_.matrix(layer, rows, config_.language.hidden); }
  Workspace& tape_of(size_t layer);
  Matrix rope() const;

  std::shared_ptr<Backend> backend_;
  ModelConfig config_;
  ParamTable params_;
  Learning learning_;
  std::unique_ptr<WeightSource> stored_;
  Precision precision_;
  bool keeps_;
  Parameters parameters_;
  LearningSource source_;
  TrainingSpace space_;
  Buffer rope_;
  std::unique_ptr<TableWeights> tokens_;
  std::vector<TrainedLayer> layers_;
  std::optional<TrainedHead> head_;
  std::optional<TrainedTower> tower_;
  std::vector<Workspace> tapes_;  // one, or one a layer
  Workspace inputs_, pictures_;
};

}  // namespace ivl
