// The threads of one backend. A pass asks for them every few dozen microseconds, which is less than it takes to wake a thread:
// they stay awake for a moment after each call, and sleep when no other follows.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "host/affinity.h"

namespace ivl {

class ThreadPool {
 public:
  // threads.count counts the caller of run(): the others are started. The caller is bound to its processor while it is in run().
  explicit ThreadPool(const Threads& threads);
  explicit ThreadPool(int threads) : ThreadPool(Threads{threads, {}}) {}
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // body(task, thread) for every task in [0, tasks), each once, thread in [0, threads()). Returns when all are done. The
  // first exception of a body is thrown here, after the others have come to rest. Callers take turns; a body that calls
  // run() of its own pool gets its tasks done by itself.
  template <class Body>
  void run(int64_t tasks, const Body& body) {
    const int64_t bounds[] = {0, tasks};
    run_erased(bounds, &call_of<Body>, &body);
  }

  // The same for tasks in runs, [bounds[i], bounds[i + 1]), at most one for each thread: thread i does run i in order, then helps with
  // the others, from their last tasks on.
  template <class Body>
  void run_apart(std::span<const int64_t> bounds, const Body& body) {
    run_erased(bounds, &call_of<Body>, &body);
  }

 private:
  using Call = void (*)(const void* body, int64_t task, int thread);

  // Tasks that are not begun, [first, last): taken by exchange of both numbers at once.
  struct alignas(64) Queue {
    std::atomic<uint64_t> tasks{0};  // first in the upper half, last in the lower

    void set(int64_t first, int64_t last);
    // -1: none is left.
    int64_t take_first() { return take(true); }
    int64_t take_last() { return take(false); }
    int64_t take(bool first);
  };

  template <class Body>
  static void call_of(const void* body, int64_t task, int thread) {
    (*static_cast<const Body*>(body))(task, thread);
  }
  void run_erased(std::span<const int64_t> bounds, Call call, const void* body);
  void begin_call();
  void wait_for_workers();
  void work(int thread);
  // False: the pool is coming to its end.
  bool wait_for_call(uint64_t seen);
  void take_tasks(int thread) noexcept;
  void do_tasks(int thread);
  std::optional<Bound> bind(size_t thread) const;

  std::vector<std::thread> workers_;
  std::vector<int> processors_;  // of the caller and the workers; empty: not bound
  std::mutex callers_;           // one call at a time

  std::mutex mutex_;  // for those who sleep
  std::condition_variable begin_, end_;
  std::atomic<uint64_t> generation_{0};  // counts calls
  std::atomic<int> working_{0};          // workers that are not done with the call
  std::atomic<bool> stopping_{false};
  std::atomic<bool> caller_sleeps_{false};
  int sleeping_ = 0;            // workers; under mutex_
  std::exception_ptr failure_;  // under mutex_

  // The call in progress; written before generation_ grows.
  Call call_ = nullptr;
  const void* body_ = nullptr;
  size_t runs_ = 0;
  std::vector<Queue> queues_;  // one for each thread, of which runs_ have had tasks
};

}  // namespace ivl
