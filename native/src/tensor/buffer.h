// Memory owned by a backend, freed by it when the buffer goes.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include "tensor/matrix.h"

namespace ivl {

class Buffer {
 public:
  using Release = void (*)(void* context, void* data, size_t bytes) noexcept;

  Buffer() = default;
  Buffer(void* data, size_t bytes, Release release, void* context)
      : data_(data), bytes_(bytes), release_(release), context_(context) {}
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Buffer() {
    if (data_ != nullptr) release_(context_, data_, bytes_);
  }

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

  // The buffer's beginning as a dense matrix; the caller has sized the buffer for it.
  Matrix matrix(DType type, int64_t rows, int64_t cols) const { return {data_, type, rows, cols, cols}; }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(release_, other.release_);
    std::swap(context_, other.context_);
  }

  void* data_ = nullptr;
  size_t bytes_ = 0;
  Release release_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace ivl
