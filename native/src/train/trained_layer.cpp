#include "train/trained_layer.h"

namespace ivl {
namespace {

enum TapeSlot : size_t { kNormed, kRaw, kQkv, kLogSums, kAttended, kMiddle, kNormedAgain, kGateUp, kInner };
enum ScratchSlot : size_t { kInnerGradient, kGateUpGradient, kNormedGradient, kQkvGradient, kAttendedGradient };

std::vector<Sequence> sequences_of(std::span<const TurnedSequence> samples) {
  std::vector<Sequence> sequences;
  for (const TurnedSequence& sample : samples) sequences.push_back(sample.sequence);
  return sequences;
}

AttentionShape shape_of(const LanguageConfig& language) { return {language.heads, language.kv_heads, language.head_dim, true}; }

}  // namespace

struct TrainedLayer::Tape {
  Matrix normed;
  Matrix raw;  // queries, keys and values before the norms of heads; without such it is qkv
  Matrix qkv, log_sums, attended;
  Matrix middle;  // in + attention
  Matrix normed_again, gate_up, inner;
};

TrainedLayer::TrainedLayer(TrainingSpace& space, const ModelConfig& config, const PartLoader& loader, std::span<const Param> part)
    : space_(space),
      language_(config.language),
      input_norm_(space, loader, part, Use::Norm1, NormKind::RmsNorm, config.language.rms_eps),
      post_attention_norm_(space, loader, part, Use::Norm2, NormKind::RmsNorm, config.language.rms_eps),
      q_norm_(norm_if(config.language.plan.qk_norm, space, loader, part, Use::QNorm, config.language.rms_eps)),
      k_norm_(norm_if(config.language.plan.qk_norm, space, loader, part, Use::KNorm, config.language.rms_eps)),
      qkv_(space, loader, part, Use::Qkv),
      o_(space, loader, part, Use::Out),
      gate_up_(space, loader, part, Use::Up),
      down_(space, loader, part, Use::Down) {}

TrainedLayer::Tape TrainedLayer::tape_of(Workspace& tape, int64_t rows) const {
  const int64_t hidden = language_.hidden, columns = shape_of(language_).columns();
  const Matrix qkv = tape.matrix(kQkv, rows, columns);
  return {tape.matrix(kNormed, rows, hidden),
          q_norm_ ? tape.matrix(kRaw, rows, columns) : qkv,
          qkv,
          tape.matrix(kLogSums, rows, language_.heads),
          tape.matrix(kAttended, rows, language_.heads * language_.head_dim),
          tape.matrix(kMiddle, rows, hidden),
          tape.matrix(kNormedAgain, rows, hidden),
          tape.matrix(kGateUp, rows, 2 * language_.mlp),
          tape.matrix(kInner, rows, language_.mlp)};
}

int64_t TrainedLayer::tape_numbers(const LanguageConfig& language) {
  const int64_t columns = shape_of(language).columns();
  return 3 * language.hidden + (language.plan.qk_norm ? 2 : 1) * columns + language.heads + language.heads * language.head_dim +
         3 * language.mlp;
}

int64_t TrainedLayer::scratch_numbers(const LanguageConfig& language) {
  return 3 * language.mlp + language.hidden + shape_of(language).columns() + language.heads * language.head_dim;
}

// Queries and keys lie together. A sample's rows turn by its own rows of the table.
void TrainedLayer::turn(const Matrix& qkv, std::span<const TurnedSequence> samples, const Matrix& rope, bool backwards) const {
  const int64_t heads = language_.heads + language_.kv_heads;
  const Matrix turned = qkv.col_range(0, heads * language_.head_dim);
  for (const TurnedSequence& sample : samples) {
    const Matrix rows = rope.row_range(sample.rope_begin, sample.sequence.rows);
    space_.gradients.turn(turned, {&sample.sequence, 1}, heads, language_.head_dim, rows, backwards);
  }
}

void TrainedLayer::norm_heads(const Tape& tape) const {
  space_.backend.copy(tape.qkv, tape.raw);
  const int64_t dim = language_.head_dim;
  for (int64_t head = 0; head < language_.heads + language_.kv_heads; ++head) {
    const TrainedNorm& norm = head < language_.heads ? *q_norm_ : *k_norm_;
    norm.forward(tape.qkv.col_range(head * dim, dim), tape.raw.col_range(head * dim, dim));
  }
}

void TrainedLayer::norm_heads_back(const Matrix& d_qkv, const Tape& tape) const {
  const int64_t dim = language_.head_dim;
  for (int64_t head = 0; head < language_.heads + language_.kv_heads; ++head) {
    const TrainedNorm& norm = head < language_.heads ? *q_norm_ : *k_norm_;
    const Matrix d = d_qkv.col_range(head * dim, dim);
    norm.backward(d, d, tape.raw.col_range(head * dim, dim), false);
  }
}

void TrainedLayer::forward(const Matrix* out, const Matrix& in, std::span<const TurnedSequence> samples, const Matrix& rope,
                           Workspace& workspace) const {
  Gradients& gradients = space_.gradients;
  const Tape tape = tape_of(workspace, in.rows);
  input_norm_.forward(tape.normed, in);
  qkv_.forward(tape.raw, tape.normed);
  if (q_norm_) norm_heads(tape);
  turn(tape.qkv, samples, rope, false);
  gradients.attend(tape.attended, tape.log_sums, tape.qkv, sequences_of(samples), shape_of(language_));
  o_.forward(tape.middle, tape.attended, {Activation::None, nullptr, &in});
  post_attention_norm_.forward(tape.normed_again, tape.middle);
  gate_up_.forward(tape.gate_up, tape.normed_again);
  gradients.activate(tape.inner, tape.gate_up, Activation::SwiGlu);
  if (out != nullptr) down_.forward(*out, tape.inner, {Activation::None, nullptr, &tape.middle});
}

void TrainedLayer::backward(const Matrix& d, const Matrix& in, std::span<const TurnedSequence> samples, const Matrix& rope,
                            Workspace& workspace, bool wants_input) const {
  const Tape tape = tape_of(workspace, in.rows);
  const Matrix d_inner = space_.scratch.matrix(kInnerGradient, in.rows, language_.mlp);
  const Matrix d_gate_up = space_.scratch.matrix(kGateUpGradient, in.rows, 2 * language_.mlp);
  const Matrix d_normed = space_.scratch.matrix(kNormedGradient, in.rows, language_.hidden);
  down_.backward(&d_inner, d, tape.inner);
  space_.gradients.activate_back(d_gate_up, tape.gate_up, d_inner, Activation::SwiGlu);
  gate_up_.backward(&d_normed, d_gate_up, tape.normed_again);
  post_attention_norm_.backward(d, d_normed, tape.middle, true);
  attention_back(d, in, samples, rope, tape, wants_input);
}

// d is the gradient of `middle`.
void TrainedLayer::attention_back(const Matrix& d, const Matrix& in, std::span<const TurnedSequence> samples, const Matrix& rope,
                                  const Tape& tape, bool wants_input) const {
  const Matrix d_attended = space_.scratch.matrix(kAttendedGradient, in.rows, tape.attended.cols);
  const Matrix d_qkv = space_.scratch.matrix(kQkvGradient, in.rows, tape.qkv.cols);
  const Matrix d_normed = space_.scratch.matrix(kNormedGradient, in.rows, language_.hidden);
  o_.backward(&d_attended, d, tape.attended);
  space_.gradients.attend_back(d_qkv, d_attended, tape.attended, tape.log_sums, tape.qkv, sequences_of(samples),
                               shape_of(language_));
  turn(d_qkv, samples, rope, true);
  if (q_norm_) norm_heads_back(d_qkv, tape);
  qkv_.backward(wants_input ? &d_normed : nullptr, d_qkv, tape.normed);
  if (wants_input) input_norm_.backward(d, d_normed, in, true);
}

}  // namespace ivl
