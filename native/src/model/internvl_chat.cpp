#include "model/internvl_chat.h"

#include <algorithm>

#include "host/next_id.h"

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

std::unique_ptr<Adapter> InternVLChat::load_adapter(const LoraTensors& tensors) const {
  tensors.require_unmerged(params_);
  auto adapter = std::make_unique<Adapter>();
  vision_.load(*adapter, tensors);
  projector_.load(*adapter, tensors);
  decoder_.load(*adapter, tensors);
  return adapter;
}

void InternVLChat::set_own_adapter(const LoraTensors& tensors) { own_ = load_adapter(tensors); }

std::vector<AdapterUse> InternVLChat::all_of(std::span<const AdapterUse> adapters) const {
  std::vector<AdapterUse> all;
  if (own_ != nullptr) all.push_back({own_.get(), 1});
  all.insert(all.end(), adapters.begin(), adapters.end());
  return all;
}

RowAdapters InternVLChat::adapters_of_rows(const Encoding& encoding, int64_t rows) const {
  RowAdapters adapters;
  adapters.add(0, rows, encoding.adapters);
  return adapters;
}

InternVLChat::Encoding InternVLChat::begin_encoding(const float* pixels, int64_t count, std::span<const AdapterUse> adapters) {
  Backend& target = *placement_.decoder.front().backend;
  const auto numbers = static_cast<size_t>(count * config_.tokens_per_image() * config_.language.hidden);
  Encoding encoding{pixels, count, target.allocate(numbers * size_of(target.activation_type())), next_id()};
  encoding.adapters = all_of(adapters);
  return encoding;
}

bool InternVLChat::encode_part(Encoding& encoding, Recorder* recorder, const Cancellation& cancel) {
  cancel.check();
  const int64_t some = std::min(pictures_together(config_), encoding.count - encoding.done);
  if (in_tower_ != encoding.number) encoding.next = 0;
  if (encoding.next == 0) {
    const int64_t picture_size = config_.vision.channels * config_.image_size * config_.image_size;
    const Matrix input = pixels_space_.matrix(0, some, picture_size);
    in_tower_ = encoding.number;
    placement_.vision->from_host(input, encoding.pixels + encoding.done * picture_size);
    vision_.begin(input, vision_space_, recorder);
  } else if (encoding.next <= vision_.blocks()) {
    const RowAdapters adapters = adapters_of_rows(encoding, some * config_.vision_tokens());
    vision_.run(encoding.next - 1, some, adapters, vision_space_, recorder);
  } else {
    const int64_t tokens = config_.tokens_per_image();
    const DType type = placement_.decoder.front().backend->activation_type();
    const Matrix all = encoding.features.matrix(type, encoding.count * tokens, config_.language.hidden);
    const RowAdapters adapters = adapters_of_rows(encoding, some * tokens);
    project(all.row_range(encoding.done * tokens, some * tokens), some, adapters, recorder);
    encoding.done += some;
    encoding.next = 0;
    return encoding.done == encoding.count;
  }
  ++encoding.next;
  return false;
}

Buffer InternVLChat::encode(const float* pixels, int64_t count, Recorder* recorder, const Cancellation& cancel,
                            std::span<const AdapterUse> adapters) {
  Encoding encoding = begin_encoding(pixels, count, adapters);
  while (!encode_part(encoding, recorder, cancel)) {}
  return std::move(encoding.features);
}

void InternVLChat::project(const Matrix& out, int64_t count, const RowAdapters& adapters, Recorder* recorder) {
  const Matrix hidden = vision_.hidden(count, vision_space_);
  Backend& backend = *placement_.vision;
  Backend& target = *placement_.decoder.front().backend;
  if (&backend == &target) {
    projector_.forward(out, hidden, count, adapters, projector_space_, recorder);
  } else {
    const Matrix features = projector_space_.matrix(kFeaturesSlot, out.rows, out.cols);
    projector_.forward(features, hidden, count, adapters, projector_space_, recorder);
    target.receive(out, features, backend);
  }
}

Logits InternVLChat::decode(const DecoderBatch& batch, Recorder* recorder, const Cancellation& cancel) {
  if (own_ == nullptr) return decoder_.forward(batch, recorder, cancel);
  std::vector<SequenceSpan> spans(batch.spans.begin(), batch.spans.end());
  std::vector<std::vector<AdapterUse>> all;
  all.reserve(spans.size());
  for (SequenceSpan& span : spans) span.adapters = all.emplace_back(all_of(span.adapters));
  DecoderBatch adapted = batch;
  adapted.spans = spans;
  return decoder_.forward(adapted, recorder, cancel);
}

}  // namespace ivl
