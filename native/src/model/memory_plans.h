// The memory plans of one model: as it was asked for, and as it would be with other settings, to say which of them make it fit.
#pragma once

#include <optional>
#include <string>

#include "model/memory_plan.h"

namespace ivl {

class MemoryPlans {
 public:
  enum class Place { Host, Gpus };

  // What can be asked for that memory depends on.
  struct Settings {
    Precision precision;
    int64_t context = 0;    // tokens
    int64_t max_batch = 1;  // requests together; 0: as many as fit, up to kMostUnasked
    int64_t kv_memory = 0;  // bytes for all caches together; 0: what the context and the batch come to
  };
  static constexpr int64_t kMostUnasked = 8;

  // Without a checkpoint the weights are made up. It and `config` must outlive the plans.
  // Error(InvalidArgument) if kv_memory is too little for a block of the cache.
  MemoryPlans(const Checkpoint* checkpoint, const ModelConfig& config, const Precision& precision, int64_t max_batch, bool mapped,
              int64_t kv_memory = 0);

  const ModelConfig& config() const { return config_; }
  // As asked for; with one request at a time where it is left open how many.
  MemoryPlan at(Place place) const { return plan(place, asked_); }
  // The same, but where it is left open with as many as fit into `limit` bytes.
  MemoryPlan fitting(Place place, int64_t limit) const;
  operator MemoryPlan() const { return at(Place::Host); }  // NOLINT: what stands for all of them

  // Which smaller settings fit into `limit` bytes, the smallest change first, and whether it would run without fitting; empty if
  // it fits as it is.
  std::string advice(Place place, int64_t limit) const;
  // Error(OutOfMemory) with that advice if it does not fit.
  void require_fit(Place place, int64_t limit) const;

 private:
  MemoryPlan plan(Place place, const Settings& settings) const;
  bool fits(Place place, int64_t limit, const Settings& settings) const;
  std::optional<Settings> with_smaller_batch(Place place, int64_t limit, Settings settings) const;
  std::optional<Settings> with_shorter_context(Place place, int64_t limit, Settings settings) const;
  std::optional<Settings> quantized(Place place, int64_t limit) const;
  // The asked settings, the decoder and the vision tower in these formats; none if they are so already, or are quantized otherwise.
  std::optional<Settings> in_formats(WeightFormat decoder, WeightFormat vision) const;
  std::string text(const Settings& settings) const;

  const Checkpoint* checkpoint_;
  const ModelConfig& config_;
  Settings asked_;
  bool mapped_;
};

}  // namespace ivl
