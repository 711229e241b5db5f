// From the vision tower to the decoder: pixel shuffle, then LayerNorm, Linear, GELU, Linear.
#pragma once

#include <memory>

#include "backend/workspace.h"
#include "model/adapters/adapter.h"
#include "model/param.h"
#include "model/precision.h"
#include "model/recorder.h"
#include "model/weight_source.h"

namespace ivl {

class Projector {
 public:
  static constexpr float kEps = 1e-5f;  // of its norm: torch.nn.LayerNorm's default, which the original leaves

  Projector(Backend& backend, const ModelConfig& config, const ParamTable& params)
      : backend_(backend), config_(config), params_(params) {}

  void load(WeightSource& source, const Precision& precision);

  // hidden (B*(1+grid^2), C) -> out (B*tokens_per_image, decoder width).
  void forward(const Matrix& out, const Matrix& hidden, int64_t pictures, const RowAdapters& adapters, Workspace& workspace,
               Recorder* recorder) const;
  // Puts an adapter's pairs where their layers are.
  void load(Adapter& adapter, const LoraTensors& tensors) const;

  static int64_t workspace_bytes(const ModelConfig& config, int64_t pictures, DType activation);

 private:
  Backend& backend_;
  const ModelConfig& config_;
  const ParamTable& params_;
  NormWeights norm_;
  std::unique_ptr<LinearWeights> up_, down_;
};

}  // namespace ivl
