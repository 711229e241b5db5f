// The language model: a Llama decoder with grouped queries.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "checkpoint/config.h"
#include "model/cancellation.h"
#include "model/recorder.h"
#include "model/weight_source.h"
#include "model/workspace.h"

namespace ivl {

struct DecoderLayer {
  NormWeights input_norm, post_attention_norm;
  std::unique_ptr<LinearWeights> qkv, o, gate_up, down;
};

// Rows of several sequences that pass the decoder together: prompts, pieces of prompts, single tokens alike.
struct DecoderBatch {
  std::span<const int32_t> ids;         // one a row
  std::span<const Splice> splices;      // rows that are picture features
  std::span<const Span> spans;          // which rows belong to which sequence
  std::span<const int32_t> logit_rows;  // the rows whose logits are wanted
};

class LlamaDecoder {
 public:
  LlamaDecoder(Backend& backend, const ModelConfig& config, KvShape kv)
      : backend_(backend), config_(config), kv_(kv) {}

  // Weights come part by part: 0 the token embeddings, one a layer, then the final norm and the head.
  int64_t parts() const { return config_.language.layers + 2; }
  void load_part(int64_t part, WeightSource& source, DType type);

  // Puts the rows' keys and values into the caches and returns the logits of logit_rows: (logit_rows, vocabulary)
  // f32, in the workspace until its next use.
  Matrix forward(const DecoderBatch& batch, Workspace& workspace, Recorder* recorder,
                 const Cancellation& cancel) const;

  const KvShape& kv_shape() const { return kv_; }

  // Bytes of workspace for this many rows, with logits for `logit_rows` of them.
  static int64_t workspace_bytes(const ModelConfig& config, int64_t rows, int64_t logit_rows, DType activation);

 private:
  void load_embeddings(WeightSource& source, DType type);
  void load_layer(int64_t index, WeightSource& source, DType type);
  void load_head(WeightSource& source, DType type);
  void run_layer(int64_t index, const Matrix& x, std::span<const Span> spans, Workspace& workspace) const;
  Matrix logits(const Matrix& x, std::span<const int32_t> rows, Workspace& workspace, Recorder* recorder) const;

  Backend& backend_;
  const ModelConfig& config_;
  KvShape kv_;
  std::unique_ptr<TableWeights> embeddings_;
  std::vector<DecoderLayer> layers_;
  NormWeights norm_;
  std::unique_ptr<LinearWeights> head_;
  Buffer rope_;  // (context, head_dim) f32: cos | sin
};

}  // namespace ivl
