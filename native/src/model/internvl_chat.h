// The whole model: vision tower, projector and decoder over one backend or several. Not thread-safe: src/generate serialises.
#pragma once

#include <memory>

#include "model/decoder.h"
#include "model/intern_vit.h"
#include "model/projector.h"

namespace ivl {

// Rows that pass the decoder at once, and about as many that pass the vision tower. More would not be faster (the
// products are compute-bound by then), only larger.
constexpr int64_t kChunkRows = 512;
constexpr int64_t kVisionRows = 1024;

class InternVLChat {
 public:
  // `source` stays alive as long as the model: the CPU reads weights in place.
  InternVLChat(Placement placement, ModelConfig config, std::unique_ptr<WeightSource> source,
               const Precision& precision);

  const ModelConfig& config() const { return config_; }
  const std::vector<KvShape>& kv_shapes() const { return decoder_.kv_shapes(); }
  const Precision& precision() const { return precision_; }
  const Placement& placement() const { return placement_; }

  // Weights are loaded part by part (about a layer each), in order.
  int64_t parts() const { return vision_.parts() + 1 + decoder_.parts(); }
  void load_part(int64_t part);

  // pixels (count, channels, S, S) f32, normalized -> (count * tokens_per_image, hidden) in the memory of the decoder's
  // first stage.
  Buffer encode(const float* pixels, int64_t count, Recorder* recorder, const Cancellation& cancel);

  // See Decoder::forward.
  Logits decode(const DecoderBatch& batch, Recorder* recorder, const Cancellation& cancel);

  // Pictures that pass the vision tower together.
  static int64_t pictures_together(const ModelConfig& config);

 private:
  void encode_some(const Matrix& out, const float* pixels, int64_t count, Recorder* recorder,
                   const Cancellation& cancel);

  Placement placement_;
  ModelConfig config_;
  ParamTable params_;
  std::unique_ptr<WeightSource> source_;
  Precision precision_;
  InternVit vision_;
  Projector projector_;
  Decoder decoder_;
  Workspace pixels_space_, vision_space_, projector_space_;
};

}  // namespace ivl
