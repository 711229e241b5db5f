#include "model/internvl_chat.h"

#include <algorithm>

namespace ivl {

InternVLChat::InternVLChat(std::shared_ptr<Backend> backend, ModelConfig config, std::unique_ptr<WeightSource> source,
                           DType type)
    : backend_(std::move(backend)),
      config_(std::move(config)),
      source_(std::move(source)),
      type_(type),
      vision_(*backend_, config_),
      projector_(*backend_, config_),
      decoder_(*backend_, config_,
               {config_.language.layers, config_.language.kv_heads, config_.language.head_dim, type}),
      pixels_space_(*backend_),
      vision_space_(*backend_),
      projector_space_(*backend_),
      decoder_space_(*backend_) {}

void InternVLChat::load_part(int64_t part) {
  if (part < vision_.parts()) {
    vision_.load_part(part, *source_, type_);
  } else if (part == vision_.parts()) {
    projector_.load(*source_, type_);
  } else {
    decoder_.load_part(part - vision_.parts() - 1, *source_, type_);
  }
}

int64_t InternVLChat::pictures_together(const ModelConfig& config) {
  return std::max<int64_t>(1, kVisionRows / config.vision_tokens());
}

Buffer InternVLChat::encode(const float* pixels, int64_t count, Recorder* recorder, const Cancellation& cancel) {
  const int64_t tokens = config_.tokens_per_image();
  const int64_t width = config_.language.hidden;
  const int64_t picture_size = config_.vision.channels * config_.image_size * config_.image_size;
  const DType type = backend_->activation_type();
  Buffer features = backend_->allocate(static_cast<size_t>(count * tokens * width) * size_of(type));
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
  backend_->from_host(input, pixels);
  const Matrix hidden = vision_.forward(input, vision_space_, recorder, cancel);
  projector_.forward(out, hidden, count, projector_space_, recorder);
}

void InternVLChat::decode(const DecoderBatch& batch, float* logits, Recorder* recorder,
                          const Cancellation& cancel) {
  backend_->to_host(logits, decoder_.forward(batch, decoder_space_, recorder, cancel));
}

}  // namespace ivl
