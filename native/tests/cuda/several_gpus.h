// What tests of models over several emulated GPUs share.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "cuda/gpu_test.h"
#include "model/oracle.h"

namespace ivl::testing {

class SeveralGpusTest : public GpuTest {
 protected:
  void SetUp() override {
    simt::set_device_count(3);
    GpuTest::SetUp();
  }
  void TearDown() override {
    GpuTest::TearDown();
    simt::set_device_count(1);
  }

  // The tower on one GPU, the decoder's layers on others.
  static Placer over(int vision, std::vector<std::pair<int, int64_t>> layers) {
    return [vision, layers](const ModelConfig&, const Precision& precision, const MemoryPlans&) {
      std::map<int, std::shared_ptr<Backend>> gpus;
      const auto gpu = [&](int ordinal) {
        if (gpus[ordinal] == nullptr) gpus[ordinal] = make_gpu_backend(ordinal, precision.type);
        return gpus[ordinal];
      };
      Placement placement;
      placement.vision = gpu(vision);
      for (const auto& [ordinal, count] : layers) placement.decoder.push_back({gpu(ordinal), count});
      return placement;
    };
  }
  // The tower on the first GPU, the decoder's layers in equal parts on as many.
  static Placer over(int gpus) {
    return [gpus](const ModelConfig& config, const Precision& precision, const MemoryPlans& plans) {
      std::vector<std::pair<int, int64_t>> layers;
      for (int i = 0; i < gpus; ++i) {
        layers.emplace_back(i, config.language.layers / gpus + (i < config.language.layers % gpus ? 1 : 0));
      }
      return over(0, layers)(config, precision, plans);
    };
  }
};

}  // namespace ivl::testing
