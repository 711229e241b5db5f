// A loaded model as many threads share it: one computation at a time, and an end that can come at any moment.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "generate/features.h"
#include "model/internvl_chat.h"

namespace ivl {

class Engine {
 public:
  explicit Engine(std::unique_ptr<InternVLChat> model);

  // The model, for as long as the guard lives. Error(Closed) after close().
  class Access {
   public:
    explicit Access(Engine& engine);
    InternVLChat* operator->() const { return engine_.model_.get(); }
    InternVLChat& operator*() const { return *engine_.model_; }

   private:
    Engine& engine_;
    std::unique_lock<std::mutex> lock_;
  };

  // Logits as they lie on the host: (rows, vocabulary). Waits for the computation that runs; works after close(), too.
  std::vector<float> to_host(const Logits& logits);

  Features encode(const float* pixels, int64_t count, const std::atomic<bool>* cancelled, Recorder* recorder);

  // Makes running work fail with Error(Closed) at its next layer, waits for it, and frees the weights. Idempotent.
  void close();

  Cancellation cancellation(const std::atomic<bool>* cancelled) const { return {closing_, cancelled}; }
  void check_open() const;

  // These stay valid after close().
  const ModelConfig& config() const { return config_; }
  const Precision& precision() const { return precision_; }
  // Of a sequence's cache: one for each stage of the placement's decoder.
  const std::vector<KvShape>& kv_shapes() const { return kv_shapes_; }
  const Placement& placement() const { return placement_; }

 private:
  const ModelConfig config_;
  const Precision precision_;
  const std::vector<KvShape> kv_shapes_;
  const Placement placement_;
  std::mutex mutex_;
  std::unique_ptr<InternVLChat> model_;
  std::atomic<bool> closing_{false};
};

}  // namespace ivl
