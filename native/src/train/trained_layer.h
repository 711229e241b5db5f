// A layer of the decoder on the way there and back.
#pragma once

#include <span>

#include "train/trained_linear.h"
#include "train/trained_norm.h"

namespace ivl {

// Which rows of a pass are which samples, and by which rows of the table of rotations each turns.
struct TurnedSequence {
  Sequence sequence;
  int64_t rope_begin = 0;
};

class TrainedLayer {
 public:
  TrainedLayer(TrainingSpace& space, const ModelConfig& config, const PartLoader& loader, std::span<const Param> part);

  // out = the layer's result for in, both (rows, hidden). `tape` receives what backward() reads. Without out the last product is left out.
  void forward(const Matrix* out, const Matrix& in, std::span<const TurnedSequence> samples, const Matrix& rope,
               Workspace& tape) const;
  // d is the gradient of the result and becomes that of the input, unless nobody wants it: it is then lost.
  void backward(const Matrix& d, const Matrix& in, std::span<const TurnedSequence> samples, const Matrix& rope, Workspace& tape,
                bool wants_input) const;

  // Numbers on the tape, and in scratch, for each row.
  static int64_t tape_numbers(const LanguageConfig& language);
  static int64_t scratch_numbers(const LanguageConfig& language);

 private:
  struct Tape;  // its matrices
  Tape tape_of(Workspace& tape, int64_t rows) const;
  void turn(const Matrix& qkv, std::span<const TurnedSequence> samples, const Matrix& rope, bool backwards) const;
  void norm_heads(const Tape& tape) const;
  void norm_heads_back(const Matrix& d_qkv, const Tape& tape) const;
  void attention_back(const Matrix& d, const Matrix& in, std::span<const TurnedSequence> samples, const Matrix& rope,
                      const Tape& tape, bool wants_input) const;

  TrainingSpace& space_;
  const LanguageConfig& language_;
  TrainedNorm input_norm_, post_attention_norm_;
  std::optional<TrainedNorm> q_norm_, k_norm_;  // of each head
  TrainedLinear qkv_, o_, gate_up_, down_;
};

}  // namespace ivl
