#include "model/llama_decoder.h"

#include <cmath>

#include "model/load_weights.h"

namespace ivl {
namespace {

enum Slot : size_t { kHidden, kNormed, kQkv, kAttended, kInner, kPicked, kLogits };

// Su et al., "RoFormer" (2021), as transformers' LlamaRotaryEmbedding computes it: the inverse frequencies
// theta^(-2i/d) and their products with the position are f32. (context, head_dim): cos of the d/2 angles, then sin.
std::vector<float> rope_table(int64_t context, int64_t head_dim, double theta) {
  const int64_t half = head_dim / 2;
  std::vector<float> table(static_cast<size_t>(context * head_dim));
  for (int64_t i = 0; i < half; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(head_dim);
    const float inverse = 1.0f / static_cast<float>(std::pow(theta, static_cast<double>(exponent)));
    for (int64_t position = 0; position < context; ++position) {
      const double angle = static_cast<double>(static_cast<float>(position) * inverse);
      table[static_cast<size_t>(position * head_dim + i)] = static_cast<float>(std::cos(angle));
      table[static_cast<size_t>(position * head_dim + half + i)] = static_cast<float>(std::sin(angle));
    }
  }
  return table;
}

}  // namespace

void LlamaDecoder::load_part(int64_t part, WeightSource& source, DType type) {
  if (part == 0) {
    load_embeddings(source, type);
  } else if (part <= config_.language.layers) {
    load_layer(part - 1, source, type);
  } else {
    load_head(source, type);
  }
}

void LlamaDecoder::load_embeddings(WeightSource& source, DType type) {
  const LanguageConfig& language = config_.language;
  embeddings_ = backend_.table(source.tensor("language_model.model.embed_tokens.weight"), type);
  const std::vector<float> rope = rope_table(language.context, language.head_dim, language.rope_theta);
  rope_ = backend_.allocate(rope.size() * sizeof(float));
  backend_.from_host(rope_.matrix(DType::F32, language.context, language.head_dim), rope.data());
}

void LlamaDecoder::load_layer(int64_t index, WeightSource& source, DType type) {
  const std::string prefix = cat("language_model.model.layers.", index, ".");
  const std::string attention = prefix + "self_attn.";
  const LanguageConfig& language = config_.language;
  const bool bias = language.attention_bias;
  DecoderLayer layer;
  layer.input_norm =
      load_norm(backend_, source, prefix + "input_layernorm", NormKind::RmsNorm, language.rms_eps, type);
  layer.post_attention_norm =
      load_norm(backend_, source, prefix + "post_attention_layernorm", NormKind::RmsNorm, language.rms_eps, type);
  layer.qkv = load_linear(backend_, source, {attention + "q_proj", attention + "k_proj", attention + "v_proj"}, bias,
                          type);
  layer.o = load_linear(backend_, source, {attention + "o_proj"}, bias, type);
  layer.gate_up = load_linear(backend_, source, {prefix + "mlp.gate_proj", prefix + "mlp.up_proj"}, false, type);
  layer.down = load_linear(backend_, source, {prefix + "mlp.down_proj"}, false, type);
  layers_.push_back(std::move(layer));
}

void LlamaDecoder::load_head(WeightSource& source, DType type) {
  norm_ = load_norm(backend_, source, "language_model.model.norm", NormKind::RmsNorm, config_.language.rms_eps, type);
  const char* name = config_.language.tie_word_embeddings ? "language_model.model.embed_tokens" : "language_model.lm_head";
  head_ = load_linear(backend_, source, {name}, false, type);
}

// x (rows, C): x += attention(norm(x)); x += down(silu(gate) * up)(norm(x)).
void LlamaDecoder::run_layer(int64_t index, const Matrix& x, std::span<const Span> spans,
                             Workspace& workspace) const {
  const DecoderLayer& layer = layers_[static_cast<size_t>(index)];
  const LanguageConfig& language = config_.language;
  const Matrix normed = workspace.matrix(kNormed, x.rows, x.cols);

  backend_.norm(normed, x, layer.input_norm);
  const Matrix qkv = workspace.matrix(kQkv, x.rows, layer.qkv->out_features);
  backend_.matmul(qkv, normed, *layer.qkv, {});
  backend_.rope_and_store(qkv, rope_.matrix(DType::F32, language.context, language.head_dim), spans, language.heads,
                          kv_, index);
  const Matrix attended = workspace.matrix(kAttended, x.rows, language.heads * language.head_dim);
  backend_.cached_attention(attended, qkv, spans, language.heads, kv_, index);
  backend_.matmul(x, attended, *layer.o, {Activation::None, nullptr, &x});

  backend_.norm(normed, x, layer.post_attention_norm);
  const Matrix inner = workspace.matrix(kInner, x.rows, language.mlp);
  backend_.matmul(inner, normed, *layer.gate_up, {Activation::SwiGlu, nullptr, nullptr});
  backend_.matmul(x, inner, *layer.down, {Activation::None, nullptr, &x});
}

Matrix LlamaDecoder::logits(const Matrix& x, std::span<const int32_t> rows, Workspace& workspace,
                            Recorder* recorder) const {
  const auto count = static_cast<int64_t>(rows.size());
  const Matrix picked = workspace.matrix(kPicked, count, x.cols);
  backend_.gather_rows(picked, x, rows);
  backend_.norm(picked, picked, norm_);
  const Matrix logits = workspace.matrix(kLogits, count, head_->out_features, DType::F32);
  backend_.matmul(logits, picked, *head_, {});
  if (recorder != nullptr) {
    recorder->record("decoder.norm", picked, 0);
    recorder->record("logits", logits, 0);
  }
  return logits;
}

Matrix LlamaDecoder::forward(const DecoderBatch& batch, Workspace& workspace, Recorder* recorder,
                             const Cancellation& cancel) const {
  const auto rows = static_cast<int64_t>(batch.ids.size());
  const Matrix x = workspace.matrix(kHidden, rows, config_.language.hidden);
  backend_.embed(x, *embeddings_, batch.ids, batch.splices);
  if (recorder != nullptr) recorder->record("decoder.embeddings", x, 0);
  for (int64_t i = 0; i < config_.language.layers; ++i) {
    cancel.check();
    run_layer(i, x, batch.spans, workspace);
    if (recorder != nullptr) recorder->record(cat("decoder.layers.", i), x, 0);
  }
  return logits(x, batch.logit_rows, workspace, recorder);
}

int64_t LlamaDecoder::workspace_bytes(const ModelConfig& config, int64_t rows, int64_t logit_rows, DType activation) {
  const LanguageConfig& language = config.language;
  const int64_t attention = language.head_dim * (2 * language.heads + 2 * language.kv_heads);
  const int64_t per_row = 2 * language.hidden + attention + language.mlp;
  const int64_t per_logit_row =
      language.hidden * static_cast<int64_t>(size_of(activation)) + language.vocab * static_cast<int64_t>(sizeof(float));
  return rows * per_row * static_cast<int64_t>(size_of(activation)) + logit_rows * per_logit_row;
}

}  // namespace ivl
