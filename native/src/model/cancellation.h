// Long work looks between layers whether its caller or the model's closing wants it to end.
#pragma once

#include <atomic>

#include "tensor/error.h"

namespace ivl {

class Cancellation {
 public:
  // Both flags outlive the work; `caller` may be null.
  Cancellation(const std::atomic<bool>& closing, const std::atomic<bool>* caller) : closing_(closing), caller_(caller) {}

  void check() const {
    if (closing_.load(std::memory_order_relaxed)) fail(Status::Closed, "the model was closed");
    if (caller_ != nullptr && caller_->load(std::memory_order_relaxed)) fail(Status::Cancelled, "cancelled by the caller");
  }

 private:
  const std::atomic<bool>& closing_;
  const std::atomic<bool>* caller_;
};

}  // namespace ivl
