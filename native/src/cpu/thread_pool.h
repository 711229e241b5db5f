// The threads of one backend. They sleep between calls.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace ivl::cpu {

class ThreadPool {
 public:
  // `threads` counts the caller of run(): threads - 1 are started.
  explicit ThreadPool(int threads);
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
  void work(int thread);
  void take_tasks(int thread) noexcept;

  std::vector<std::thread> workers_;
  std::mutex callers_;  // one call at a time

  std::mutex mutex_;  // guards what follows
  std::condition_variable begin_, end_;
  uint64_t generation_ = 0;
  int working_ = 0;
  bool stopping_ = false;
  std::exception_ptr failure_;

  // The call in progress; written before the workers wake.
  Call call_ = nullptr;
  const void* body_ = nullptr;
  int64_t tasks_ = 0;
  std::atomic<int64_t> next_{0};
};

}  // namespace ivl::cpu
