// Passes as CUDA graphs. A step of decoding is hundreds of small launches, each some microseconds of the host's time; as a
// graph they are one.
//
// What is in a graph is never guessed from outside: each time the pass is run with a launch log (device/launch_log.h), which
// tells what it would launch and brings the arrays over that the kernels read. A graph is replayed only for the very launches it
// was captured from, arguments and addresses included; a buffer that grew or one more split of a long cache is another graph.
#pragma once

#include <functional>
#include <list>

#include "cuda/device.h"
#include "device/launch_log.h"

namespace ivl::cuda {

class LaunchGraphs {
 public:
  LaunchGraphs() = default;
  ~LaunchGraphs();
  LaunchGraphs(const LaunchGraphs&) = delete;
  LaunchGraphs& operator=(const LaunchGraphs&) = delete;

  // Queues what `pass` launches. It is called once, and once more if there is no graph of it yet.
  void run(const Device& device, const std::function<void()>& pass);

  // Captures so far.
  int captured() const { return captured_; }

 private:
  struct Kept {
    gpu::LaunchLog log;
    cudaGraphExec_t graph;
  };

  Kept& find_or_capture(const Device& device, const std::function<void()>& pass);

  std::list<Kept> kept_;  // the last used first
  int captured_ = 0;
};

}  // namespace ivl::cuda
