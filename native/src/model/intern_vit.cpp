#include "model/intern_vit.h"

#include <algorithm>

#include "model/load_weights.h"
#include "model/position_interpolation.h"

namespace ivl {
namespace {

enum VitSlot : size_t { kVitHidden, kVitNormed, kVitWide, kVitAttended };

}  // namespace

int64_t InternVit::parts() const { return 1 + config_.vision_layers_used(); }

void InternVit::load_part(int64_t part, WeightSource& source, const Precision& precision) {
  if (part == 0) {
    load_embeddings(source, precision);
  } else {
    load_block(part - 1, source, precision);
  }
}

void InternVit::load_embeddings(WeightSource& source, const Precision& precision) {
  const PartLoader part(backend_, source, params_.of(Part::VisionEmbeddings), precision);
  const VisionConfig& vision = config_.vision;
  patch_embedding_ = part.linear(Use::Patches);
  class_embedding_ = part.vector(Use::ClassToken);
  const std::vector<float> positions =
      positions_for_grid(part.widened(Use::Positions), vision.trained_grid(), config_.grid(), vision.hidden);
  positions_ = backend_.allocate(positions.size() * size_of(backend_.activation_type()));
  backend_.from_host(positions_.matrix(backend_.activation_type(), config_.vision_tokens(), vision.hidden), positions.data());
}

void InternVit::load_block(int64_t index, WeightSource& source, const Precision& precision) {
  const PartLoader part(backend_, source, params_.of(Part::VisionBlock, index), precision);
  const VisionConfig& vision = config_.vision;
  VisionBlock block;
  block.norm1 = part.norm(Use::Norm1, vision.norm, vision.eps);
  block.norm2 = part.norm(Use::Norm2, vision.norm, vision.eps);
  block.qkv = part.linear(Use::Qkv);
  block.q_norm = part.norm_if_any(Use::QNorm, NormKind::RmsNorm, vision.qk_eps);
  block.k_norm = part.norm_if_any(Use::KNorm, NormKind::RmsNorm, vision.qk_eps);
  block.proj = part.linear(Use::Out);
  block.fc1 = part.linear(Use::Up);
  block.fc2 = part.linear(Use::Down);
  block.ls1 = part.vector(Use::Scale1);
  block.ls2 = part.vector(Use::Scale2);
  blocks_.push_back(std::move(block));
}

Matrix InternVit::hidden(int64_t pictures, Workspace& workspace) const {
  return workspace.matrix(kVitHidden, pictures * config_.vision_tokens(), config_.vision.hidden);
}

void InternVit::begin(const Matrix& pixels, Workspace& workspace, Recorder* recorder) const {
  const int64_t pictures = pixels.rows;
  const int64_t width = config_.vision.hidden;
  const PatchGeometry geometry{pictures, config_.vision.channels, config_.image_size, config_.vision.patch};
  const Matrix patches = workspace.matrix(kVitNormed, pictures * config_.grid() * config_.grid(), width);
  const Matrix x = hidden(pictures, workspace);
  backend_.patch_embed(patches, pixels, *patch_embedding_, geometry);
  backend_.add_class_and_positions(x, patches, *class_embedding_,
                                   positions_.matrix(backend_.activation_type(), config_.vision_tokens(), width), pictures);
  if (recorder != nullptr) recorder->record("vision.embeddings", backend_, x, config_.vision_tokens());
}

void InternVit::load(Adapter& adapter, const LoraTensors& tensors) const {
  for (int64_t block = 0; block < blocks(); ++block) {
    adapter.put_all(backend_, tensors, params_.of(Part::VisionBlock, block), {Use::Qkv, Use::Out, Use::Up, Use::Down});
  }
}

void InternVit::run(int64_t block, int64_t pictures, const RowAdapters& adapters, Workspace& workspace, Recorder* recorder) const {
  const Matrix x = hidden(pictures, workspace);
  run_block(block, x, pictures, adapters, workspace);
  if (recorder != nullptr) recorder->record(cat("vision.layers.", block), backend_, x, config_.vision_tokens());
}

// x (B*T, C): x += attention(norm1(x)) * ls1; x += mlp(norm2(x)) * ls2.
void InternVit::run_block(int64_t index, const Matrix& x, int64_t pictures, const RowAdapters& adapters,
                          Workspace& workspace) const {
  const VisionBlock& block = blocks_.at(static_cast<size_t>(index));
  const auto adapted = [&](Use use) { return adapters.of(Part::VisionBlock, index, use); };
  const auto qkv_adapted = adapted(Use::Qkv), proj_adapted = adapted(Use::Out), fc1_adapted = adapted(Use::Up),
             fc2_adapted = adapted(Use::Down);
  const VisionConfig& vision = config_.vision;
  const int64_t width = vision.hidden;
  const LayerInput normed{workspace.matrix(kVitNormed, x.rows, width), *block.qkv, qkv_adapted};
  backend_.norm(normed, x, block.norm1);
  const Matrix qkv = workspace.matrix(kVitWide, x.rows, 3 * width);
  backend_.matmul(qkv, normed, {});
  if (vision.qk_norm) {
    const Matrix q = qkv.col_range(0, width);
    const Matrix k = qkv.col_range(width, width);
    backend_.norm(q, q, block.q_norm);
    backend_.norm(k, k, block.k_norm);
  }
  const Matrix attended = workspace.matrix(kVitAttended, x.rows, width);
  backend_.vision_attention(attended, qkv, pictures, vision.heads, vision.head_dim());
  backend_.matmul(x, {attended, *block.proj, proj_adapted}, {Activation::None, block.ls1.get(), &x});

  const LayerInput normed_again{normed.rows, *block.fc1, fc1_adapted};
  backend_.norm(normed_again, x, block.norm2);
  const Matrix inner = workspace.matrix(kVitWide, x.rows, vision.mlp);
  backend_.matmul(inner, normed_again, {Activation::Gelu, nullptr, nullptr});
  backend_.matmul(x, {inner, *block.fc2, fc2_adapted}, {Activation::None, block.ls2.get(), &x});
}

int64_t InternVit::workspace_bytes(const ModelConfig& config, int64_t pictures, DType activation) {
  const VisionConfig& vision = config.vision;
  const int64_t wide = std::max(3 * vision.hidden, vision.mlp);
  const int64_t per_token = 3 * vision.hidden + wide;
  return pictures * config.vision_tokens() * per_token * static_cast<int64_t>(size_of(activation));
}

}  // namespace ivl
