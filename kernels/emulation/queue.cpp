#include "emulation/queue.h"

#include <algorithm>
#include <string>

#include "emulation/memory.h"
#include "emulation/report.h"

namespace simt {
namespace {

// The stream that this thread captures.
thread_local cudaStream_t capturing = nullptr;

}  // namespace

Queue& queue() {
  static Queue one;
  return one;
}

// Opens device memory while emulated work runs.
class Queue::MemoryOpen {
 public:
  explicit MemoryOpen(const Queue& queue) : needed_(!queue.host_access_) {
    if (needed_ && depth_++ == 0) open_global(true);
  }
  ~MemoryOpen() {
    if (needed_ && --depth_ == 0) open_global(false);
  }
  MemoryOpen(const MemoryOpen&) = delete;
  MemoryOpen& operator=(const MemoryOpen&) = delete;

 private:
  static inline int depth_ = 0;
  bool needed_;
};

void Queue::set_host_access(bool allowed) {
  host_access_ = allowed;
  open_global(allowed);
}

// ---- streams -------------------------------------------------------------------------------------------------------

cudaStream_t Queue::create_stream() {
  streams_.push_back(std::make_unique<CUstream_st>());
  return streams_.back().get();
}

void Queue::destroy_stream(cudaStream_t stream) {
  streams_.erase(std::remove_if(streams_.begin(), streams_.end(), [&](const auto& s) { return s.get() == stream; }),
                 streams_.end());
}

bool Queue::has(cudaStream_t stream) const {
  return std::any_of(streams_.begin(), streams_.end(), [&](const auto& s) { return s.get() == stream; });
}

cudaError_t Queue::enqueue(cudaStream_t stream, std::function<void()> run, std::optional<LaunchRecord> launch) {
  if (stream != nullptr && stream == capturing) {
    stream->captured->nodes.push_back({std::move(run), std::move(launch)});
    return cudaSuccess;
  }
  if (launch) {
    if (records_ != nullptr) records_->push_back(*launch);
    if (addresses_only()) return cudaSuccess;
  }
  if (stream == nullptr) {
    const MemoryOpen open(*this);
    if (!finish_all()) return cudaErrorLaunchFailure;
    run();
    return cudaSuccess;
  }
  if (!has(stream)) {
    report(Fault::Host, __builtin_return_address(0), "a stream that does not exist");
    return cudaErrorInvalidResourceHandle;
  }
  stream->tasks.push_back({std::move(run), nullptr, 0});
  return cudaSuccess;
}

void Queue::enqueue_wait(cudaStream_t stream, std::shared_ptr<CUevent_st> event) {
  const uint64_t record = event->recorded;
  stream->tasks.push_back({[] {}, std::move(event), record});
}

// ---- running -------------------------------------------------------------------------------------------------------

void Queue::run_front(CUstream_st& stream) {
  const MemoryOpen open(*this);
  const std::function<void()> run = std::move(stream.tasks.front().run);
  stream.tasks.pop_front();
  run();
}

template <class Done>
bool Queue::run_until(const Done& done) {
  while (!done()) {
    std::vector<CUstream_st*> ready;
    for (const auto& stream : streams_) {
      if (stream->ready()) ready.push_back(stream.get());
    }
    if (ready.empty()) {
      report(Fault::Host, __builtin_return_address(0), "a wait for work that nothing will ever do");
      return false;
    }
    run_front(*ready[random_() % ready.size()]);
  }
  return true;
}

bool Queue::finish(cudaStream_t stream) {
  if (stream != nullptr) return run_until([&] { return stream->tasks.empty(); });
  return run_until([&] {
    return std::all_of(streams_.begin(), streams_.end(), [](const auto& s) { return s->tasks.empty(); });
  });
}

bool Queue::finish_until(const CUevent_st& event, uint64_t record) {
  return run_until([&] { return event.reached >= record; });
}

// ---- captures ------------------------------------------------------------------------------------------------------

bool Queue::begin_capture(cudaStream_t stream) {
  if (capturing != nullptr) return false;
  stream->captured = std::make_unique<CUgraph_st>();
  capturing = stream;
  return true;
}

std::unique_ptr<CUgraph_st> Queue::end_capture(cudaStream_t stream) {
  if (stream == nullptr || stream != capturing) return nullptr;
  capturing = nullptr;
  return std::move(stream->captured);
}

bool Queue::refused_in_capture(const char* what, const void* pc) {
  if (capturing == nullptr) return false;
  capturing->captured->valid = false;
  report(Fault::Host, pc, std::string("in a capture: ") + what);
  return true;
}

}  // namespace simt
