// One GPU: its memory and the stream that all its work is queued on.
#pragma once

#include <bit>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/cuda_error.h"
#include "tensor/buffer.h"

namespace ivl::cuda {

class Device {
 public:
  explicit Device(int ordinal);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Makes it the calling thread's current device; every operation begins with it.
  void use() const { check(cudaSetDevice(ordinal_), "cudaSetDevice"); }
  int ordinal() const { return ordinal_; }
  cudaStream_t stream() const { return stream_; }
  // "NVIDIA H100 80GB HBM3 (compute capability 9.0)"
  const std::string& name() const { return name_; }

  // Zeroed. Error(OutOfMemory) says how much was asked for and how much is free. The buffer may be freed on any thread,
  // and outlive the device object.
  Buffer allocate(size_t bytes) const;
  // Queues copies; host memory is not used any more when they return.
  void upload(void* to, const void* from, size_t bytes) const;
  void upload_rows(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t rows) const;
  void move_rows(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t rows) const;
  // Copies when all that was queued before is done.
  void download_rows(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t rows) const;
  // Queues a copy from another device's memory, behind all that was queued there before, and before all that will be. Not in a
  // pass that is captured: events of other streams are no part of a graph.
  void receive(void* to, const void* from, size_t bytes, const Device& other) const;
  void wait() const { check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }
  // Seconds on the stream from the first of what `work` queues to the last of it. Waits for all of it.
  double timed(const std::function<void()>& work) const;

 private:
  int ordinal_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t sent_ = nullptr;      // what others wait for before they copy from here
  cudaEvent_t received_ = nullptr;  // what others wait for before they go on, when something was copied from there
  std::string name_;
};

// An array that the host writes and kernels read: it is brought over when its content is another than before. The layers
// of a pass ask for the same one each, and only the first one's copy is made. A pass gives each of its arrays one content
// alone: a graph replays the kernels, not the copies between them.
template <class T>
class UploadedArray {
 public:
  const T* on(const Device& device, std::vector<T> values) {
    for (T& value : values) __builtin_clear_padding(&value);  // or equal ones would not compare equal
    const size_t bytes = values.size() * sizeof(T);
    const bool same = values.size() == last_.size() && std::memcmp(values.data(), last_.data(), bytes) == 0;
    if (!same) {
      last_.clear();
      if (memory_.bytes() < bytes) {
        memory_ = Buffer();
        memory_ = device.allocate(std::bit_ceil(bytes));  // what grows with an answer does not move with each of its tokens
      }
      device.upload(memory_.data(), values.data(), bytes);
      last_ = std::move(values);
    }
    return static_cast<const T*>(memory_.data());
  }

 private:
  Buffer memory_;
  std::vector<T> last_;
};

}  // namespace ivl::cuda
