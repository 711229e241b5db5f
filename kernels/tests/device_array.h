// Device memory of a test: filled from the host, read back, freed at the end.
#pragma once

#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

#include "emulation/memory.h"

template <class T>
class DeviceArray {
 public:
  // Uninitialized: reading it in a kernel before something wrote it is a fault.
  explicit DeviceArray(size_t size, int device = 0)
      : size_(size), data_(reinterpret_cast<T*>(simt::allocate_global(size * sizeof(T), device))) {
    if (data_ == nullptr) {
      throw std::bad_alloc();
    }
  }
  explicit DeviceArray(const std::vector<T>& host, int device = 0) : DeviceArray(host.size(), device) { write(host); }
  ~DeviceArray() { simt::free_global(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() const { return data_; }
  void write(std::span<const T> host) {
    std::memcpy(data_, host.data(), host.size_bytes());
    simt::mark_written(data_, host.size_bytes());
  }
  std::vector<T> read() const { return {data_, data_ + size_}; }

 private:
  size_t size_;
  T* data_;
};
