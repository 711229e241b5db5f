// A checkpoint as the model's source of weights.
#pragma once

#include "checkpoint/checkpoint.h"
#include "checkpoint/int8_tensors.h"
#include "model/weight_source.h"

namespace ivl {

class CheckpointWeights : public WeightSource {
 public:
  explicit CheckpointWeights(std::unique_ptr<Checkpoint> checkpoint) : checkpoint_(std::move(checkpoint)) {}

  HostTensor tensor(const std::string& name) override {
    const TensorInfo* info = checkpoint_->find(name);
    if (info != nullptr && is_int8(*info)) return int8_tensor(*info);
    if (info == nullptr || !info->dtype) fail(Status::Checkpoint, cat("tensor ", name, " is missing or not of a float type"));
    return {info->data, *info->dtype, info->shape, nullptr, nullptr, place_of(*info)};
  }

  void release(const std::string& name) override {
    const TensorInfo& info = checkpoint_->get(name);
    if (!is_int8(info)) checkpoint_->discard(info);
  }

 private:
  // As it is, its scales and sums beside it; require_weights() has seen that they are there.
  HostTensor int8_tensor(const TensorInfo& info) const {
    HostTensor tensor{info.data, DType::BF16, info.shape};
    tensor.int8_scales = reinterpret_cast<const float*>(checkpoint_->get(int8_scale_name(info.name)).data);
    tensor.where = place_of(info);
    tensor.int8_sums = reinterpret_cast<const int32_t*>(checkpoint_->get(int8_sum_name(info.name)).data);
    return tensor;
  }

  std::unique_ptr<Checkpoint> checkpoint_;
};

}  // namespace ivl
