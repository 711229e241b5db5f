// Random weights for a bare configuration: benchmarks of shapes whose checkpoint is not at hand.
#pragma once

#include <map>

#include "host/thread_pool.h"
#include "model/param.h"
#include "model/weight_source.h"
#include "tensor/buffer.h"

namespace ivl {

class RandomWeights : public WeightSource {
 public:
  // Values are uniform, scaled so that activations keep a sane size; norm weights are about one.
  RandomWeights(DType type, uint64_t seed);

  HostTensor tensor(const Param& param) override;
  void release(const Param& param) override { made_.erase(param.name); }

 private:
  DType type_;
  uint64_t seed_;
  std::map<std::string, Buffer> made_;
  ThreadPool pool_;  // 40 billion numbers are minutes of one thread's work
};

}  // namespace ivl
