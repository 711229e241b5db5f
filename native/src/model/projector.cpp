#include "model/projector.h"

#include "model/load_weights.h"

namespace ivl {
namespace {

enum Slot : size_t { kShuffled, kNormed, kInner };

constexpr double kLayerNormEps = 1e-5;  // torch.nn.LayerNorm's default, which the original leaves

}  // namespace

void Projector::load(WeightSource& source, PartPrecision precision) {
  norm_ = load_norm(backend_, source, "mlp1.0", NormKind::LayerNorm, kLayerNormEps, precision.type);
  up_ = load_linear(backend_, source, {"mlp1.1"}, true, precision);
  down_ = load_linear(backend_, source, {"mlp1.3"}, true, precision);
}

void Projector::forward(const Matrix& out, const Matrix& hidden, int64_t pictures, Workspace& workspace,
                        Recorder* recorder) const {
  const int64_t tokens = config_.tokens_per_image();
  const Matrix shuffled = workspace.matrix(kShuffled, pictures * tokens, config_.projector_in());
  backend_.pixel_shuffle(shuffled, hidden, pictures, config_.grid(), config_.downsample,
                         config_.shuffle == PixelShuffle::V2);
  if (recorder != nullptr) recorder->record("vision.pixel_shuffle", backend_, shuffled, tokens);

  const Matrix normed = workspace.matrix(kNormed, shuffled.rows, shuffled.cols);
  backend_.norm(normed, shuffled, norm_);
  const Matrix inner = workspace.matrix(kInner, shuffled.rows, up_->out_features);
  backend_.matmul(inner, normed, *up_, {Activation::Gelu, nullptr, nullptr});
  backend_.matmul(out, inner, *down_, {});
  if (recorder != nullptr) recorder->record("projector", backend_, out, tokens);
}

int64_t Projector::workspace_bytes(const ModelConfig& config, int64_t pictures, DType activation) {
  const int64_t per_token = 2 * config.projector_in() + 2 * config.language.hidden;
  return pictures * config.tokens_per_image() * per_token * static_cast<int64_t>(size_of(activation));
}

}  // namespace ivl
