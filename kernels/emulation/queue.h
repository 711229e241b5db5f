// What host code gave the emulated runtime to do: streams of work that run late, when somebody waits for them, and take
// turns by lot, bound only by their order and by events; and work captured into graphs. One thread at a time: runtime.cpp
// sees to that.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "emulation/runtime.h"

// An event is where its last record stands: `recorded` counts them, `reached` is how far the streams have come.
struct CUevent_st {
  uint64_t recorded = 0;
  uint64_t reached = 0;
  bool timed = true;
  std::chrono::steady_clock::time_point when;  // it was last reached
};

// Work in the order it was captured.
struct CUgraph_st {
  struct Node {
    std::function<void()> run;
    std::optional<simt::LaunchRecord> launch;
  };
  std::vector<Node> nodes;
  bool valid = true;
};

struct CUgraphExec_st {
  std::vector<CUgraph_st::Node> nodes;
};

struct CUstream_st {
  struct Task {
    std::function<void()> run;
    std::shared_ptr<CUevent_st> awaited;  // with `count`: not before that record
    uint64_t count = 0;
  };
  std::deque<Task> tasks;
  std::unique_ptr<CUgraph_st> captured;  // while it is
  bool ready() const {
    return !tasks.empty() && (tasks.front().awaited == nullptr || tasks.front().awaited->reached >= tasks.front().count);
  }
};

namespace simt {

class Queue {
 public:
  cudaStream_t create_stream();
  void destroy_stream(cudaStream_t stream);
  bool has(cudaStream_t stream) const;

  // Behind what the stream has, or into its capture. The null stream waits for all others and runs it now.
  cudaError_t enqueue(cudaStream_t stream, std::function<void()> run, std::optional<LaunchRecord> launch = {});
  // The stream goes on behind the event's last record.
  void enqueue_wait(cudaStream_t stream, std::shared_ptr<CUevent_st> event);

  // Run work until there is none, of one stream or of all (null), or until an event has reached a record. False, and
  // reported, if that will never be.
  bool finish(cudaStream_t stream);
  bool finish_all() { return finish(nullptr); }
  bool finish_until(const CUevent_st& event, uint64_t record);

  // A thread captures one stream at a time.
  bool begin_capture(cudaStream_t stream);
  std::unique_ptr<CUgraph_st> end_capture(cudaStream_t stream);  // null if the thread does not capture it
  // What a capture cannot hold ends it; `what` names it. False if this thread captures nothing.
  bool refused_in_capture(const char* what, const void* pc);

  void record_launches(std::vector<LaunchRecord>* records) { records_ = records; }
  // Without it device memory is open only while work runs.
  void set_host_access(bool allowed);

 private:
  class MemoryOpen;
  template <class Done>
  bool run_until(const Done& done);
  void run_front(CUstream_st& stream);

  std::vector<std::unique_ptr<CUstream_st>> streams_;
  std::mt19937_64 random_;
  std::vector<LaunchRecord>* records_ = nullptr;
  bool host_access_ = true;
};

Queue& queue();

}  // namespace simt
