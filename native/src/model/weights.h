// Whether a checkpoint has the weights that a model needs.
#pragma once

#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "model/param.h"

namespace ivl {

// What a configuration leaves to the files: with which of a layout's prefixes they are written, and whether the head is a tensor of
// its own. A head in the files is the head; without one, embeddings that the configuration ties to it are. Error(Checkpoint) where
// the configuration ties them and the files have a head with other values.
ModelConfig as_stored(ModelConfig config, const Checkpoint& checkpoint);

struct CheckReport {
  std::vector<std::string> missing;      // names
  std::vector<std::string> wrong_shape;  // "name: expected shape (..), got (..) in FILE"
  std::vector<std::string> wrong_dtype;  // "name: expected type F32, BF16 or F16, got I8 in FILE"
  // Names that the model has no use for, without those known to be harmless (buffers that older versions of
  // transformers saved). To be listed, not refused.
  std::vector<std::string> unexpected;

  std::string unmerged;  // what is wrong if there are LoRA layers beside or instead of the model's own

  bool ok() const { return missing.empty() && wrong_shape.empty() && wrong_dtype.empty() && unmerged.empty(); }
};

// `config` is as_stored().
CheckReport check_weights(const Checkpoint& checkpoint, const ModelConfig& config);

// Error(Checkpoint) with the number of problems and up to ten of them, unless check_weights() is ok().
void require_weights(const Checkpoint& checkpoint, const ModelConfig& config);

}  // namespace ivl
