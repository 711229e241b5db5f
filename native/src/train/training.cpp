#include "train/training.h"

#include <algorithm>
#include <cmath>

namespace ivl {
namespace {

constexpr double kClipEps = 1e-6;  // torch.nn.utils.clip_grad_norm_

}  // namespace

Training::Training(std::shared_ptr<Backend> backend, ModelConfig config, std::unique_ptr<WeightSource> stored,
                   const Precision& precision, const TrainingOptions& options)
    : options_(options),
      model_(std::move(backend), std::move(config), std::move(stored), precision, options.learning, options.keeps) {}

// Whatever ends the work early undoes the step.
template <class Work>
auto Training::guarded(const Work& work) {
  try {
    return work();
  } catch (...) {
    cancelled_.store(false);
    drop();
    throw;
  }
}

void Training::encode(float* features, const float* pixels, int64_t pictures) {
  guarded([&] { model_.encode(features, pixels, pictures, Cancellation(closing_, &cancelled_)); });
}

void Training::require_fits(const Sample& sample) const {
  const ModelConfig& config = model_.config();
  const int64_t most = options_.most_tokens > 0 ? options_.most_tokens : config.language.context;
  const auto count = static_cast<int64_t>(sample.tokens.size());
  if (count == 0) fail(Status::InvalidArgument, "the sample has no tokens, expected at least one");
  if (sample.labels.size() != sample.tokens.size()) {
    fail(Status::InvalidArgument,
         cat("the sample has ", sample.labels.size(), " labels, expected one for each of ", count, " tokens"));
  }
  if (count > most) fail(Status::ContextLength, cat("the sample has ", count, " tokens, expected at most ", most));
  for (int64_t i = 0; i < count; ++i) {
    const int32_t token = sample.tokens[static_cast<size_t>(i)], label = sample.labels[static_cast<size_t>(i)];
    if (token < 0 || token >= config.language.vocab) {
      fail(Status::InvalidArgument, cat("token ", i, " is ", token, ", expected 0 to ", config.language.vocab - 1));
    }
    if (label != token && label != MicroBatch::kIgnored) {
      fail(Status::InvalidArgument,
           cat("label ", i, " is ", label, ", expected its token, ", token, ", or ", MicroBatch::kIgnored));
    }
  }
  const int64_t places = std::count(sample.tokens.begin(), sample.tokens.end(), sample.image_token);
  const int64_t rows = sample.pictures * config.tokens_per_image();
  if (places != rows) {
    fail(Status::InvalidArgument,
         cat("the sample has ", places, " image tokens, expected ", rows, " for its ", sample.pictures, " images"));
  }
  if (sample.features != nullptr && model_.learning().sees()) {
    fail(Status::InvalidArgument, "the sample has its images' features, expected pixels: the vision tower or the projector learns");
  }
}

void Training::add(const Sample& sample) {
  require_fits(sample);
  const ModelConfig& config = model_.config();
  const auto rows = static_cast<size_t>(sample.pictures * config.tokens_per_image() * config.language.hidden);
  const auto pixels = static_cast<size_t>(sample.pictures * config.vision.channels * config.image_size * config.image_size);
  if (sample.pictures > 0 && model_.learning().sees()) {
    batch_.pixels.insert(batch_.pixels.end(), sample.pixels, sample.pixels + pixels);
  } else if (sample.pictures > 0) {
    std::vector<float> encoded;
    if (sample.features == nullptr) {
      encoded.resize(rows);
      encode(encoded.data(), sample.pixels, sample.pictures);
    }
    const float* features = sample.features != nullptr ? sample.features : encoded.data();
    batch_.features.insert(batch_.features.end(), features, features + rows);
  }
  batch_.append(sample.tokens, sample.labels, sample.image_token);
  batch_.pictures += sample.pictures;
}

Training::Loss Training::run(float weight, bool returns, Recorder* recorder) {
  if (batch_.empty()) fail(Status::InvalidArgument, "the micro-batch has no samples, expected at least one");
  Loss loss{0, batch_.learnt()};
  if (loss.learnt > 0) {
    const float factor = weight / static_cast<float>(loss.learnt);
    const double sum = model_.run(batch_, factor, returns, recorder, Cancellation(closing_, &cancelled_));
    loss.mean = sum / static_cast<double>(loss.learnt);
    if (!std::isfinite(loss.mean)) {
      fail(Status::NotFinite, "the loss is not a number: the weights are damaged, or the rate is too high");
    }
  }
  batch_ = {};
  return loss;
}

Training::Loss Training::learn(double weight, Recorder* recorder) {
  return guarded([&] { return run(static_cast<float>(weight), true, recorder); });
}

Training::Loss Training::loss() {
  return guarded([&] { return run(0, false, nullptr); });
}

Training::Update Training::update(double rate) {
  return guarded([&] {
    double squares = 0;
    for (const auto& parameter : model_.parameters().all()) squares += model_.gradients().sum_of_squares(parameter->gradient());
    Update update{std::sqrt(squares), 1};
    if (!std::isfinite(update.norm)) {
      fail(Status::NotFinite, "the norm of the gradients is not a number; the step is dropped, and what learns is as before it");
    }
    if (options_.most_norm > 0) update.factor = std::min(1.0, options_.most_norm / (update.norm + kClipEps));
    Gradients::AdamW step = options_.optimizer;
    step.rate = rate;
    step.step = steps_ + 1;
    step.gradient_factor = static_cast<float>(update.factor);
    for (const auto& parameter : model_.parameters().all()) {
      model_.gradients().adamw(parameter->value(), parameter->of(Parameter::kFirst), parameter->of(Parameter::kSecond),
                               parameter->gradient(), step);
    }
    ++steps_;
    model_.reload();
    drop();
    return update;
  });
}

void Training::drop() {
  batch_ = {};
  for (const auto& parameter : model_.parameters().all()) model_.gradients().clear(parameter->gradient());
}

void Training::read(const Parameter& parameter, Parameter::Kind kind, float* out) const {
  model_.backend().to_host(out, parameter.of(kind));
}

void Training::write(const Parameter& parameter, const float* values) {
  model_.backend().from_host(parameter.value(), values);
  model_.reload();
}

}  // namespace ivl
