#include "cuda/device.h"

namespace ivl::cuda {
namespace {

void release(void* /*context*/, void* data, size_t /*bytes*/) noexcept {
  // Frees on the memory's own device, whichever is current. An error here would be an earlier operation's.
  if (cudaFree(data) != cudaSuccess) cudaGetLastError();
}

// A point in a stream that knows its time.
class TimedEvent {
 public:
  TimedEvent() { check(cudaEventCreateWithFlags(&event_, 0), "cudaEventCreate"); }
  ~TimedEvent() { cudaEventDestroy(event_); }
  TimedEvent(const TimedEvent&) = delete;
  TimedEvent& operator=(const TimedEvent&) = delete;

  void record(cudaStream_t stream) { check(cudaEventRecord(event_, stream), "cudaEventRecord"); }
  // Once both were passed.
  double seconds_since(const TimedEvent& begin) const {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin.event_, event_), "cudaEventElapsedTime");
    return milliseconds / 1e3;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace

Device::Device(int ordinal) : ordinal_(ordinal) {
  use();
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
  name_ = cat(properties.name, " (compute capability ", properties.major, ".", properties.minor, ")");
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
  check(cudaEventCreateWithFlags(&sent_, cudaEventDisableTiming), "cudaEventCreate");
  check(cudaEventCreateWithFlags(&received_, cudaEventDisableTiming), "cudaEventCreate");
}

Device::~Device() {
  if (cudaSetDevice(ordinal_) != cudaSuccess) return;
  cudaStreamDestroy(stream_);
  cudaEventDestroy(sent_);
  cudaEventDestroy(received_);
}

void Device::receive(void* to, const void* from, size_t bytes, const Device& other) const {
  other.use();
  check(cudaEventRecord(other.sent_, other.stream_), "cudaEventRecord");
  use();
  check(cudaStreamWaitEvent(stream_, other.sent_, 0), "cudaStreamWaitEvent");
  check(cudaMemcpyPeerAsync(to, ordinal_, from, other.ordinal_, bytes, stream_), "copy between GPUs");
  // What the other does next may write there again: the next piece of a prompt, say. A wait is for the last record before it, so
  // both events can be used again at once.
  check(cudaEventRecord(received_, stream_), "cudaEventRecord");
  check(cudaStreamWaitEvent(other.stream_, received_, 0), "cudaStreamWaitEvent");
}

double Device::timed(const std::function<void()>& work) const {
  use();
  TimedEvent begin, end;
  begin.record(stream_);
  work();
  use();  // `work` may have been elsewhere
  end.record(stream_);
  wait();
  return end.seconds_since(begin);
}

Buffer Device::allocate(size_t bytes) const {
  if (bytes == 0) return {};
  use();
  void* data = nullptr;
  const cudaError_t error = cudaMalloc(&data, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    size_t free = 0;
    size_t total = 0;
    check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
    fail(Status::OutOfMemory,
         cat("GPU ", ordinal_, " has no ", bytes >> 20, " MiB of memory left: ", free >> 20, " of ", total >> 20, " MiB are free"));
  }
  check(error, "cudaMalloc");
  Buffer buffer(data, bytes, release, nullptr);
  check(cudaMemsetAsync(data, 0, bytes, stream_), "cudaMemset");
  return buffer;
}

void Device::upload(void* to, const void* from, size_t bytes) const {
  use();
  // From pageable memory: CUDA has read it when the call returns.
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "copy to the GPU");
}

void Device::upload_rows(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t rows) const {
  use();
  check(cudaMemcpy2DAsync(to, to_pitch, from, from_pitch, width, rows, cudaMemcpyHostToDevice, stream_), "copy to the GPU");
}

void Device::move_rows(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t rows) const {
  use();
  check(cudaMemcpy2DAsync(to, to_pitch, from, from_pitch, width, rows, cudaMemcpyDeviceToDevice, stream_), "copy on the GPU");
}

void Device::download_rows(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t rows) const {
  use();
  check(cudaMemcpy2DAsync(to, to_pitch, from, from_pitch, width, rows, cudaMemcpyDeviceToHost, stream_), "copy from the GPU");
  wait();
}

}  // namespace ivl::cuda
