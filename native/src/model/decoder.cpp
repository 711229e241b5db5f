#include "model/decoder.h"

#include "model/load_weights.h"
#include "model/rope.h"

namespace ivl {
namespace {

void record_input(Recorder* recorder, Use use, Backend& backend, const LayerInput& input) {
  if (recorder != nullptr) recorder->record_input(use, backend, input.rows);
}

enum DecoderSlot : size_t {
  kDecoderHidden,
  kDecoderNormed,
  kDecoderQkv,
  kDecoderAttended,
  kDecoderInner,
  kDecoderPicked,
  kDecoderPickedAttended,
  kDecoderRoutes
};

}  // namespace

Decoder::Decoder(const Placement& placement, const ModelConfig& config, const ParamTable& params, KvType cache)
    : config_(config), params_(params), logits_(placement.decoder.back().backend, config.language.vocab) {
  int64_t layers = 0;
  for (const Placement::Stage& stage : placement.decoder) {
    kv_shapes_.push_back(kv_shape(config.language, stage.layers, cache));
    stages_.emplace_back(stage.backend, layers);
    layers += stage.layers;
  }
  require(layers == config.language.layers, "the placement has a place for each layer");
}

// The head, which is larger than a layer, before the layers: while it is quantized it is in memory twice.
void Decoder::load_part(int64_t part, WeightSource& source, const Precision& precision) {
  if (part == 0) {
    load_embeddings(source, precision);
  } else if (part == 1) {
    load_head(source, precision);
  } else {
    load_layer(part - 2, source, precision);
  }
}

void Decoder::load_embeddings(WeightSource& source, const Precision& precision) {
  embeddings_ = PartLoader(*stages_.front().backend, source, params_.of(Part::Tokens), precision).table(Use::Tokens);
}

void Decoder::load_rope(Stage& stage) const {
  const LanguageConfig& language = config_.language;
  const std::vector<float> rope = rope_table(language.rope, language.context, language.head_dim);
  stage.rope = stage.backend->allocate(rope.size() * sizeof(float));
  stage.backend->from_host(rope_of(stage), rope.data());
}

Matrix Decoder::rope_of(const Stage& stage) const {
  const LanguageConfig& language = config_.language;
  return stage.rope.matrix(DType::F32, rope_rows(language.rope, language.context), language.head_dim);
}

void Decoder::load_layer(int64_t index, WeightSource& source, const Precision& precision) {
  size_t at = 0;
  while (static_cast<int64_t>(stages_[at].layers.size()) == kv_shapes_[at].layers) ++at;
  Stage& stage = stages_[at];
  Backend& backend = *stage.backend;
  if (stage.layers.empty()) load_rope(stage);

  const PartLoader part(backend, source, params_.of(Part::DecoderLayer, index), precision);
  const float eps = config_.language.rms_eps;
  DecoderLayer layer;
  layer.input_norm = part.norm(Use::Norm1, NormKind::RmsNorm, eps);
  layer.post_attention_norm = part.norm(Use::Norm2, NormKind::RmsNorm, eps);
  layer.qkv = part.linear(Use::Qkv);
  layer.q_norm = part.norm_if_any(Use::QNorm, NormKind::RmsNorm, eps);
  layer.k_norm = part.norm_if_any(Use::KNorm, NormKind::RmsNorm, eps);
  layer.o = part.linear(Use::Out);
  if (config_.language.has_experts(index)) {
    layer.router = part.linear(Use::Router);
    layer.experts = part.experts(config_.language.experts.count);
  } else {
    layer.gate_up = part.linear(Use::Up);
    layer.down = part.linear(Use::Down);
  }
  stage.layers.push_back(std::move(layer));
}

void Decoder::load_head(WeightSource& source, const Precision& precision) {
  const PartLoader part(*stages_.back().backend, source, params_.of(Part::Head), precision);
  norm_ = part.norm(Use::Norm1, NormKind::RmsNorm, config_.language.rms_eps);
  head_ = part.linear(Use::Logits);
}

void Decoder::load(Adapter& adapter, const LoraTensors& tensors) const {
  for (const Stage& stage : stages_) {
    const auto count = static_cast<int64_t>(stage.layers.size());
    for (int64_t layer = stage.first_layer; layer < stage.first_layer + count; ++layer) {
      adapter.put_all(*stage.backend, tensors, params_.of(Part::DecoderLayer, layer), {Use::Qkv, Use::Out, Use::Up, Use::Down});
    }
  }
  adapter.put_all(*stages_.back().backend, tensors, params_.of(Part::Head), {Use::Logits});
}

Matrix Decoder::hidden_in(Stage& stage, int64_t rows) const {
  return stage.space.matrix(kDecoderHidden, rows, config_.language.hidden);
}

Matrix Decoder::attended_in(Stage& stage, int64_t rows) const {
  return stage.space.matrix(kDecoderAttended, rows, config_.language.heads * config_.language.head_dim);
}

// Keys and values of x's rows go into the caches; attended becomes attention's result for them.
void Decoder::attend(size_t at, int64_t index, const Output& attended, const Matrix& x, const Rows& rows) {
  Stage& stage = stages_[at];
  Backend& backend = *stage.backend;
  const KvShape& kv = kv_shapes_[at];
  const DecoderLayer& layer = stage.layers[static_cast<size_t>(index)];
  const LanguageConfig& language = config_.language;
  const std::vector<AdaptedRows> adapted = rows.adapters.of(Part::DecoderLayer, stage.first_layer + index, Use::Qkv);
  const LayerInput normed{stage.space.matrix(kDecoderNormed, x.rows, x.cols), *layer.qkv, adapted};
  backend.norm(normed, x, layer.input_norm);
  record_input(rows.recorder, Use::Qkv, backend, normed);
  const Matrix qkv = stage.space.matrix(kDecoderQkv, x.rows, layer.qkv->out_features);
  const bool normalizes = config_.language.plan.qk_norm;
  const HeadNorms norms = normalizes ? HeadNorms{&layer.q_norm, &layer.k_norm} : HeadNorms{};
  backend.project_qkv(qkv, normed, norms, rope_of(stage), rows.spans, language.heads, kv, index);
  backend.cached_attention(attended, qkv, rows.spans, language.heads, kv, index);
}

// x += down(silu(gate) * up)(norm(x)).
void Decoder::feed_forward(Stage& stage, int64_t index, const Matrix& x, const Rows& rows) {
  Backend& backend = *stage.backend;
  const DecoderLayer& layer = stage.layers[static_cast<size_t>(index)];
  const std::vector<AdaptedRows> up = rows.adapters.of(Part::DecoderLayer, stage.first_layer + index, Use::Up);
  const std::vector<AdaptedRows> down = rows.adapters.of(Part::DecoderLayer, stage.first_layer + index, Use::Down);
  const LayerInput normed{stage.space.matrix(kDecoderNormed, x.rows, x.cols), *layer.gate_up, up};
  backend.norm(normed, x, layer.post_attention_norm);
  record_input(rows.recorder, Use::Up, backend, normed);
  const LayerInput inner{stage.space.matrix(kDecoderInner, x.rows, config_.language.mlp), *layer.down, down};
  backend.matmul(inner, normed, {Activation::SwiGlu, nullptr, nullptr});
  record_input(rows.recorder, Use::Down, backend, inner);
  backend.matmul(x, inner, {Activation::None, nullptr, &x});
}

// x += the mixed results of the experts that the router chooses for norm(x).
void Decoder::mix_experts(Stage& stage, const DecoderLayer& layer, const Matrix& x) {
  Backend& backend = *stage.backend;
  const Experts& experts = config_.language.experts;
  const Matrix normed = stage.space.matrix(kDecoderNormed, x.rows, x.cols);
  backend.norm(normed, x, layer.post_attention_norm);
  const Matrix routes = stage.space.matrix(kDecoderRoutes, x.rows, 2 * experts.per_token, DType::F32);
  backend.route(routes, normed, *layer.router, experts.normalizes);
  backend.mix_experts(x, normed, routes, *layer.experts);
}

// What a layer does with each row by itself: x += o(attended), then what follows the second norm.
void Decoder::finish_layer(Stage& stage, int64_t index, const Matrix& x, const LayerInput& attended, const Rows& rows) {
  const DecoderLayer& layer = stage.layers[static_cast<size_t>(index)];
  record_input(rows.recorder, Use::Out, *stage.backend, attended);
  stage.backend->matmul(x, attended, {Activation::None, nullptr, &x});
  layer.experts == nullptr ? feed_forward(stage, index, x, rows) : mix_experts(stage, layer, x);
}

void Decoder::run_layer(size_t at, int64_t index, const Matrix& x, const Rows& rows) {
  Stage& stage = stages_[at];
  const std::vector<AdaptedRows> adapted = rows.adapters.of(Part::DecoderLayer, stage.first_layer + index, Use::Out);
  const LayerInput attended{attended_in(stage, x.rows), *stage.layers[static_cast<size_t>(index)].o, adapted};
  attend(at, index, attended, x, rows);
  finish_layer(stage, index, x, attended, rows);
}

// Of the last layer's results only the rows whose logits are wanted are read: the others stop at their keys and values. The adapters are
// those rows'.
Matrix Decoder::run_last_layer(size_t at, int64_t index, const Matrix& x, const Rows& rows, std::span<const int32_t> wanted,
                               const RowAdapters& adapters) {
  Stage& stage = stages_[at];
  const Matrix all = attended_in(stage, x.rows);
  attend(at, index, all, x, rows);
  const auto count = static_cast<int64_t>(wanted.size());
  const Matrix picked = stage.space.matrix(kDecoderPicked, count, x.cols);
  if (count == 0) return picked;  // a piece of a prompt
  const std::vector<AdaptedRows> adapted = adapters.of(Part::DecoderLayer, stage.first_layer + index, Use::Out);
  const LayerInput attended{stage.space.matrix(kDecoderPickedAttended, count, all.cols),
                            *stage.layers[static_cast<size_t>(index)].o, adapted};
  stage.backend->gather_rows(picked, x, wanted);
  stage.backend->gather_rows(attended.rows, all, wanted);
  finish_layer(stage, index, picked, attended, {rows.spans, adapters, rows.recorder});
  return picked;
}

// x (logit rows, C), normed in place.
void Decoder::run_head(const Matrix& logits, const Matrix& x, const RowAdapters& adapters, Recorder* recorder) {
  if (logits.rows == 0) return;
  Backend& backend = *stages_.back().backend;
  const std::vector<AdaptedRows> adapted = adapters.of(Part::Head, 0, Use::Logits);
  const LayerInput normed{x, *head_, adapted};
  backend.norm(normed, x, norm_);
  backend.matmul(logits, normed, {});
  if (recorder != nullptr) {
    recorder->record("decoder.norm", backend, x, 0);
    recorder->record("logits", backend, logits, 0);
  }
}

std::vector<Span> Decoder::spans_of(const DecoderBatch& batch, size_t at) const {
  const LanguageConfig& language = config_.language;
  std::vector<Span> spans;
  for (const SequenceSpan& span : batch.spans) {
    const int64_t begin = rope_begin(language.rope, language.context, span.prompt, span.past, span.rows);
    spans.push_back({span.row, span.rows, span.past, span.blocks[at], begin});
  }
  return spans;
}

// All of a pass that one backend does.
void Decoder::run_stage(size_t at, const DecoderBatch& batch, const RowAdapters& adapters, const Matrix& logits, Recorder* recorder,
                        const Cancellation& cancel) {
  Stage& stage = stages_[at];
  const Matrix x = hidden_in(stage, static_cast<int64_t>(batch.ids.size()));
  if (at == 0) {
    stage.backend->embed(x, *embeddings_, batch.ids, batch.splices);
    if (recorder != nullptr) recorder->record("decoder.embeddings", *stage.backend, x, 0);
  }
  const std::vector<Span> spans = spans_of(batch, at);
  const Rows rows{spans, adapters, recorder};
  // A recorder wants all rows of all layers.
  const bool last = at + 1 == stages_.size();
  const bool picks_early = last && recorder == nullptr && logits.rows < x.rows;
  const int64_t whole = kv_shapes_[at].layers - (picks_early ? 1 : 0);
  for (int64_t i = 0; i < whole; ++i) {
    cancel.check();
    run_layer(at, i, x, rows);
    if (recorder != nullptr) recorder->record(cat("decoder.layers.", stage.first_layer + i), *stage.backend, x, 0);
  }
  if (!last) return;
  cancel.check();
  const RowAdapters wanted = adapters.gathered(batch.logit_rows);
  if (picks_early) return run_head(logits, run_last_layer(at, whole, x, rows, batch.logit_rows, wanted), wanted, recorder);
  const Matrix picked = stage.space.matrix(kDecoderPicked, logits.rows, x.cols);
  if (logits.rows > 0) stage.backend->gather_rows(picked, x, batch.logit_rows);
  run_head(logits, picked, wanted, recorder);
}

Logits Decoder::forward(const DecoderBatch& batch, Recorder* recorder, const Cancellation& cancel) {
  const auto rows = static_cast<int64_t>(batch.ids.size());
  const bool step = recorder == nullptr && batch.ids.size() == batch.spans.size();  // one more token for each sequence
  const Logits logits = logits_.take(static_cast<int64_t>(batch.logit_rows.size()));
  RowAdapters adapters;
  for (const SequenceSpan& span : batch.spans) adapters.add(span.row, span.rows, span.adapters);
  for (size_t at = 0; at < stages_.size(); ++at) {
    Stage& stage = stages_[at];
    if (at > 0) stage.backend->receive(hidden_in(stage, rows), hidden_in(stages_[at - 1], rows), *stages_[at - 1].backend);
    const auto pass = [&] { run_stage(at, batch, adapters, logits.matrix, recorder, cancel); };
    step ? stage.backend->repeat(pass) : pass();
  }
  return logits;
}

int64_t Decoder::workspace_bytes(const ModelConfig& config, int64_t rows, int64_t logit_rows, DType activation) {
  const LanguageConfig& language = config.language;
  const int64_t attention = language.head_dim * (2 * language.heads + 2 * language.kv_heads);
  const int64_t inner = language.has_dense_layers() ? language.mlp : 0;
  const int64_t per_row = 2 * language.hidden + attention + inner;
  const int64_t per_logit_row = (language.hidden + language.heads * language.head_dim) * static_cast<int64_t>(size_of(activation)) +
                                language.vocab * static_cast<int64_t>(sizeof(float));
  // Of rows gathered by expert the inner and the last results, and what a router gives.
  const Experts& experts = language.experts;
  const int64_t routed = experts.per_token * (experts.width * static_cast<int64_t>(size_of(activation)) +
                                              (language.hidden + 2) * static_cast<int64_t>(sizeof(float))) +
                         experts.count * static_cast<int64_t>(sizeof(float));
  return rows * (per_row * static_cast<int64_t>(size_of(activation)) + routed) + logit_rows * per_logit_row;
}

}  // namespace ivl
