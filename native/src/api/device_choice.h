// Where a model is to run, as a user says it, and the backends that follow from it.
#pragma once

#include <string>
#include <vector>

#include "internvl4j/internvl4j.h"
#include "model/memory_plan.h"
#include "model/placement.h"

namespace ivl::api {

struct DeviceChoice {
  enum class Kind { Auto, Cpu, Cuda };
  Kind kind = Kind::Auto;
  std::vector<int> gpus;        // of Cuda, in the order of the decoder's layers
  std::vector<int64_t> layers;  // for each of gpus; empty: as is best

  // "auto", "cpu", "cuda" (the first GPU), "cuda:N", several as "cuda:0,1", or with their layers
  // as "cuda:0=20,1=40". Error(InvalidArgument) names what else was given.
  static DeviceChoice parse(const std::string& text);
};

DeviceChoice device_from(const ivl_load_options& options);

// Bytes that a model on this device may take: of the GPUs that will be used, else of the host.
int64_t available_memory(const DeviceChoice& choice);

// The backends for a model in this precision. Auto takes the first GPU that has room for the plan, else the CPU. Several GPUs share
// the decoder's layers so that they are equally full (split_layers). Error(InvalidArgument) if a GPU that was asked for is not
// there, with the reason; Error(OutOfMemory) if the plan does not fit, unless memory_limit says not to look (not 0).
Placement place(const DeviceChoice& choice, int threads, int64_t memory_limit, const ModelConfig& config,
                const Precision& precision, const MemoryPlan& plan);

}  // namespace ivl::api
