// What a pass would launch: which kernels, how large, with which arguments. While a thread keeps a log, its launches go there
// instead of to the GPU. Two passes with equal logs are the same work, which is when a recorded graph may stand for a pass
// (native/src/cuda/launch_graphs.h).
#pragma once

#include <cstddef>
#include <vector>

namespace gpu {

class LaunchLog {
 public:
  template <class... Values>
  void add(Values... values) {
    (append(values), ...);
  }
  friend bool operator==(const LaunchLog& a, const LaunchLog& b) { return a.bytes_ == b.bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  // What lies between a structure's members says nothing.
  template <class Value>
  void append(Value value) {
    __builtin_clear_padding(&value);
    const auto* begin = reinterpret_cast<const unsigned char*>(&value);
    bytes_.insert(bytes_.end(), begin, begin + sizeof value);
  }

  std::vector<unsigned char> bytes_;
};

// The calling thread's log, null as long as launches are for the GPU.
inline LaunchLog*& launch_log() {
  static thread_local LaunchLog* log = nullptr;
  return log;
}

}  // namespace gpu
