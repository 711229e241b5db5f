// Pictures as the decoder sees them.
#pragma once

#include <atomic>
#include <memory>

#include "backend/backend.h"

namespace ivl {

class Features {
 public:
  Features(std::shared_ptr<Backend> backend, Buffer memory, int64_t rows, int64_t width)
      : id_(next_id()), backend_(std::move(backend)), memory_(std::move(memory)), rows_(rows), width_(width) {}

  // Never reused: tells one picture's rows from another's in a sequence's cache.
  uint64_t id() const { return id_; }
  int64_t rows() const { return rows_; }
  Matrix matrix() const { return memory_.matrix(backend_->activation_type(), rows_, width_); }
  void copy_to(float* out) const { backend_->to_host(out, matrix()); }

 private:
  static uint64_t next_id() {
    static std::atomic<uint64_t> last{0};
    return ++last;
  }

  uint64_t id_;
  std::shared_ptr<Backend> backend_;  // outlives the memory below
  Buffer memory_;
  int64_t rows_;
  int64_t width_;
};

}  // namespace ivl
