#include "train/trained_head.h"

#include <algorithm>

namespace ivl {
namespace {

enum HeadSlot : size_t { kPicked, kPickedNormed, kPickedGradient, kLogits, kRecorded };

}  // namespace

TrainedHead::TrainedHead(TrainingSpace& space, const ModelConfig& config, const ParamTable& params, WeightSource& source,
                         const Precision& precision)
    : space_(space),
      language_(config.language),
      norm_(space, PartLoader(space.backend, source, params.of(Part::Head), precision), params.of(Part::Head), Use::Norm1,
            NormKind::RmsNorm, config.language.rms_eps),
      head_(space, PartLoader(space.backend, source, params.of(Part::Head), precision), params.of(Part::Head), Use::Logits),
      scratch_(space.backend) {}

double TrainedHead::run(const Matrix* d, const Matrix& x, const Lessons& lessons, float factor, Recorder* recorder,
                        const Cancellation& cancel) {
  double sum = 0;
  if (d != nullptr) space_.gradients.clear(*d);
  const bool records = recorder != nullptr && d != nullptr;
  const Matrix recorded = records ? scratch_.matrix(kRecorded, x.rows, x.cols) : Matrix{};
  if (records) space_.gradients.clear(recorded);
  std::vector<float> losses;
  for (size_t at = 0; at < lessons.rows.size(); at += static_cast<size_t>(kChunk)) {
    cancel.check();
    const size_t count = std::min(static_cast<size_t>(kChunk), lessons.rows.size() - at);
    const auto rows = std::span(lessons.rows).subspan(at, count), labels = std::span(lessons.labels).subspan(at, count);
    const auto lines = static_cast<int64_t>(count);
    const Matrix picked = scratch_.matrix(kPicked, lines, x.cols), normed = scratch_.matrix(kPickedNormed, lines, x.cols);
    const Matrix logits = scratch_.matrix(kLogits, lines, language_.vocab);
    losses.resize(count);
    space_.backend.gather_rows(picked, x, rows);
    norm_.forward(normed, picked);
    head_.forward(logits, normed);
    space_.gradients.cross_entropy(logits, labels, factor, losses);
    for (const float loss : losses) sum += loss;
    if (d == nullptr) continue;
    const Matrix d_picked = scratch_.matrix(kPickedGradient, lines, x.cols);
    head_.backward(&d_picked, logits, normed);
    if (records) space_.gradients.add_to_table(recorded, rows, d_picked);
    norm_.backward(d_picked, d_picked, picked, false);
    space_.gradients.add_to_table(*d, rows, d_picked);
  }
  if (records) recorder->record("decoder.norm", space_.backend, recorded, 0);
  return sum;
}

}  // namespace ivl
