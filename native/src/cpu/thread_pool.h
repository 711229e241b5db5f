// The threads of one backend. A pass asks for them every few dozen microseconds, which is less than it takes to wake a thread:
// they stay awake for a moment after each call, and sleep when no other follows.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "cpu/affinity.h"

namespace ivl::cpu {

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
    run_erased(tasks, [](const void* b, int64_t task, int thread) { (*static_cast<const Body*>(b))(task, thread); },
               &body);
  }

 private:
  using Call = void (*)(const void* body, int64_t task, int thread);

  void run_erased(int64_t tasks, Call call, const void* body);
  void begin_call();
  void wait_for_workers();
  void work(int thread);
  // False: the pool is coming to its end.
  bool wait_for_call(uint64_t seen);
  void take_tasks(int thread) noexcept;
  std::optional<Bound> bind(size_t thread) const;

  std::vector<std::thread> workers_;
  std::vector<int> processors_;  // of the caller and the workers; empty: not bound
  std::mutex callers_;  // one call at a time

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
  int64_t tasks_ = 0;
  std::atomic<int64_t> next_{0};
};

}  // namespace ivl::cpu
