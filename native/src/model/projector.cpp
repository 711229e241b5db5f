#include "model/projector.h"

#include "model/load_weights.h"

namespace ivl {
namespace {

enum ProjectorSlot : size_t { kProjectorNormed, kProjectorInner };

}  // namespace

void Projector::load(WeightSource& source, const Precision& precision) {
  const PartLoader part(backend_, source, params_.of(Part::Projector), precision);
  norm_ = part.norm(Use::Norm1, NormKind::LayerNorm, kEps);
  up_ = part.linear(Use::Up);
  down_ = part.linear(Use::Down);
}

void Projector::load(Adapter& adapter, const LoraTensors& tensors) const {
  adapter.put_all(backend_, tensors, params_.of(Part::Projector), {Use::Up, Use::Down});
}

void Projector::forward(const Matrix& out, const Matrix& hidden, int64_t pictures, const RowAdapters& adapters,
                        Workspace& workspace, Recorder* recorder) const {
  const int64_t tokens = config_.tokens_per_image();
  const Matrix normed = workspace.matrix(kProjectorNormed, pictures * tokens, config_.projector_in());
  const bool swap_back = config_.shuffle == PixelShuffle::V2;
  if (recorder == nullptr) {
    backend_.pixel_shuffle_norm(normed, hidden, pictures, config_.grid(), config_.downsample, swap_back, norm_);
  } else {
    backend_.pixel_shuffle(normed, hidden, pictures, config_.grid(), config_.downsample, swap_back);
    recorder->record("vision.pixel_shuffle", backend_, normed, tokens);
    backend_.norm(normed, normed, norm_);
  }
  const Matrix inner = workspace.matrix(kProjectorInner, normed.rows, up_->out_features);
  const std::vector<AdaptedRows> up = adapters.of(Part::Projector, 0, Use::Up), down = adapters.of(Part::Projector, 0, Use::Down);
  backend_.matmul(inner, {normed, *up_, up}, {Activation::Gelu, nullptr, nullptr});
  backend_.matmul(out, {inner, *down_, down}, {});
  if (recorder != nullptr) recorder->record("projector", backend_, out, tokens);
}

int64_t Projector::workspace_bytes(const ModelConfig& config, int64_t pictures, DType activation) {
  const int64_t per_token = config.projector_in() + 2 * config.language.hidden;
  return pictures * config.tokens_per_image() * per_token * static_cast<int64_t>(size_of(activation));
}

}  // namespace ivl
