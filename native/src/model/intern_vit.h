// InternViT: the vision tower.
#pragma once

#include <memory>
#include <vector>

#include "backend/workspace.h"
#include "model/adapters/adapter.h"
#include "model/cancellation.h"
#include "model/param.h"
#include "model/precision.h"
#include "model/recorder.h"
#include "model/weight_source.h"

namespace ivl {

struct VisionBlock {
  NormWeights norm1, norm2;
  NormWeights q_norm, k_norm;  // over the full width, before the heads; without weights if the model has none
  std::unique_ptr<LinearWeights> qkv, proj, fc1, fc2;
  std::unique_ptr<VectorWeights> ls1, ls2;
};

class InternVit {
 public:
  InternVit(Backend& backend, const ModelConfig& config, const ParamTable& params)
      : backend_(backend), config_(config), params_(params) {}

  // Weights come part by part: 0 the embeddings, then one a block. Blocks that select_layer never reaches are not
  // loaded.
  int64_t parts() const;
  void load_part(int64_t part, WeightSource& source, const Precision& precision);

  // The way of B pictures through the tower: begin() with pixels (B, channels*S*S) in the backend's memory, then every block in order.
  // Between these their hidden states (B*(1+grid^2), C) lie in the workspace, which nobody else may use meanwhile; behind the last
  // block they are the result, without a final norm.
  void begin(const Matrix& pixels, Workspace& workspace, Recorder* recorder) const;
  void run(int64_t block, int64_t pictures, const RowAdapters& adapters, Workspace& workspace, Recorder* recorder) const;
  int64_t blocks() const { return static_cast<int64_t>(blocks_.size()); }
  Matrix hidden(int64_t pictures, Workspace& workspace) const;
  // Puts an adapter's pairs where their layers are.
  void load(Adapter& adapter, const LoraTensors& tensors) const;

  // Bytes of workspace for B pictures.
  static int64_t workspace_bytes(const ModelConfig& config, int64_t pictures, DType activation);

 private:
  void load_embeddings(WeightSource& source, const Precision& precision);
  void load_block(int64_t index, WeightSource& source, const Precision& precision);
  void run_block(int64_t index, const Matrix& x, int64_t pictures, const RowAdapters& adapters, Workspace& workspace) const;

  Backend& backend_;
  const ModelConfig& config_;
  const ParamTable& params_;
  std::unique_ptr<LinearWeights> patch_embedding_;
  std::unique_ptr<VectorWeights> class_embedding_;
  Buffer positions_;  // (1 + grid^2, C), already interpolated
  std::vector<VisionBlock> blocks_;
};

}  // namespace ivl
