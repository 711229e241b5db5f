// A model's launches, phase by phase, as its backend really makes them: recorded by the emulated runtime without being run.
#pragma once

#include <string>
#include <vector>

#include "emulation/runtime.h"
#include "model/config.h"

namespace roofline {

struct Phase {
  std::string name;
  std::vector<simt::LaunchRecord> launches;
};

struct Walk {
  std::vector<Phase> phases;  // an image; a prompt with it; steps of one and of eight sequences
  int prompt_tokens = 0;
  double weight_bytes = 0;  // what a step must read: the decoder's layers and the head
  double kv_bytes = 0;      // and of the cache, for one sequence behind the prompt
};

// The whole model of this configuration on one GPU, in bf16 or with the decoder in int8.
Walk walk(const ivl::ModelConfig& config, bool int8);

}  // namespace roofline
