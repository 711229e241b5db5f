// What host code gave the emulated runtime to do: streams of work that run late, when somebody waits for them, and take
// turns by lot, bound only by their order and by events; and work captured into graphs. Whatever the lot, order.h knows what
// nothing orders. One thread at a time: runtime.cpp sees to that.
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

#include "emulation/order.h"
#include "emulation/pinned.h"
#include "emulation/runtime.h"

namespace simt {

// Something to do on a stream, once, or in a graph each time it is launched.
struct Work {
  std::function<void()> run;
  WorkName name;
  std::optional<LaunchRecord> launch;
  std::optional<PinnedUse> pinned;  // host memory that it touches
};

}  // namespace simt

// An event is where its last record stands: `recorded` counts them, `reached` is how far the streams have come.
struct CUevent_st {
  uint64_t recorded = 0;
  uint64_t reached = 0;
  simt::Clock done;  // when the last record is reached
  int device = 0;
  bool timed = true;
  std::chrono::steady_clock::time_point when;  // it was last reached
};

// Work in the order it was captured.
struct CUgraph_st {
  std::vector<simt::Work> nodes;
  bool valid = true;
};

struct CUgraphExec_st {
  std::vector<simt::Work> nodes;
};

struct CUstream_st {
  struct Task {
    std::function<void()> run;
    simt::WorkId work = 0;
    simt::Clock known;                    // what comes before it
    std::shared_ptr<CUevent_st> awaited;  // with `count`: not before that record
    uint64_t count = 0;
  };
  std::deque<Task> tasks;
  int device = 0;
  size_t lane = 0;
  simt::Clock done;                      // when all of its tasks are
  std::unique_ptr<CUgraph_st> captured;  // while it is
  bool ready() const {
    return !tasks.empty() && (tasks.front().awaited == nullptr || tasks.front().awaited->reached >= tasks.front().count);
  }
};

namespace simt {

class Queue {
 public:
  cudaStream_t create_stream(int device);
  void destroy_stream(cudaStream_t stream);
  bool has(cudaStream_t stream) const;

  // Behind what the stream has, or into its capture. The null stream waits for all others and runs it now.
  cudaError_t enqueue(cudaStream_t stream, Work work);
  // The event is where the stream is now.
  cudaError_t enqueue_record(cudaStream_t stream, const std::shared_ptr<CUevent_st>& event);
  // The stream goes on behind the event's last record.
  void enqueue_wait(cudaStream_t stream, std::shared_ptr<CUevent_st> event);

  // Run work until there is none, of one stream or of all (null), or until an event has reached its last record. False, and
  // reported, if that will never be. Host code waits for these; finish_unseen() is for what it must not rely on.
  bool finish(cudaStream_t stream);
  bool finish_until(const CUevent_st& event);
  bool finish_device(int device);
  bool finish_unseen();

  // A thread captures one stream at a time.
  bool begin_capture(cudaStream_t stream);
  std::unique_ptr<CUgraph_st> end_capture(cudaStream_t stream);  // null if the thread does not capture it
  // What a capture cannot hold ends it; `what` names it. False if this thread captures nothing, nor another this stream.
  bool refused_in_capture(const char* what, const void* pc, cudaStream_t stream = nullptr);

  void record_launches(std::vector<LaunchRecord>* records) { records_ = records; }
  // Without it device memory is open only while work runs.
  void set_host_access(bool allowed);

 private:
  class MemoryOpen;
  template <class Done>
  bool run_until(const Done& done);
  void run_front(CUstream_st& stream);
  cudaError_t run_now(const Work& work);
  void capture(CUstream_st& stream, Work work);
  static void host_learns(const Clock& done);

  size_t null_lane_ = order().open_lane();
  std::vector<std::unique_ptr<CUstream_st>> streams_;
  std::mt19937_64 random_;
  std::vector<LaunchRecord>* records_ = nullptr;
  bool host_access_ = true;
};

Queue& queue();

}  // namespace simt
