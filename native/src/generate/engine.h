// A loaded model as many threads share it: one computation at a time, and an end that can come at any moment.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "generate/features.h"
#include "generate/loaded_adapter.h"
#include "generate/ticket_lock.h"
#include "model/internvl_chat.h"
#include "model/recording.h"

namespace ivl {

class Engine : public std::enable_shared_from_this<Engine> {
 public:
  explicit Engine(std::unique_ptr<InternVLChat> model);

  // The right to call the model's backends, for as long as it lives; there is no other way to them. One thread has it at a time,
  // in the order in which they came: what another one asks of a GPU while a pass is captured there would become part of the pass.
  class Turn {
   public:
    explicit Turn(Engine& engine);
    ~Turn() { engine_.end_turn(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    const Placement& placement() const { return engine_.placement_; }
    const std::vector<KvShape>& kv_shapes() const { return engine_.kv_shapes_; }

   protected:
    Engine& engine_;
  };

  // A turn with the model. Error(Closed) after close().
  class Access : public Turn {
   public:
    explicit Access(Engine& engine);
    InternVLChat* operator->() const { return engine_.model_.get(); }
    InternVLChat& operator*() const { return *engine_.model_; }
  };

  // Threads that wait for their turn.
  size_t waiting() const { return turns_.waiting(); }

  // Logits as they lie on the host: (rows, vocabulary). Waits for the computation that runs; works after close(), too.
  std::vector<float> to_host(const Logits& logits);

  // At once, in one turn.
  std::shared_ptr<Features> encode(const float* pixels, int64_t count, const std::atomic<bool>* cancelled, Recorder* recorder,
                                   AdapterChoices adapters = {});

  // Reads an adapter, in the calling thread, and takes it into the backends' memory in a turn. Errors as LoraTensors::of_folder and
  // InternVLChat::load_adapter.
  std::shared_ptr<const LoadedAdapter> load_adapter(const std::filesystem::path& folder);

  // Frees a backend's memory in a turn: at once if nobody has it, else at the end of the one that runs. Never waits.
  void discard(Buffer memory) noexcept;
  void discard(std::shared_ptr<void> memory) noexcept;

  // Makes running work fail with Error(Closed) at its next layer, and all later work.
  void begin_closing() { closing_.store(true); }
  // That, waits for it, and frees the weights. Idempotent.
  void close();

  Cancellation cancellation(const std::atomic<bool>* cancelled) const { return {closing_, cancelled}; }
  void check_open() const;
  // Error(InvalidArgument) if the recording is another model's.
  void claim(Recording& recording) const;

  // These stay valid after close().
  const ModelConfig& config() const { return config_; }
  const Precision& precision() const { return precision_; }
  // Of a sequence's cache: one for each stage of the placement's decoder.
  const std::vector<KvShape>& kv_shapes() const { return kv_shapes_; }
  // Of a picture's features.
  DType feature_type() const { return feature_type_; }
  // Of all sequences' caches together, as the placement planned them.
  int64_t kv_blocks() const;
  // Of the placement, for people.
  const std::string& description() const { return description_; }

 private:
  void end_turn() noexcept;
  bool has_discarded() noexcept;

  const ModelConfig config_;
  const Precision precision_;
  const std::vector<KvShape> kv_shapes_;
  const Placement placement_;
  const DType feature_type_;
  const std::string description_;
  const uint64_t id_;  // never reused
  TicketLock turns_;
  std::unique_ptr<InternVLChat> model_;
  std::atomic<bool> closing_{false};
  std::mutex discarding_;
  std::vector<std::shared_ptr<void>> discarded_;  // under discarding_
};

}  // namespace ivl
