// Which models the GPUs' kernels can do, and on which GPUs: asked before a model is placed, not found out at its first token.
#pragma once

#include <string>
#include <vector>

#include "backend/gpus.h"
#include "model/config.h"
#include "model/precision.h"

namespace ivl::api {

// Why no GPU can do a model of these sizes in this precision; empty if they can.
std::string why_gpus_cannot(const ModelConfig& config, const Precision& precision);

// Why this GPU has no place for a model that takes so many bytes; empty if it has, and then `free` is what it has.
std::string why_not_on(const Gpu& gpu, int64_t bytes, int64_t& free);

// The same where GPUs were asked for by name: Error(InvalidArgument) if it is the precision or the type of the KV cache that they
// cannot do, Error(Unsupported) if it is one of the model's sizes.
void require_gpus_can(const ModelConfig& config, const Precision& precision);

// Error(Unsupported) if the build has no code for one of them.
void require_code_for(const std::vector<Gpu>& gpus);

}  // namespace ivl::api
