// The language model: a decoder of the Llama kind as its DecoderPlan says, in stages of consecutive layers, each on a backend of its
// own.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backend/workspace.h"
#include "model/adapters/adapter.h"
#include "model/cancellation.h"
#include "model/logits.h"
#include "model/param.h"
#include "model/placement.h"
#include "model/precision.h"
#include "model/recorder.h"
#include "model/weight_source.h"

namespace ivl {

struct DecoderLayer {
  NormWeights input_norm, post_attention_norm;
  NormWeights q_norm, k_norm;  // of each head; without weights if the model has none
  std::unique_ptr<LinearWeights> qkv, o;
  std::unique_ptr<LinearWeights> gate_up, down;  // or else:
  std::unique_ptr<LinearWeights> router;
  std::unique_ptr<ExpertWeights> experts;
};

// The rows of one sequence in a batch, as Span says, with the sequence's blocks in every stage.
struct SequenceSpan {
  int64_t row = 0;
  int64_t rows = 0;
  int64_t past = 0;
  std::span<const KvTable> blocks;
  int64_t prompt = 0;                         // tokens of all of the sequence's prompt, on which rotations may depend (rope.h)
  std::span<const AdapterUse> adapters = {};  // by their ids
};

// Rows of several sequences that pass the decoder together: prompts, pieces of prompts, single tokens alike.
struct DecoderBatch {
  std::span<const int32_t> ids;         // one a row
  std::span<const Splice> splices;      // rows that are picture features, in the first stage's memory
  std::span<const SequenceSpan> spans;  // which rows belong to which sequence
  std::span<const int32_t> logit_rows;  // the rows whose logits are wanted
};

class Decoder {
 public:
  Decoder(const Placement& placement, const ModelConfig& config, const ParamTable& params, KvType cache);

  // Weights come part by part: 0 the token embeddings, one a layer, then the final norm and the head.
  int64_t parts() const { return config_.language.layers + 2; }
  void load_part(int64_t part, WeightSource& source, const Precision& precision);

  // Puts the rows' keys and values into the caches and gives the logits of logit_rows: (logit_rows, vocabulary).
  Logits forward(const DecoderBatch& batch, Recorder* recorder, const Cancellation& cancel);

  // Puts an adapter's pairs where their layers are.
  void load(Adapter& adapter, const LoraTensors& tensors) const;

  // The shape of a sequence's cache, for each stage.
  const std::vector<KvShape>& kv_shapes() const { return kv_shapes_; }

  // Of the caches of so many of a model's layers.
  static KvShape kv_shape(const LanguageConfig& language, int64_t layers, KvType type) {
    return {layers, language.kv_heads, language.head_dim, type};
  }

  // Bytes of workspace for this many rows, with logits for `logit_rows` of them.
  static int64_t workspace_bytes(const ModelConfig& config, int64_t rows, int64_t logit_rows, DType activation);

 private:
  struct Stage {
    Stage(std::shared_ptr<Backend> on, int64_t first) : backend(std::move(on)), first_layer(first), space(*backend) {}
    std::shared_ptr<Backend> backend;
    int64_t first_layer;
    std::vector<DecoderLayer> layers;
    Buffer rope;  // rope_table()
    Workspace space;
  };

  void load_embeddings(WeightSource& source, const Precision& precision);
  void load_rope(Stage& stage) const;
  void load_layer(int64_t index, WeightSource& source, const Precision& precision);
  void load_head(WeightSource& source, const Precision& precision);
  // The rows of a pass as a stage sees them.
  struct Rows {
    std::span<const Span> spans;
    const RowAdapters& adapters;
    Recorder* recorder;
  };
  void run_stage(size_t stage, const DecoderBatch& batch, const RowAdapters& adapters, const Matrix& logits, Recorder* recorder,
                 const Cancellation& cancel);
  void run_layer(size_t stage, int64_t index, const Matrix& x, const Rows& rows);
  Matrix run_last_layer(size_t stage, int64_t index, const Matrix& x, const Rows& rows, std::span<const int32_t> wanted,
                        const RowAdapters& adapters);
  void attend(size_t stage, int64_t index, const Output& attended, const Matrix& x, const Rows& rows);
  void feed_forward(Stage& stage, int64_t index, const Matrix& x, const Rows& rows);
  void mix_experts(Stage& stage, const DecoderLayer& layer, const Matrix& x);
  void finish_layer(Stage& stage, int64_t index, const Matrix& x, const LayerInput& attended, const Rows& rows);
  Matrix attended_in(Stage& stage, int64_t rows) const;
  Matrix hidden_in(Stage& stage, int64_t rows) const;
  Matrix rope_of(const Stage& stage) const;
  std::vector<Span> spans_of(const DecoderBatch& batch, size_t stage) const;
  void run_head(const Matrix& logits, const Matrix& x, const RowAdapters& adapters, Recorder* recorder);

  const ModelConfig& config_;
  const ParamTable& params_;
  std::vector<KvShape> kv_shapes_;
  std::vector<Stage> stages_;
  std::unique_ptr<TableWeights> embeddings_;
  NormWeights norm_;
  std::unique_ptr<LinearWeights> head_;
  LogitsPool logits_;
};

}  // namespace ivl
