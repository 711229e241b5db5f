#include "train/trained_model.h"

#include <algorithm>

#include "model/internvl_chat.h"
#include "model/rope.h"

namespace ivl {
namespace {

enum PictureSlot : size_t { kPixels, kFeatures, kFeatureGradient, kHiddenGradient };

}  // namespace

TrainedModel::TrainedModel(std::shared_ptr<Backend> backend, ModelConfig config, std::unique_ptr<WeightSource> stored,
                           const Precision& precision, const Learning& learning, bool keeps)
    : backend_(std::move(backend)),
      config_(std::move(config)),
      params_(config_),
      learning_(learning),
      stored_(std::move(stored)),
      precision_(precision),
      keeps_(keeps),
      parameters_(*backend_, config_, params_, learning_, *stored_),
      source_(*stored_, parameters_),
      space_{*backend_, *backend_->gradients(), parameters_},
      inputs_(*backend_),
      pictures_(*backend_) {
  const LanguageConfig& language = config_.language;
  const std::vector<float> table = rope_table(language.rope, language.context, language.head_dim);
  rope_ = backend_->allocate(table.size() * sizeof(float));
  backend_->from_host(rope(), table.data());
  reload();
}

Matrix TrainedModel::rope() const {
  const LanguageConfig& language = config_.language;
  return rope_.matrix(DType::F32, rope_rows(language.rope, language.context), language.head_dim);
}

// Layers whose weights stay are not made again. Pairs stand where the parameters are: what changes there, the layers see.
void TrainedModel::reload() {
  const auto changes = [&](Part part) { return learning_.of(part) == Learns::All; };
  if (!tower_ || changes(Part::VisionBlock)) {
    tower_.emplace(space_, config_, params_, source_, precision_, learning_);
  } else if (changes(Part::Projector)) {
    tower_->load_projector(source_, params_, precision_);
  }
  if (head_ && !changes(Part::DecoderLayer)) return;
  tokens_ = PartLoader(*backend_, source_, params_.of(Part::Tokens), precision_).table(Use::Tokens);
  layers_.clear();
  for (int64_t layer = 0; layer < config_.language.layers; ++layer) {
    const std::span<const Param> part = params_.of(Part::DecoderLayer, layer);
    layers_.emplace_back(space_, config_, PartLoader(*backend_, source_, part, precision_), part);
  }
  head_.emplace(space_, config_, params_, source_, precision_);
}

Workspace& TrainedModel::tape_of(size_t layer) {
  const size_t at = keeps_ ? layer : 0;
  while (tapes_.size() <= at) tapes_.emplace_back(*backend_);
  return tapes_[at];
}

void TrainedModel::encode(float* features, const float* pixels, int64_t pictures, const Cancellation& cancel) {
  const int64_t numbers = config_.vision.channels * config_.image_size * config_.image_size;
  const int64_t rows = config_.tokens_per_image(), width = config_.language.hidden;
  const int64_t together = InternVLChat::pictures_together(config_);
  for (int64_t at = 0; at < pictures; at += together) {
    const int64_t count = std::min(together, pictures - at);
    const Matrix in = pictures_.matrix(kPixels, count, numbers), out = pictures_.matrix(kFeatures, count * rows, width);
    backend_->from_host(in, pixels + at * numbers);
    tower_->forward(out, in, false, false, cancel);
    backend_->to_host(features + at * rows * width, out);
  }
}

std::vector<TurnedSequence> TrainedModel::turned(const MicroBatch& batch) const {
  const LanguageConfig& language = config_.language;
  std::vector<TurnedSequence> samples;
  for (const Sequence& sample : batch.samples) {
    samples.push_back({sample, rope_begin(language.rope, language.context, sample.rows, 0, sample.rows)});
  }
  return samples;
}

// What the decoder sees of the batch's images.
Matrix TrainedModel::see(const MicroBatch& batch, bool returns, const Cancellation& cancel) {
  const Matrix features = pictures_.matrix(kFeatures, batch.pictures * config_.tokens_per_image(), config_.language.hidden);
  if (batch.pixels.empty()) {
    if (batch.pictures > 0) backend_->from_host(features, batch.features.data());
    return features;
  }
  const int64_t numbers = config_.vision.channels * config_.image_size * config_.image_size;
  const Matrix pixels = pictures_.matrix(kPixels, batch.pictures, numbers);
  backend_->from_host(pixels, batch.pixels.data());
  tower_->forward(features, pixels, returns, keeps_, cancel);
  return features;
}

void TrainedModel::embed(const MicroBatch& batch, const Matrix& features) {
  std::vector<Splice> splices;
  int64_t used = 0;
  for (const MicroBatch::Placeholders& run : batch.placeholders) {
    splices.push_back({run.row, features.row_range(used, run.rows)});
    used += run.rows;
  }
  backend_->embed(input_of(0, batch.rows()), *tokens_, batch.ids, splices);
}

double TrainedModel::run(const MicroBatch& batch, float factor, bool returns, Recorder* recorder, const Cancellation& cancel) {
  const bool back_to_tower = returns && learning_.sees();
  embed(batch, see(batch, back_to_tower, cancel));
  const std::vector<TurnedSequence> samples = turned(batch);
  for (size_t i = 0; i < layers_.size(); ++i) {
    cancel.check();
    const Matrix out = input_of(i + 1, batch.rows());
    layers_[i].forward(&out, input_of(i, batch.rows()), samples, rope(), tape_of(i));
  }
  const Matrix x = input_of(layers_.size(), batch.rows());
  if (!returns) return head_->run(nullptr, x, batch.lessons, factor, nullptr, cancel);
  const Matrix d = pictures_.matrix(kHiddenGradient, batch.rows(), config_.language.hidden);
  const double loss = head_->run(&d, x, batch.lessons, factor, recorder, cancel);
  back(batch, samples, d, recorder, cancel);
  return loss;
}

void TrainedModel::back(const MicroBatch& batch, const std::vector<TurnedSequence>& samples, const Matrix& d, Recorder* recorder,
                        const Cancellation& cancel) {
  const bool wants_embeddings = learning_.decoder == Learns::All || (learning_.sees() && batch.pictures > 0);
  for (size_t i = layers_.size(); i-- > 0;) {
    cancel.check();
    if (recorder != nullptr) recorder->record(cat("decoder.layers.", i), *backend_, d, 0);
    const Matrix in = input_of(i, batch.rows());
    if (!keeps_) layers_[i].forward(nullptr, in, samples, rope(), tape_of(i));
    layers_[i].backward(d, in, samples, rope(), tape_of(i), i > 0 || wants_embeddings);
  }
  if (wants_embeddings) back_to_embeddings(batch, d, recorder, cancel);
}

// Rows of images go back to the tower, the others to the table.
void TrainedModel::back_to_embeddings(const MicroBatch& batch, const Matrix& d, Recorder* recorder, const Cancellation& cancel) {
  if (recorder != nullptr) recorder->record("decoder.embeddings", *backend_, d, 0);
  std::vector<int32_t> ids = batch.ids;
  const Matrix d_features = pictures_.matrix(kFeatureGradient, batch.pictures * config_.tokens_per_image(), d.cols);
  int64_t used = 0;
  for (const MicroBatch::Placeholders& run : batch.placeholders) {
    backend_->copy(d_features.row_range(used, run.rows), d.row_range(run.row, run.rows));
    std::fill_n(ids.begin() + run.row, run.rows, -1);
    used += run.rows;
  }
  if (const Parameter* table = parameters_.find(params_.of(Part::Tokens)[0].name); table != nullptr) {
    space_.gradients.add_to_table(table->gradient(), ids, d);
  }
  if (!learning_.sees() || batch.pictures == 0) return;
  tower_->backward(d_features, pictures_.matrix(kPixels, batch.pictures, batch.pixels.size() / batch.pictures), recorder, cancel);
}

}  // namespace ivl
