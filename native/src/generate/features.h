// Pictures as the decoder sees them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "generate/loaded_adapter.h"
#include "tensor/buffer.h"

namespace ivl {

class Engine;

// Their rows are known at once; what is in them may be computed later, when a request needs it.
class Features {
 public:
  // Already there: `memory` is (rows, width) of the engine's decoder.
  Features(std::shared_ptr<Engine> engine, Buffer memory, int64_t rows, AdapterChoices adapters = {});
  // To be encoded: (count, channels, S, S).
  Features(std::shared_ptr<Engine> engine, std::vector<float> pixels, int64_t count, AdapterChoices adapters = {});
  ~Features();
  Features(const Features&) = delete;
  Features& operator=(const Features&) = delete;

  // Never reused: tells one picture's rows from another's in a cache.
  uint64_t id() const { return id_; }
  const Engine* engine() const { return engine_.get(); }
  int64_t rows() const { return rows_; }
  int64_t width() const;
  size_t bytes() const;  // of what is computed

  bool encoded() const { return encoded_.load(std::memory_order_acquire); }
  // Until they are encoded.
  const std::vector<float>& pixels() const { return pixels_; }
  int64_t pictures() const { return pictures_; }
  // That they are to be encoded with: such as change what images look like. Until they are encoded.
  const AdapterChoices& adapters() const { return adapters_; }
  // AdapterChoices::key() of these, also when they are.
  const std::string& adapter_key() const { return adapter_key_; }
  // Once, by whoever encodes them; the pixels go.
  void set(Buffer memory);

  // What follows is of encoded ones.
  Matrix matrix() const;
  // Waits for the computation that runs; works after the engine's close(), too. Error(InvalidArgument) if they are not encoded.
  void copy_to(float* out) const;

 private:
  uint64_t id_;
  std::shared_ptr<Engine> engine_;
  int64_t rows_;
  int64_t pictures_ = 0;
  std::vector<float> pixels_;
  AdapterChoices adapters_;
  const std::string adapter_key_;
  Buffer memory_;
  std::atomic<bool> encoded_{false};
};

}  // namespace ivl
