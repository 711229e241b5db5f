// Pictures as the decoder sees them.
#pragma once

#include <cstdint>
#include <memory>

#include "tensor/buffer.h"

namespace ivl {

class Engine;

class Features {
 public:
  // `memory` is (rows, width) of the engine's decoder.
  Features(std::shared_ptr<Engine> engine, Buffer memory, DType type, int64_t rows, int64_t width);
  Features(Features&&) = default;
  ~Features();

  // Never reused: tells one picture's rows from another's in a sequence's cache.
  uint64_t id() const { return id_; }
  const Engine* engine() const { return engine_.get(); }
  int64_t rows() const { return rows_; }
  int64_t width() const { return width_; }
  Matrix matrix() const { return memory_.matrix(type_, rows_, width_); }
  // Waits for the computation that runs; works after the engine's close(), too.
  void copy_to(float* out) const;

 private:
  uint64_t id_;
  std::shared_ptr<Engine> engine_;
  Buffer memory_;
  DType type_;
  int64_t rows_;
  int64_t width_;
};

}  // namespace ivl
