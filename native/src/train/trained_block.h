// A block of the vision tower on the way there and back.
#pragma once

#include <span>

#include "train/trained_norm.h"

namespace ivl {

class TrainedBlock {
 public:
  TrainedBlock(TrainingSpace& space, const ModelConfig& config, const PartLoader& loader, std::span<const Param> part);

  // out = the block's result for in, both (pictures * tokens, hidden). `tape` receives what backward() reads.
  void forward(const Matrix& out, const Matrix& in, std::span<const Sequence> pictures, Workspace& tape) const;
  // d is the gradient of the result and becomes that of the input, unless nobody wants it: it is then lost.
  void backward(const Matrix& d, const Matrix& in, std::span<const Sequence> pictures, Workspace& tape, bool wants_input) const;

  static int64_t tape_numbers(const VisionConfig& vision);
  static int64_t scratch_numbers(const VisionConfig& vision);

 private:
  // InternViT's factor of each column of a branch, before it is added.
  class Scale {
   public:
    Scale(TrainingSpace& space, const PartLoader& loader, std::span<const Param> part, Use use);
    // out = in + factors * branch.
    void forward(const Matrix& out, const Matrix& in, const Matrix& branch) const;
    // d_branch for d of out.
    void backward(const Matrix& d_branch, const Matrix& d, const Matrix& branch) const;

   private:
    TrainingSpace& space_;
    std::unique_ptr<VectorWeights> factors_;
    Parameter* learns_ = nullptr;
  };

  struct Tape;
  Tape tape_of(Workspace& tape, int64_t rows) const;
  void attention_back(const Matrix& d, const Matrix& in, std::span<const Sequence> pictures, const Tape& tape,
                      bool wants_input) const;

  TrainingSpace& space_;
  const VisionConfig& vision_;
  TrainedNorm norm1_, norm2_;
  std::optional<TrainedNorm> q_norm_, k_norm_;  // over all heads together
  TrainedLinear qkv_, proj_, fc1_, fc2_;
  Scale scale1_, scale2_;
};

}  // namespace ivl
