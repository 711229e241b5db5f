// A checkpoint as the model's source of weights.
#pragma once

#include "checkpoint/checkpoint.h"
#include "model/formats/stored_format.h"
#include "model/weight_source.h"

namespace ivl {

class CheckpointWeights : public WeightSource {
 public:
  explicit CheckpointWeights(std::unique_ptr<Checkpoint> checkpoint) : checkpoint_(std::move(checkpoint)) {}

  HostTensor tensor(const Param& param) override {
    if (const StoredFormat* format = stored_format(*checkpoint_, param); format != nullptr) return quantized(*format, param);
    const TensorInfo* info = checkpoint_->find(param.name);
    if (info == nullptr || !info->dtype) fail(Status::Checkpoint, cat("tensor ", param.name, " is missing or not of a float type"));
    return {info->data, *info->dtype, info->shape, {}, place_of(*info)};
  }

  void release(const Param& param) override {
    if (stored_format(*checkpoint_, param) == nullptr) checkpoint_->discard(checkpoint_->get(param.name));
  }

 private:
  // require_weights() has seen that all that belongs to it is there.
  HostTensor quantized(const StoredFormat& format, const Param& param) const {
    HostTensor tensor = format.read(*checkpoint_, param);
    if (format.in_place(param)) return tensor;
    if (tensor.owner != nullptr) {
      for (const StoredTensor& part : format.tensors(*checkpoint_, param)) checkpoint_->discard(checkpoint_->get(part.name));
    }
    return tensor;
  }

  std::unique_ptr<Checkpoint> checkpoint_;
};

}  // namespace ivl
