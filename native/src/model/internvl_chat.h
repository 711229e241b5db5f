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
  InternVLChat(Placement placement, ModelConfig config, std::unique_ptr<WeightSource> source, const Precision& precision);

  const ModelConfig& config() const { return config_; }
  const std::vector<KvShape>& kv_shapes() const { return decoder_.kv_shapes(); }
  const Precision& precision() const { return precision_; }
  const Placement& placement() const { return placement_; }

  // Weights are loaded part by part (about a layer each), in order.
  int64_t parts() const { return vision_.parts() + 1 + decoder_.parts(); }
  void load_part(int64_t part);

  // Pairs of this model's layers in its backends' memory. Error(Unsupported) if there are pairs of layers that take none, or a backend
  // takes none.
  std::unique_ptr<Adapter> load_adapter(const LoraTensors& tensors) const;
  // Of the checkpoint itself: every row takes them, before any others. Before anything is computed.
  void set_own_adapter(const LoraTensors& tensors);

  // Pictures on their way through the tower and the projector, pictures_together() of them at a time.
  struct Encoding {
    const float* pixels;  // (count, channels, S, S) f32, normalized
    int64_t count;
    Buffer features;   // (count * tokens_per_image, hidden) in the memory of the decoder's first stage
    uint64_t number;   // tells encodings apart
    int64_t done = 0;  // pictures
    int64_t next = 0;  // of those in the tower: 0 the embedding, then a block each, then the projector
    std::vector<AdapterUse> adapters = {};
  };
  // `adapters` as SequenceSpan's; they stay while it goes on.
  Encoding begin_encoding(const float* pixels, int64_t count, std::span<const AdapterUse> adapters);
  // Does the next part, about a block. True once all is done, and `features` full. Several encodings may take turns: one that finds
  // another's pictures in the tower begins with its own anew.
  bool encode_part(Encoding& encoding, Recorder* recorder, const Cancellation& cancel);
  // All of it.
  Buffer encode(const float* pixels, int64_t count, Recorder* recorder, const Cancellation& cancel,
                std::span<const AdapterUse> adapters = {});

  // See Decoder::forward.
  Logits decode(const DecoderBatch& batch, Recorder* recorder, const Cancellation& cancel);

  // Pictures that pass the vision tower together.
  static int64_t pictures_together(const ModelConfig& config);

 private:
  void project(const Matrix& out, int64_t count, const RowAdapters& adapters, Recorder* recorder);
  // With the checkpoint's own before them.
  std::vector<AdapterUse> all_of(std::span<const AdapterUse> adapters) const;
  RowAdapters adapters_of_rows(const Encoding& encoding, int64_t rows) const;

  Placement placement_;
  ModelConfig config_;
  ParamTable params_;
  std::unique_ptr<WeightSource> source_;
  Precision precision_;
  InternVit vision_;
  Projector projector_;
  Decoder decoder_;
  std::unique_ptr<Adapter> own_;  // of the checkpoint, or null
  Workspace pixels_space_, vision_space_, projector_space_;
  uint64_t in_tower_ = 0;  // the encoding whose pictures are in vision_space_
};

}  // namespace ivl
