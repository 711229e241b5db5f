// Where a model's weights come from: a checkpoint, or a generator of random ones for benchmarks.
#pragma once

#include "backend/backend.h"
#include "model/param.h"

namespace ivl {

class WeightSource {
 public:
  virtual ~WeightSource() = default;
  // The tensor's memory lives as long as the source, unless it has an owner.
  virtual HostTensor tensor(const Param& param) = 0;
  // The tensor's values were quantized into memory of a backend's own, and nothing reads them any more where they lay: that
  // memory can go.
  virtual void release(const Param& param) { static_cast<void>(param); }
};

}  // namespace ivl
