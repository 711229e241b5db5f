// Which backend holds which part of a model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace ivl {

struct Placement {
  // Consecutive layers of the decoder.
  struct Stage {
    std::shared_ptr<Backend> backend;
    int64_t layers = 0;
  };

  std::shared_ptr<Backend> vision;  // the tower and the projector
  std::vector<Stage> decoder;       // the first also has the embeddings, the last the head
  int64_t kv_cache = 0;             // bytes that were planned for all sequences' caches; 0: those of one full context
  std::string not_on_gpu{};         // why it is on none of the GPUs that there are, if nobody asked for that

  static Placement on(const std::shared_ptr<Backend>& backend, int64_t layers) { return {backend, {{backend, layers}}}; }

  // For people: "cuda:0: NVIDIA H100 ..., bf16, layers 0 to 29; cuda:1: ..., layers 30 to 59", or
  // "cpu: AVX-512, 8 threads; not on a GPU: the precision is f32, expected bf16 or f16 on a GPU".
  std::string description() const;
};

// Bytes of the model's parts, as a device would hold them.
struct PartBytes {
  int64_t vision = 0;  // tower, projector and what pictures need meanwhile
  int64_t embeddings = 0;
  int64_t layer = 0;  // weights and KV cache of one decoder layer
  int64_t head = 0;
  int64_t each_stage = 0;  // scratch
};

// How many of `layers` decoder layers each device takes, so that all are about equally full: device i has free[i] bytes, the
// first also holds vision and embeddings, the last the head. Parts of measured size, instead of the card's rule that counts
// the vision tower as half a GPU.
std::vector<int64_t> split_layers(const PartBytes& bytes, int64_t layers, const std::vector<int64_t>& free);

}  // namespace ivl
