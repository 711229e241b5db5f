#include "train/trained_embeddings.h"

#include "model/position_interpolation.h"

namespace ivl {
namespace {

enum EmbeddingSlot : size_t { kPatches, kUnfolded, kPositionGradient };

Parameter* learns(const TrainingSpace& space, std::span<const Param> part, Use use, Role role) {
  for (const Param& param : part) {
    if (param.use == use && param.role == role) return space.parameters.find(param.name);
  }
  return nullptr;
}

}  // namespace

TrainedEmbeddings::TrainedEmbeddings(TrainingSpace& space, const ModelConfig& config, const ParamTable& params,
                                     WeightSource& source, const Precision& precision)
    : space_(space), config_(config), scratch_(space.backend) {
  const std::span<const Param> part = params.of(Part::VisionEmbeddings);
  const PartLoader loader(space.backend, source, part, precision);
  patches_ = loader.linear(Use::Patches);
  class_token_ = loader.vector(Use::ClassToken);
  const std::vector<float> positions =
      positions_for_grid(loader.widened(Use::Positions), config.vision.trained_grid(), config.grid(), config.vision.hidden);
  positions_ = space.backend.allocate(positions.size() * sizeof(float));
  space.backend.from_host(positions_.matrix(DType::F32, config.vision_tokens(), config.vision.hidden), positions.data());
  patch_weight_ = learns(space, part, Use::Patches, Role::Linear);
  patch_bias_ = learns(space, part, Use::Patches, Role::Vector);
  class_parameter_ = learns(space, part, Use::ClassToken, Role::Vector);
  position_parameter_ = learns(space, part, Use::Positions, Role::Vector);
}

PatchGeometry TrainedEmbeddings::geometry(int64_t pictures) const {
  return {pictures, config_.vision.channels, config_.image_size, config_.vision.patch};
}

void TrainedEmbeddings::forward(const Matrix& out, const Matrix& pixels) {
  const int64_t patches = config_.grid() * config_.grid(), width = config_.vision.hidden;
  const Matrix rows = scratch_.matrix(kPatches, pixels.rows * patches, width);
  space_.backend.patch_embed(rows, pixels, *patches_, geometry(pixels.rows));
  space_.backend.add_class_and_positions(out, rows, *class_token_, positions_.matrix(DType::F32, config_.vision_tokens(), width),
                                         pixels.rows);
}

void TrainedEmbeddings::backward(const Matrix& d, const Matrix& pixels) {
  const int64_t tokens = config_.vision_tokens(), patches = tokens - 1;
  Gradients& gradients = space_.gradients;
  const int64_t inputs = config_.vision.channels * config_.vision.patch * config_.vision.patch;
  const Matrix unfolded = scratch_.matrix(kUnfolded, pixels.rows * patches, inputs);
  gradients.unfold_patches(unfolded, pixels, geometry(pixels.rows));
  for (int64_t picture = 0; picture < pixels.rows; ++picture) {
    const Matrix d_patches = d.row_range(picture * tokens + 1, patches);
    gradients.product_weight(patch_weight_->gradient(), d_patches, unfolded.row_range(picture * patches, patches));
    gradients.sum_rows(patch_bias_->gradient(), d_patches);
    gradients.sum_rows(class_parameter_->gradient(), d.row_range(picture * tokens, 1));
  }
  back_to_positions(d, pixels.rows);
}

void TrainedEmbeddings::back_to_positions(const Matrix& d, int64_t pictures) {
  const int64_t tokens = config_.vision_tokens(), width = config_.vision.hidden;
  const int64_t trained = config_.vision.trained_grid();
  if (trained == config_.grid()) {
    for (int64_t picture = 0; picture < pictures; ++picture) {
      space_.gradients.add(position_parameter_->gradient(), d.row_range(picture * tokens, tokens));
    }
    return;
  }
  const Matrix sum = scratch_.matrix(kPositionGradient, tokens, width);
  space_.gradients.clear(sum);
  for (int64_t picture = 0; picture < pictures; ++picture) space_.gradients.add(sum, d.row_range(picture * tokens, tokens));
  std::vector<float> host(static_cast<size_t>(tokens * width));
  space_.backend.to_host(host.data(), sum);
  const std::vector<float> back = positions_back(host, trained, config_.grid(), width);
  const Matrix of_trained = scratch_.matrix(kPositionGradient, 1 + trained * trained, width);
  space_.backend.from_host(of_trained, back.data());
  space_.gradients.add(position_parameter_->gradient(), of_trained);
}

}  // namespace ivl
