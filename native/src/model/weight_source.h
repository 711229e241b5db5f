// Where a model's weights come from: a checkpoint, or a generator of random ones for benchmarks.
#pragma once

#include <string>

#include "backend/backend.h"

namespace ivl {

class WeightSource {
 public:
  virtual ~WeightSource() = default;
  // The tensor's memory lives as long as the source.
  virtual HostTensor tensor(const std::string& name) = 0;
  // The tensor's values were quantized into memory of a backend's own, and nothing reads them any more where they lay: that
  // memory can go.
  virtual void release(const std::string& name) { static_cast<void>(name); }
};

}  // namespace ivl
