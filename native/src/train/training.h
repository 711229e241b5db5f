// Supervised fine-tuning, step by step: samples are added to a micro-batch, micro-batches' gradients are gathered, a step ends with AdamW.
#pragma once

#include <atomic>
#include <filesystem>

#include "train/trained_model.h"

namespace ivl {

struct TrainingOptions {
  Learning learning;
  bool keeps = false;               // what happens within layers
  int64_t most_tokens = 0;          // of a sample; 0: the context
  Gradients::AdamW optimizer = {};  // but for the rate and the step
  double most_norm = 1;             // of all gradients together; 0: whatever
};

class Training {
 public:
  Training(std::shared_ptr<Backend> backend, ModelConfig config, std::unique_ptr<WeightSource> stored, const Precision& precision,
           const TrainingOptions& options);

  const TrainedModel& model() const { return model_; }
  const TrainingOptions& options() const { return options_; }
  int64_t steps() const { return steps_; }

  void encode(float* features, const float* pixels, int64_t pictures);

  // A sample of the micro-batch, as ivl_training_add has it. Error(InvalidArgument), Error(ContextLength): it does not fit the model, or its
  // images do not fit its tokens; nothing is added.
  struct Sample {
    std::span<const int32_t> tokens, labels;
    int32_t image_token = -1;
    const float *pixels = nullptr, *features = nullptr;
    int64_t pictures = 0;
  };
  void add(const Sample& sample);

  struct Loss {
    double mean = 0;
    int64_t learnt = 0;
  };
  // The micro-batch's loss, whose samples then go; with `weight` its gradients, times that, are gathered.
  Loss learn(double weight, Recorder* recorder = nullptr);
  Loss loss();

  struct Update {
    double norm = 0, factor = 1;
  };
  Update update(double rate);
  // What the step has gathered, and samples that were added, are gone.
  void drop();
  // Any thread: what runs ends with Error(Cancelled), and the step is dropped; else the next learn(), loss() or encode() does.
  void cancel() { cancelled_.store(true); }

  void read(const Parameter& parameter, Parameter::Kind kind, float* out) const;
  void write(const Parameter& parameter, const float* values);

  // See training_state.cpp.
  void save(const std::filesystem::path& file, const std::string& text) const;
  static std::string saved_text(const std::filesystem::path& file);
  void resume(const std::filesystem::path& file);

 private:
  void require_fits(const Sample& sample) const;
  template <class Work>
  auto guarded(const Work& work);
  Loss run(float weight, bool returns, Recorder* recorder);
  std::string made_of() const;

  TrainingOptions options_;
  TrainedModel model_;
  MicroBatch batch_;
  int64_t steps_ = 0;  // that are done
  std::atomic<bool> cancelled_{false};
  const std::atomic<bool> closing_{false};
};

}  // namespace ivl
