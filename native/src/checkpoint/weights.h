// Which weights a model needs, and whether a checkpoint has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/config.h"

namespace ivl {

struct WeightSpec {
  std::string name;
  std::vector<int64_t> shape;  // linear layers are (outputs, inputs)
};

// Every weight of the model, in the order in which the forward pass meets them.
std::vector<WeightSpec> expected_weights(const ModelConfig& config);

struct CheckReport {
  std::vector<std::string> missing;      // names
  std::vector<std::string> wrong_shape;  // "name: expected shape (..), got (..) in FILE"
  std::vector<std::string> wrong_dtype;  // "name: expected type F32, BF16 or F16, got I8 in FILE"
  // Names that the model has no use for, without those known to be harmless (buffers that older versions of
  // transformers saved, a head tied to the embeddings). To be listed, not refused.
  std::vector<std::string> unexpected;

  std::string unmerged;  // what is wrong if there are LoRA layers beside or instead of the model's own

  bool ok() const { return missing.empty() && wrong_shape.empty() && wrong_dtype.empty() && unmerged.empty(); }
};

CheckReport check_weights(const Checkpoint& checkpoint, const ModelConfig& config);

// Error(Checkpoint) with the number of problems and up to ten of them, unless check_weights() is ok().
void require_weights(const Checkpoint& checkpoint, const ModelConfig& config);

struct NonFinite {
  uint64_t count = 0;             // NaN and infinite elements
  std::optional<uint64_t> first;  // index of the first in row-major order
};

// Reads the whole tensor. Error(Unsupported) unless it is F32, BF16 or F16.
NonFinite scan_non_finite(const TensorInfo& tensor);

}  // namespace ivl
