// A model on its way from files into a backend, a part at a time so that the caller can show progress and stop.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "model/internvl_chat.h"
#include "model/memory_plans.h"

namespace ivl {

struct LoadOptions {
  std::optional<DType> precision;  // as stored if not given
  // Where some are not plain, what stays so is in 16 bits, bf16 if stored in f32. What is stored quantized stays as it is stored.
  WeightFormats formats = {};
  std::optional<KvType> kv;              // of the KV cache; the precision's type if not given
  std::optional<bool> bf16_activations;  // with bf16 weights on the CPU; if not given, where that is faster
  bool map_weights = true;
  int64_t context = 0;       // 0: the checkpoint's
  int64_t memory_limit = 0;  // bytes; 0: what is available now, -1: unchecked
  int64_t max_batch = 1;     // requests that are to be computed together: for the memory plan; 0: as many as fit
  int64_t kv_memory = 0;     // bytes for all KV caches together; 0: a full context and the batch
};

// The configuration of a folder (or of one config.json), with the options' context length applied.
// Error(InvalidArgument) if that is longer than the checkpoint's, or, with dynamic RoPE scaling, than its factor times that.
ModelConfig load_config_for(const std::filesystem::path& path, const LoadOptions& options);

// What the options make of a checkpoint stored like this. Error(InvalidArgument) if they ask for a format of what is stored in
// another one, or if bf16_activations have no bf16 weights to be multiplied with.
Precision precision_for(const LoadOptions& options, const Precision& stored);

// Makes the backends for a model, once its precision and its size are known; they have room for it.
using Placer = std::function<Placement(const ModelConfig& config, const Precision& precision, const MemoryPlans& plans)>;

class ModelLoader {
 public:
  // Checks the configuration, every tensor's presence, shape and type, and the memory plan, before anything is loaded.
  static std::unique_ptr<ModelLoader> open(const Placer& place, const std::filesystem::path& folder, const LoadOptions& options);
  // Random weights for a bare config.json, in the options' precision (bf16 if none).
  static std::unique_ptr<ModelLoader> random(const Placer& place, const std::filesystem::path& config, const LoadOptions& options,
                                             uint64_t seed);

  int64_t done() const { return done_; }
  int64_t total() const { return model_ == nullptr ? done_ : model_->parts(); }
  int64_t bytes() const { return bytes_; }  // of all weights
  // Loads the next part. Does nothing after the last.
  void step();
  // The finished model; once.
  std::unique_ptr<InternVLChat> take();

 private:
  ModelLoader(std::unique_ptr<InternVLChat> model, int64_t bytes) : model_(std::move(model)), bytes_(bytes) {}

  std::unique_ptr<InternVLChat> model_;
  int64_t bytes_;
  int64_t done_ = 0;
  LoraTensors own_;  // the checkpoint's pairs, which the loaded model takes
};

}  // namespace ivl
