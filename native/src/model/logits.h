// The logits of a pass, where the decoder's last stage left them.
#pragma once

#include <memory>
#include <vector>

#include "backend/backend.h"

namespace ivl {

// (rows, vocabulary) f32. As long as somebody holds them, no other pass writes over them.
struct Logits {
  std::shared_ptr<Backend> backend;
  std::shared_ptr<const Buffer> memory;
  Matrix matrix;

  Logits row_range(int64_t begin, int64_t count) const { return {backend, memory, matrix.row_range(begin, count)}; }
};

// Memory for logits that is used again once it was let go. Passes one behind the other then find the same addresses, which a
// backend that keeps its launches (Backend::repeat) needs.
class LogitsPool {
 public:
  LogitsPool(std::shared_ptr<Backend> backend, int64_t vocabulary) : backend_(std::move(backend)), vocabulary_(vocabulary) {}

  // Rows begin with a cache line, as kernels like it. Error(OutOfMemory) as Backend::allocate.
  Logits take(int64_t rows) {
    constexpr int64_t kAlign = 64 / sizeof(float);
    const int64_t stride = (vocabulary_ + kAlign - 1) / kAlign * kAlign;
    std::shared_ptr<Buffer>& memory = unused();
    const size_t bytes = static_cast<size_t>(rows * stride) * sizeof(float);
    if (memory->bytes() < bytes) {
      *memory = Buffer();  // give back before taking: never both
      *memory = backend_->allocate(bytes);
    }
    return {backend_, memory, {memory->data(), DType::F32, rows, vocabulary_, stride}};
  }

 private:
  std::shared_ptr<Buffer>& unused() {
    for (std::shared_ptr<Buffer>& memory : memory_) {
      if (memory.use_count() == 1) return memory;
    }
    return memory_.emplace_back(std::make_shared<Buffer>());
  }

  std::shared_ptr<Backend> backend_;
  int64_t vocabulary_;
  std::vector<std::shared_ptr<Buffer>> memory_;
};

}  // namespace ivl
