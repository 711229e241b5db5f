#include "train/trained_block.h"

namespace ivl {
namespace {

enum BlockSlot : size_t {
  kBlockNormed,
  kBlockRaw,
  kBlockQkv,
  kBlockLogSums,
  kBlockAttended,
  kBranch1,
  kBlockMiddle,
  kNormed2,
  kBeforeGelu,
  kBehindGelu,
  kBranch2
};
enum BlockScratch : size_t { kBranchGradient, kGeluGradient, kBlockNormedGradient, kBlockQkvGradient, kBlockAttendedGradient };

AttentionShape shape_of(const VisionConfig& vision) { return {vision.heads, vision.heads, vision.head_dim(), false}; }

}  // namespace

TrainedBlock::Scale::Scale(TrainingSpace& space, const PartLoader& loader, std::span<const Param> part, Use use)
    : space_(space), factors_(loader.vector(use)) {
  for (const Param& param : part) {
    if (param.use == use) learns_ = space.parameters.find(param.name);
  }
}

void TrainedBlock::Scale::forward(const Matrix& out, const Matrix& in, const Matrix& branch) const {
  space_.gradients.scale_columns(out, branch, *factors_);
  space_.gradients.add(out, in);
}

void TrainedBlock::Scale::backward(const Matrix& d_branch, const Matrix& d, const Matrix& branch) const {
  if (learns_ != nullptr) space_.gradients.sum_products(learns_->gradient(), d, branch);
  space_.gradients.scale_columns(d_branch, d, *factors_);
}

struct TrainedBlock::Tape {
  Matrix normed;
  Matrix raw;  // queries, keys and values before their norms; without such it is qkv
  Matrix qkv, log_sums, attended, branch1;
  Matrix middle;  // in + attention
  Matrix normed2, before_gelu, behind_gelu, branch2;
};

TrainedBlock::TrainedBlock(TrainingSpace& space, const ModelConfig& config, const PartLoader& loader, std::span<const Param> part)
    : space_(space),
      vision_(config.vision),
      norm1_(space, loader, part, Use::Norm1, config.vision.norm, config.vision.eps),
      norm2_(space, loader, part, Use::Norm2, config.vision.norm, config.vision.eps),
      q_norm_(norm_if(config.vision.qk_norm, space, loader, part, Use::QNorm, config.vision.qk_eps)),
      k_norm_(norm_if(config.vision.qk_norm, space, loader, part, Use::KNorm, config.vision.qk_eps)),
      qkv_(space, loader, part, Use::Qkv),
      proj_(space, loader, part, Use::Out),
      fc1_(space, loader, part, Use::Up),
      fc2_(space, loader, part, Use::Down),
      scale1_(space, loader, part, Use::Scale1),
      scale2_(space, loader, part, Use::Scale2) {}

TrainedBlock::Tape TrainedBlock::tape_of(Workspace& tape, int64_t rows) const {
  const int64_t width = vision_.hidden;
  const Matrix qkv = tape.matrix(kBlockQkv, rows, 3 * width);
  return {tape.matrix(kBlockNormed, rows, width),
          q_norm_ ? tape.matrix(kBlockRaw, rows, 3 * width) : qkv,
          qkv,
          tape.matrix(kBlockLogSums, rows, vision_.heads),
          tape.matrix(kBlockAttended, rows, width),
          tape.matrix(kBranch1, rows, width),
          tape.matrix(kBlockMiddle, rows, width),
          tape.matrix(kNormed2, rows, width),
          tape.matrix(kBeforeGelu, rows, vision_.mlp),
          tape.matrix(kBehindGelu, rows, vision_.mlp),
          tape.matrix(kBranch2, rows, width)};
}

int64_t TrainedBlock::tape_numbers(const VisionConfig& vision) {
  return (vision.qk_norm ? 12 : 9) * vision.hidden + vision.heads + 2 * vision.mlp;
}

int64_t TrainedBlock::scratch_numbers(const VisionConfig& vision) { return 6 * vision.hidden + vision.mlp; }

void TrainedBlock::forward(const Matrix& out, const Matrix& in, std::span<const Sequence> pictures, Workspace& workspace) const {
  const Tape tape = tape_of(workspace, in.rows);
  const int64_t width = vision_.hidden;
  norm1_.forward(tape.normed, in);
  qkv_.forward(tape.raw, tape.normed);
  if (q_norm_) {
    space_.backend.copy(tape.qkv, tape.raw);
    q_norm_->forward(tape.qkv.col_range(0, width), tape.raw.col_range(0, width));
    k_norm_->forward(tape.qkv.col_range(width, width), tape.raw.col_range(width, width));
  }
  space_.gradients.attend(tape.attended, tape.log_sums, tape.qkv, pictures, shape_of(vision_));
  proj_.forward(tape.branch1, tape.attended);
  scale1_.forward(tape.middle, in, tape.branch1);
  norm2_.forward(tape.normed2, tape.middle);
  fc1_.forward(tape.before_gelu, tape.normed2);
  space_.gradients.activate(tape.behind_gelu, tape.before_gelu, Activation::Gelu);
  fc2_.forward(tape.branch2, tape.behind_gelu);
  scale2_.forward(out, tape.middle, tape.branch2);
}

void TrainedBlock::backward(const Matrix& d, const Matrix& in, std::span<const Sequence> pictures, Workspace& workspace,
                            bool wants_input) const {
  const Tape tape = tape_of(workspace, in.rows);
  const Matrix d_branch = space_.scratch.matrix(kBranchGradient, in.rows, vision_.hidden);
  const Matrix d_gelu = space_.scratch.matrix(kGeluGradient, in.rows, vision_.mlp);
  const Matrix d_normed = space_.scratch.matrix(kBlockNormedGradient, in.rows, vision_.hidden);
  scale2_.backward(d_branch, d, tape.branch2);
  fc2_.backward(&d_gelu, d_branch, tape.behind_gelu);
  space_.gradients.activate_back(d_gelu, tape.before_gelu, d_gelu, Activation::Gelu);
  fc1_.backward(&d_normed, d_gelu, tape.normed2);
  norm2_.backward(d, d_normed, tape.middle, true);
  attention_back(d, in, pictures, tape, wants_input);
}

// d is the gradient of `middle`.
void TrainedBlock::attention_back(const Matrix& d, const Matrix& in, std::span<const Sequence> pictures, const Tape& tape,
                                  bool wants_input) const {
  const int64_t width = vision_.hidden;
  const Matrix d_branch = space_.scratch.matrix(kBranchGradient, in.rows, width);
  const Matrix d_attended = space_.scratch.matrix(kBlockAttendedGradient, in.rows, width);
  const Matrix d_qkv = space_.scratch.matrix(kBlockQkvGradient, in.rows, 3 * width);
  const Matrix d_normed = space_.scratch.matrix(kBlockNormedGradient, in.rows, width);
  scale1_.backward(d_branch, d, tape.branch1);
  proj_.backward(&d_attended, d_branch, tape.attended);
  space_.gradients.attend_back(d_qkv, d_attended, tape.attended, tape.log_sums, tape.qkv, pictures, shape_of(vision_));
  if (q_norm_) {
    const Matrix d_q = d_qkv.col_range(0, width), d_k = d_qkv.col_range(width, width);
    q_norm_->backward(d_q, d_q, tape.raw.col_range(0, width), false);
    k_norm_->backward(d_k, d_k, tape.raw.col_range(width, width), false);
  }
  qkv_.backward(wants_input ? &d_normed : nullptr, d_qkv, tape.normed);
  if (wants_input) norm1_.backward(d, d_normed, in, true);
}

}  // namespace ivl
