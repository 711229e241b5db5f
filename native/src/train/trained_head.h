// The final norm, the head and the loss, in chunks of the rows that learn.
#pragma once

#include <span>

#include "model/cancellation.h"
#include "model/recorder.h"
#include "train/trained_norm.h"

namespace ivl {

// Rows whose next token is learnt, and that token.
struct Lessons {
  std::vector<int32_t> rows;
  std::vector<int32_t> labels;  // one a row
};

class TrainedHead {
 public:
  // Rows whose logits are in memory at once.
  static constexpr int64_t kChunk = 128;

  TrainedHead(TrainingSpace& space, const ModelConfig& config, const ParamTable& params, WeightSource& source,
              const Precision& precision);

  // The sum of the lessons' losses, for the decoder's results x. Unless d is null it receives the gradient of factor times that sum for x.
  double run(const Matrix* d, const Matrix& x, const Lessons& lessons, float factor, Recorder* recorder,
             const Cancellation& cancel);

  static int64_t scratch_numbers(const LanguageConfig& language) { return kChunk * (language.vocab + 3 * language.hidden); }

 private:
  TrainingSpace& space_;
  const LanguageConfig& language_;
  TrainedNorm norm_;
  TrainedLinear head_;
  Workspace scratch_;
};

}  // namespace ivl
