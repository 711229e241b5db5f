// Device memory of a test: filled from the host, read back, freed at the end.
#pragma once

#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "device/types.h"

template <class T>
class DeviceArray {
 public:
  // Uninitialized: reading it in a kernel before something wrote it is a fault.
  explicit DeviceArray(size_t size) : size_(size) {
    const cudaError_t error = cudaMalloc(reinterpret_cast<void**>(&data_), size * sizeof(T));
    if (error != cudaSuccess) {
      throw std::runtime_error(std::string("cudaMalloc: ") + cudaGetErrorString(error));
    }
  }
  explicit DeviceArray(const std::vector<T>& host) : DeviceArray(host.size()) { write(0, host); }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() const { return data_; }
  size_t size() const { return size_; }
  // Elements from `first` on.
  void write(size_t first, std::span<const T> host) {
    cudaMemcpyAsync(data_ + first, host.data(), host.size_bytes(), cudaMemcpyHostToDevice, nullptr);
    cudaStreamSynchronize(nullptr);
  }
  std::vector<T> read(size_t first, size_t count) const {
    std::vector<T> host(count);
#if defined(GPU_EMULATED)
    // Directly, because a copy of padding that nothing wrote would be reported.
    std::memcpy(host.data(), data_ + first, count * sizeof(T));
#else
    cudaMemcpyAsync(host.data(), data_ + first, count * sizeof(T), cudaMemcpyDeviceToHost, nullptr);
    cudaStreamSynchronize(nullptr);
#endif
    return host;
  }
  std::vector<T> read() const { return read(0, size_); }

 private:
  size_t size_;
  T* data_ = nullptr;
};
