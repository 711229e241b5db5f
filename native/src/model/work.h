// How much a model computes and moves, from its shape alone: what measured times are held against.
#pragma once

#include "backend/backend.h"
#include "model/config.h"

namespace ivl {

// A multiply-add counts as two operations. Norms, activations and the softmax are left out: they are under 1%.
struct Work {
  double vision_operations = 0;             // one picture through the tower and the projector
  double operations_per_token = 0;          // a token through the decoder's layers up to its last keys, without attention
  double attention_operations_per_key = 0;  // of one token, for each key it sees, in all layers
  double head_operations = 0;               // on top of it for the logits of one token: the rest of the last layer, and the head
  double weight_bytes = 0;                  // layers, of experts those that it passes, and head: what decoding a token must read
  double kv_bytes_per_key = 0;              // what decoding a token must read for each key it sees
};

// `weight_size`: bytes of a weight of the layers in memory, on the average; `cache`: the type of the KV cache.
Work count_work(const ModelConfig& config, double weight_size, KvType cache);

}  // namespace ivl
