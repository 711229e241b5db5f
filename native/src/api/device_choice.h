// Where a model is to run, as a user says it, and the backends that follow from it.
#pragma once

#include <string>
#include <vector>

#include "backend/gpus.h"
#include "cpu/cpu_backend.h"
#include "internvl4j/internvl4j.h"
#include "model/memory_plans.h"
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

// Where a model will be, and what it needs and finds there.
struct Destination {
  std::vector<Gpu> gpus;  // none: the CPU
  MemoryPlan plan;
  int64_t available = 0;   // bytes: free on those GPUs together, or on the host
  std::string not_on_gpu;  // why auto took none of the GPUs that there are: the last one's reason; empty otherwise

  // For people: "cuda:0 (NVIDIA H100 80GB HBM3), cuda:1 (...)", or "cpu; not on a GPU: " and the reason.
  std::string description() const;

  MemoryPlans::Place place() const { return gpus.empty() ? MemoryPlans::Place::Host : MemoryPlans::Place::Gpus; }
};

// Auto takes the first GPU that has room for the model, computes in its types and can do its sizes, else the CPU. Of a GPU that was
// asked for: Error(InvalidArgument) if it is not there, with the reason, or cannot do the precision or the type of the KV cache;
// Error(Unsupported) if kernels cannot do the model's sizes, or the build has no code for it. Where it is left open how many requests
// there are together, the plan is for as many as fit into memory_limit (as in ivl_load_options).
Destination destination(const DeviceChoice& choice, int64_t memory_limit, const Precision& precision, const MemoryPlans& plans);

// The backends there. Several GPUs share the decoder's layers so that they are equally full (split_layers).
// Error(OutOfMemory) if the plan does not fit, unless memory_limit says not to look (not 0).
Placement place(const DeviceChoice& choice, const cpu::CpuOptions& cpu, int64_t memory_limit, const ModelConfig& config,
                const Precision& precision, const MemoryPlans& plans);

// The backend of one device, for what is no model. Error(InvalidArgument) if `choice` is another than the CPU or one GPU that
// is there.
std::shared_ptr<Backend> backend_on(const DeviceChoice& choice, const cpu::CpuOptions& cpu, DType type);

}  // namespace ivl::api
