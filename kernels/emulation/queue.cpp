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

cudaStream_t Queue::create_stream(int device) {
  streams_.push_back(std::make_unique<CUstream_st>());
  streams_.back()->device = device;
  streams_.back()->lane = order().open_lane();
  return streams_.back().get();
}

void Queue::destroy_stream(cudaStream_t stream) {
  order().close_lane(stream->lane);
  streams_.erase(std::remove_if(streams_.begin(), streams_.end(), [&](const auto& s) { return s.get() == stream; }),
                 streams_.end());
}

bool Queue::has(cudaStream_t stream) const {
  return std::any_of(streams_.begin(), streams_.end(), [&](const auto& s) { return s.get() == stream; });
}

cudaError_t Queue::enqueue(cudaStream_t stream, Work work) {
  if (stream != nullptr && !has(stream)) {
    report(Fault::Host, work.name.place, "a stream that does not exist");
    return cudaErrorInvalidResourceHandle;
  }
  if (stream != nullptr && stream->captured != nullptr) {
    capture(*stream, std::move(work));
    return cudaSuccess;
  }
  if (work.launch) {
    if (records_ != nullptr) records_->push_back(*work.launch);
    if (addresses_only()) return cudaSuccess;
  }
  if (stream == nullptr) return run_now(work);
  stream->done.learn(order().host());
  Clock known = stream->done;
  const WorkId id = order().add(stream->lane, stream->done, std::move(work.name));
  if (work.pinned) add_pinned_use(*work.pinned, stream->done);
  stream->tasks.push_back({std::move(work.run), id, std::move(known), nullptr, 0});
  return cudaSuccess;
}

cudaError_t Queue::enqueue_record(cudaStream_t stream, const std::shared_ptr<CUevent_st>& event) {
  const uint64_t count = ++event->recorded;
  const cudaError_t error = enqueue(stream, {[event, count] {
                                               event->reached = std::max(event->reached, count);
                                               event->when = std::chrono::steady_clock::now();
                                             },
                                             {"an event", nullptr},
                                             {},
                                             {}});
  event->done = stream == nullptr ? order().host() : stream->done;
  return error;
}

void Queue::enqueue_wait(cudaStream_t stream, std::shared_ptr<CUevent_st> event) {
  const uint64_t record = event->recorded;
  stream->done.learn(event->done);
  stream->tasks.push_back({[] {}, 0, {}, std::move(event), record});
}

// ---- running -------------------------------------------------------------------------------------------------------

void Queue::run_front(CUstream_st& stream) {
  const CUstream_st::Task task = std::move(stream.tasks.front());
  stream.tasks.pop_front();
  if (task.work != 0) order().begin(task.work, task.known);
  task.run();
  order().end();
}

cudaError_t Queue::run_now(const Work& work) {
  const MemoryOpen open(*this);
  if (!finish(nullptr)) return cudaErrorLaunchFailure;
  const Clock known = order().host();
  Clock done = known;
  order().begin(order().add(null_lane_, done, work.name), known);
  work.run();
  order().end();
  host_learns(done);
  return cudaSuccess;
}

template <class Done>
bool Queue::run_until(const Done& done) {
  if (done()) return true;
  const MemoryOpen open(*this);
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

void Queue::host_learns(const Clock& done) {
  order().host_learns(done);
  forget_pinned_uses(order().host());
}

bool Queue::finish(cudaStream_t stream) {
  if (stream == nullptr) {
    for (const auto& one : streams_) {
      if (!finish(one.get())) return false;
    }
    return true;
  }
  if (!run_until([&] { return stream->tasks.empty(); })) return false;
  host_learns(stream->done);
  return true;
}

bool Queue::finish_until(const CUevent_st& event) {
  const uint64_t record = event.recorded;
  if (!run_until([&] { return event.reached >= record; })) return false;
  host_learns(event.done);
  return true;
}

bool Queue::finish_device(int device) {
  if (!finish_unseen()) return false;
  for (const auto& stream : streams_) {
    if (stream->device == device) host_learns(stream->done);
  }
  return true;
}

bool Queue::finish_unseen() {
  return run_until([&] { return std::all_of(streams_.begin(), streams_.end(), [](const auto& s) { return s->tasks.empty(); }); });
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

// What another thread queues becomes a part of the graph, too: the stream is captured, not the thread's calls.
void Queue::capture(CUstream_st& stream, Work work) {
  if (&stream != capturing) {
    report(Fault::Host, work.name.place, work.name.what + " is queued by a thread on a stream that another captures");
  }
  stream.captured->nodes.push_back(std::move(work));
}

bool Queue::refused_in_capture(const char* what, const void* pc, cudaStream_t stream) {
  const bool others = stream != nullptr && stream != capturing && stream->captured != nullptr;
  if (capturing == nullptr && !others) return false;
  (others ? stream : capturing)->captured->valid = false;
  report(Fault::Host, pc, std::string(others ? "in a capture by another thread: " : "in a capture: ") + what);
  return true;
}

}  // namespace simt
