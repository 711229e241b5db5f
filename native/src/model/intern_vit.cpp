#include "model/intern_vit.h"

#include <algorithm>

#include "model/load_weights.h"
#include "model/position_interpolation.h"

namespace ivl {
namespace {

enum Slot : size_t { kHidden, kNormed, kWide, kAttended };

}  // namespace

int64_t InternVit::parts() const { return 1 + config_.vision_layers_used(); }

void InternVit::load_part(int64_t part, WeightSource& source, PartPrecision precision) {
  if (part == 0) {
    load_embeddings(source, precision);
  } else {
    load_block(part - 1, source, precision);
  }
}

void InternVit::load_embeddings(WeightSource& source, PartPrecision precision) {
  const std::string prefix = "vision_model.embeddings.";
  const VisionConfig& vision = config_.vision;
  patch_embedding_ = load_linear(backend_, source, {prefix + "patch_embedding"}, true, {precision.type, false});
  class_embedding_ = backend_.vector(source.tensor(prefix + "class_embedding"), precision.type);

  const HostTensor stored = source.tensor(prefix + "position_embedding");
  std::vector<float> positions = widen(stored);
  const int64_t trained = vision.trained_grid();
  const auto width = static_cast<size_t>(vision.hidden);
  if (trained != config_.grid()) {
    // The class token's row stays as it is.
    const std::vector<float> grid(positions.begin() + static_cast<std::ptrdiff_t>(width), positions.end());
    const std::vector<float> resized = interpolate_bicubic(grid, trained, config_.grid(), vision.hidden);
    positions.resize(width);
    positions.insert(positions.end(), resized.begin(), resized.end());
  }
  positions_ = backend_.allocate(positions.size() * size_of(backend_.activation_type()));
  backend_.from_host(positions_.matrix(backend_.activation_type(), config_.vision_tokens(), vision.hidden),
                     positions.data());
}

void InternVit::load_block(int64_t index, WeightSource& source, PartPrecision precision) {
  const std::string prefix = cat("vision_model.encoder.layers.", index, ".");
  const VisionConfig& vision = config_.vision;
  VisionBlock block;
  block.norm1 = load_norm(backend_, source, prefix + "norm1", vision.norm, vision.eps, precision.type);
  block.norm2 = load_norm(backend_, source, prefix + "norm2", vision.norm, vision.eps, precision.type);
  block.qkv = load_linear(backend_, source, {prefix + "attn.qkv"}, vision.qkv_bias, precision);
  if (vision.qk_norm) {
    block.q_norm = load_norm(backend_, source, prefix + "attn.q_norm", NormKind::RmsNorm, vision.eps, precision.type);
    block.k_norm = load_norm(backend_, source, prefix + "attn.k_norm", NormKind::RmsNorm, vision.eps, precision.type);
  }
  block.proj = load_linear(backend_, source, {prefix + "attn.proj"}, true, precision);
  block.fc1 = load_linear(backend_, source, {prefix + "mlp.fc1"}, true, precision);
  block.fc2 = load_linear(backend_, source, {prefix + "mlp.fc2"}, true, precision);
  block.ls1 = backend_.vector(source.tensor(prefix + "ls1"), precision.type);
  block.ls2 = backend_.vector(source.tensor(prefix + "ls2"), precision.type);
  blocks_.push_back(std::move(block));
}

Matrix InternVit::embed(const Matrix& pixels, Workspace& workspace) const {
  const int64_t pictures = pixels.rows;
  const int64_t width = config_.vision.hidden;
  const PatchGeometry geometry{pictures, config_.vision.channels, config_.image_size, config_.vision.patch};
  const Matrix patches = workspace.matrix(kNormed, pictures * config_.grid() * config_.grid(), width);
  const Matrix x = workspace.matrix(kHidden, pictures * config_.vision_tokens(), width);
  backend_.patch_embed(patches, pixels, *patch_embedding_, geometry);
  backend_.add_class_and_positions(
      x, patches, *class_embedding_,
      positions_.matrix(backend_.activation_type(), config_.vision_tokens(), width), pictures);
  return x;
}

// x (B*T, C): x += attention(norm1(x)) * ls1; x += mlp(norm2(x)) * ls2.
void InternVit::run_block(const VisionBlock& block, const Matrix& x, int64_t pictures, Workspace& workspace) const {
  const VisionConfig& vision = config_.vision;
  const int64_t width = vision.hidden;
  const Matrix normed = workspace.matrix(kNormed, x.rows, width);

  backend_.norm(normed.into(*block.qkv), x, block.norm1);
  const Matrix qkv = workspace.matrix(kWide, x.rows, 3 * width);
  backend_.matmul(qkv, normed, *block.qkv, {});
  if (vision.qk_norm) {
    const Matrix q = qkv.col_range(0, width);
    const Matrix k = qkv.col_range(width, width);
    backend_.norm(q, q, block.q_norm);
    backend_.norm(k, k, block.k_norm);
  }
  const Matrix attended = workspace.matrix(kAttended, x.rows, width);
  backend_.vision_attention(attended, qkv, pictures, vision.heads, vision.head_dim());
  backend_.matmul(x, attended, *block.proj, {Activation::None, block.ls1.get(), &x});

  backend_.norm(normed.into(*block.fc1), x, block.norm2);
  const Matrix inner = workspace.matrix(kWide, x.rows, vision.mlp);
  backend_.matmul(inner, normed, *block.fc1, {Activation::Gelu, nullptr, nullptr});
  backend_.matmul(x, inner, *block.fc2, {Activation::None, block.ls2.get(), &x});
}

Matrix InternVit::forward(const Matrix& pixels, Workspace& workspace, Recorder* recorder,
                          const Cancellation& cancel) const {
  const int64_t pictures = pixels.rows;
  const Matrix x = embed(pixels, workspace);
  if (recorder != nullptr) recorder->record("vision.embeddings", backend_, x, config_.vision_tokens());
  for (size_t i = 0; i < blocks_.size(); ++i) {
    cancel.check();
    run_block(blocks_[i], x, pictures, workspace);
    if (recorder != nullptr) recorder->record(cat("vision.layers.", i), backend_, x, config_.vision_tokens());
  }
  return x;
}

int64_t InternVit::workspace_bytes(const ModelConfig& config, int64_t pictures, DType activation) {
  const VisionConfig& vision = config.vision;
  const int64_t wide = std::max(3 * vision.hidden, vision.mlp);
  const int64_t per_token = 3 * vision.hidden + wide;
  return pictures * config.vision_tokens() * per_token * static_cast<int64_t>(size_of(activation));
}

}  // namespace ivl
