// A checkpoint as the model's source of weights.
#pragma once

#include "checkpoint/checkpoint.h"
#include "model/weight_source.h"

namespace ivl {

class CheckpointWeights : public WeightSource {
 public:
  explicit CheckpointWeights(std::unique_ptr<Checkpoint> checkpoint) : checkpoint_(std::move(checkpoint)) {}

  HostTensor tensor(const std::string& name) override {
    const TensorInfo* info = checkpoint_->find(name);
    if (info == nullptr || !info->dtype) fail(Status::Checkpoint, cat("tensor ", name, " is missing or not of a float type"));
    return {info->data, *info->dtype, info->shape};
  }

 private:
  std::unique_ptr<Checkpoint> checkpoint_;
};

}  // namespace ivl
