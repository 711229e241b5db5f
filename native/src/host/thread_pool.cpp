#include "host/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "tensor/error.h"

namespace ivl {
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

ThreadPool::ThreadPool(const Threads& threads)
    : processors_(threads.processors), queues_(static_cast<size_t>(std::max(threads.count, 1))) {
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

void ThreadPool::Queue::set(int64_t first, int64_t last) {
  tasks.store(static_cast<uint64_t>(first) << 32 | static_cast<uint64_t>(last), std::memory_order_relaxed);
}

int64_t ThreadPool::Queue::take(bool first) {
  uint64_t seen = tasks.load(std::memory_order_relaxed);
  while (true) {
    const uint64_t begin = seen >> 32, end = seen & 0xffffffffu;
    if (begin >= end) return -1;
    const uint64_t left = first ? seen + (uint64_t{1} << 32) : seen - 1;
    if (tasks.compare_exchange_weak(seen, left, std::memory_order_relaxed)) return static_cast<int64_t>(first ? begin : end - 1);
  }
}

void ThreadPool::run_erased(std::span<const int64_t> bounds, Call call, const void* body) {
  require(bounds.size() - 1 <= queues_.size() && bounds.back() <= UINT32_MAX,
          "thread pool: a run for each thread, of countable tasks");
  const int64_t tasks = bounds.back() - bounds.front();
  if (tasks <= 0) return;
  if (current_pool == this) {
    for (int64_t task = bounds.front(); task < bounds.back(); ++task) call(body, task, current_thread);
    return;
  }
  const std::lock_guard<std::mutex> turn(callers_);
  const std::optional<Bound> bound = bind(0);
  call_ = call;
  body_ = body;
  runs_ = bounds.size() - 1;
  for (size_t run = 0; run < runs_; ++run) queues_[run].set(bounds[run], bounds[run + 1]);
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
    do_tasks(thread);
  } catch (...) {
    for (Queue& queue : queues_) queue.set(0, 0);  // the others need not begin more
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
  current_pool = outer_pool;
  current_thread = outer_thread;
}

void ThreadPool::do_tasks(int thread) {
  const size_t own = static_cast<size_t>(thread) % runs_;
  for (int64_t task; (task = queues_[own].take_first()) >= 0;) call_(body_, task, thread);
  for (size_t i = 1; i < runs_; ++i) {
    for (int64_t task; (task = queues_[(own + i) % runs_].take_last()) >= 0;) call_(body_, task, thread);
  }
}

}  // namespace ivl
