// What a model will need of the host's memory, or of a GPU's, known before any of it is taken.
#pragma once

#include "checkpoint/checkpoint.h"
#include "model/config.h"
#include "model/placement.h"
#include "model/precision.h"

namespace ivl {

// All numbers are bytes.
struct MemoryPlan {
  int64_t weights_mapped = 0;  // read in place from the files; the system may drop and re-read these pages
  int64_t weights_owned = 0;   // converted, or read into memory
  int64_t kv_cache_per_token = 0;
  int64_t kv_cache = 0;        // one sequence of the full context, or what was asked for
  int64_t kv_cache_batch = 0;  // of max_batch - 1 further requests, each with tokens_of_a_request()
  int64_t scratch = 0;
  int64_t picture_batch = 0;
  int64_t pictures_together = 0;
  int64_t max_batch = 1;

  int64_t total() const { return weights_mapped + weights_owned + kv_cache + kv_cache_batch + scratch + picture_batch; }
};

// Tokens that a request of a batch is planned with: a picture, a question, and an answer of the usual length. One that needs more is
// given more if it is there at that time.
int64_t tokens_of_a_request(const ModelConfig& config);

// The plan for so many requests together. The plans below are for one.
MemoryPlan for_batch(MemoryPlan plan, const ModelConfig& config, int64_t max_batch);

// F32 keeps narrower weights as stored; `mapped`: the files are.
MemoryPlan plan_memory(const Checkpoint& checkpoint, const ModelConfig& config, const Precision& precision, bool mapped);
// The same for weights made up in precision.type.
MemoryPlan plan_memory(const ModelConfig& config, const Precision& precision);

// The same on a GPU, or on all together that share the model: every weight is a copy, what is in int4 in 16 bits; activations are as
// wide as weights.
MemoryPlan plan_gpu_memory(const ModelConfig& config, const Precision& precision);

// What each part of that takes, for split_layers(); `plan` is plan_gpu_memory()'s.
PartBytes part_bytes(const ModelConfig& config, const Precision& precision, const MemoryPlan& plan);

// Error(OutOfMemory) with the plan's parts, and what would help, if its total is more than `limit` bytes.
void require_fit(const MemoryPlan& plan, int64_t limit, const std::string& advice = {});

}  // namespace ivl
