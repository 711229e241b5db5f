#include "model/internvl_chat.h"

#include <algorithm>

namespace ivl {

namespace {

// Of projector_space_, behind the projector's own.
constexpr size_t kFeaturesSlot = 8;

}  // namespace

InternVLChat::InternVLChat(Placement placement, ModelConfig config, std::unique_ptr<WeightSource> source,
                           const Precision& precision)
    : placement_(std::move(placement)),
      config_(std::move(config)),
      params_(config_),
      source_(std::move(source)),
      precision_(precision),
      vision_(*placement_.vision, config_, params_),
      projector_(*placement_.vision, config_, params_),
      decoder_(placement_, config_, params_, precision.kv_type()),
      pixels_space_(*placement_.vision),
      vision_space_(*placement_.vision),
      projector_space_(*placement_.vision) {}

void InternVLChat::load_part(int64_t part) {
  if (part < vision_.parts()) {
    vision_.load_part(part, *source_, precision_);
  } else if (part == vision_.parts()) {
    projector_.load(*source_, precision_);
  } else {
    decoder_.load_part(part - vision_.parts() - 1, *source_, precision_);
  }
  if (part + 1 < parts()) return;
  placement_.vision->finish_weights();
  for (const Placement::Stage& stage : placement_.decoder) stage.backend->finish_weights();
}

int64_t InternVLChat::pictures_together(const ModelConfig& config) {
  return std::max<int64_t>(1, kVisionRows / config.vision_tokens());
}

Buffer InternVLChat::encode(const float* pixels, int64_t count, Recorder* recorder, const Cancellation& cancel) {
  const int64_t tokens = config_.tokens_per_image();
  const int64_t width = config_.language.hidden;
  const int64_t picture_size = config_.vision.channels * config_.image_size * config_.image_size;
  Backend& target = *placement_.decoder.front().backend;
  const DType type = target.activation_type();
  Buffer features = target.allocate(static_cast<size_t>(count * tokens * width) * size_of(type));
  const Matrix all = features.matrix(type, count * tokens, width);
  const int64_t together = pictures_together(config_);
  for (int64_t done = 0; done < count; done += together) {
    const int64_t some = std::min(together, count - done);
    encode_some(all.row_range(done * tokens, some * tokens), pixels + done * picture_size, some, recorder, cancel);
  }
  return features;
}

void InternVLChat::encode_some(const Matrix& out, const float* pixels, int64_t count, Recorder* recorder,
                               const Cancellation& cancel) {
  const int64_t picture_size = config_.vision.channels * config_.image_size * config_.image_size;
  const Matrix input = pixels_space_.matrix(0, count, picture_size);
  Backend& backend = *placement_.vision;
  backend.from_host(input, pixels);
  const Matrix hidden = vision_.forward(input, vision_space_, recorder, cancel);
  Backend& target = *placement_.decoder.front().backend;
  if (&backend == &target) {
    projector_.forward(out, hidden, count, projector_space_, recorder);
  } else {
    const Matrix features = projector_space_.matrix(kFeaturesSlot, out.rows, out.cols);
    projector_.forward(features, hidden, count, projector_space_, recorder);
    target.receive(out, features, backend);
  }
}

Logits InternVLChat::decode(const DecoderBatch& batch, Recorder* recorder, const Cancellation& cancel) {
  return decoder_.forward(batch, recorder, cancel);
}

}  // namespace ivl
