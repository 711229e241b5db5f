// What a training will need of the host's memory, and how much it computes, known before anything is taken.
#pragma once

#include "checkpoint/checkpoint.h"
#include "model/precision.h"
#include "train/learning.h"

namespace ivl {

// The most that a micro-batch has.
struct BatchLimits {
  int64_t tokens = 2048;  // of a sample
  int64_t samples = 1;
  int64_t pictures = 1;  // of all of them
};

// All numbers but the last four are bytes.
struct TrainingPlan {
  int64_t weights_mapped = 0;  // read in place from the files
  int64_t weights_owned = 0;
  int64_t learning = 0;      // values, gradients and moments of what learns
  int64_t layer_inputs = 0;  // of a micro-batch
  int64_t intermediates = 0;
  int64_t scratch = 0;
  bool keeps = false;  // intermediates are of all layers, not of one
  int64_t parameters = 0, learning_parameters = 0;
  double operations_per_token = 0;    // there and back through the decoder
  double operations_per_picture = 0;  // through vision tower and projector, back too where these learn

  int64_t total() const { return weights_mapped + weights_owned + learning + layer_inputs + intermediates + scratch; }
};

// Error(Unsupported) names what of the model cannot be trained.
void require_trainable(const ModelConfig& config);

TrainingPlan plan_training(const Checkpoint& checkpoint, const ModelConfig& config, const Precision& precision,
                           const Learning& learning, const BatchLimits& limits, bool keeps);

// Error(OutOfMemory) with the plan's parts, and what would help, if it is more than `limit` bytes.
void require_fit(const TrainingPlan& plan, int64_t limit);

}  // namespace ivl
