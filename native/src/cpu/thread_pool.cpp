#include "cpu/thread_pool.h"

#include <chrono>
#include <optional>

namespace ivl::cpu {
namespace {

// The pool whose task this thread is running, if any, and as which thread.
thread_local const ThreadPool* current_pool = nullptr;
thread_local int current_thread = 0;

constexpr std::chrono::microseconds kPatience{50};

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Whether `condition` comes true while one waits awake.
template <class Condition>
bool soon(const Condition& condition) {
  constexpr int kLooks = 64;  // between two glances at the clock
  const auto begin = std::chrono::steady_clock::now();
  do {
    for (int look = 0; look < kLooks; ++look) {
      if (condition()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() - begin < kPatience);
  return false;
}

}  // namespace

ThreadPool::ThreadPool(const Threads& threads) : processors_(threads.processors) {
  try {
    for (int thread = 1; thread < threads.count; ++thread) workers_.emplace_back([this, thread] { work(thread); });
  } catch (...) {
    // The system grants no more threads: those there are will do.
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  begin_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run_erased(int64_t tasks, Call call, const void* body) {
  if (tasks <= 0) return;
  if (current_pool == this) {
    for (int64_t task = 0; task < tasks; ++task) call(body, task, current_thread);
    return;
  }
  const std::lock_guard<std::mutex> turn(callers_);
  const std::optional<Bound> bound = bind(0);
  call_ = call;
  body_ = body;
  tasks_ = tasks;
  next_.store(0, std::memory_order_relaxed);
  failure_ = nullptr;
  const bool alone = tasks == 1 || workers_.empty();
  if (!alone) begin_call();
  take_tasks(0);
  if (!alone) wait_for_workers();
  if (failure_) std::rethrow_exception(failure_);
}

void ThreadPool::begin_call() {
  working_ = static_cast<int>(workers_.size());
  bool anyone_sleeps = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++generation_;
    anyone_sleeps = sleeping_ > 0;
  }
  if (anyone_sleeps) begin_.notify_all();
}

// A worker that comes to zero after caller_sleeps_ was set sees it; one that came there before is seen here.
void ThreadPool::wait_for_workers() {
  if (soon([this] { return working_ == 0; })) return;
  std::unique_lock<std::mutex> lock(mutex_);
  caller_sleeps_ = true;
  end_.wait(lock, [this] { return working_ == 0; });
  caller_sleeps_ = false;
}

bool ThreadPool::wait_for_call(uint64_t seen) {
  const auto called = [&] { return stopping_ || generation_ != seen; };
  if (!soon(called)) {
    std::unique_lock<std::mutex> lock(mutex_);
    ++sleeping_;
    begin_.wait(lock, called);
    --sleeping_;
  }
  return !stopping_;
}

std::optional<Bound> ThreadPool::bind(size_t thread) const {
  return processors_.empty() ? std::nullopt : std::optional<Bound>(std::in_place, processors_[thread]);
}

void ThreadPool::work(int thread) {
  const std::optional<Bound> bound = bind(static_cast<size_t>(thread));
  // Every worker takes part in every call, so it cannot miss one.
  for (uint64_t seen = 0; wait_for_call(seen); ++seen) {
    take_tasks(thread);
    if (--working_ == 0 && caller_sleeps_) {
      const std::lock_guard<std::mutex> lock(mutex_);
      end_.notify_one();
    }
  }
}

void ThreadPool::take_tasks(int thread) noexcept {
  const ThreadPool* outer_pool = current_pool;
  const int outer_thread = current_thread;
  current_pool = this;
  current_thread = thread;
  try {
    while (true) {
      const int64_t task = next_.fetch_add(1, std::memory_order_relaxed);
      if (task >= tasks_) break;
      call_(body_, task, thread);
    }
  } catch (...) {
    next_.store(tasks_, std::memory_order_relaxed);  // the others need not begin more
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
  current_pool = outer_pool;
  current_thread = outer_thread;
}

}  // namespace ivl::cpu
