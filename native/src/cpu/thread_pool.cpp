#include "cpu/thread_pool.h"

namespace ivl::cpu {
namespace {

// The pool whose task this thread is running, if any, and as which thread.
thread_local const ThreadPool* current_pool = nullptr;
thread_local int current_thread = 0;

}  // namespace

ThreadPool::ThreadPool(int threads) {
  try {
    for (int thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { work(thread); });
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
  const bool alone = tasks == 1 || workers_.empty();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    call_ = call;
    body_ = body;
    tasks_ = tasks;
    next_.store(0, std::memory_order_relaxed);
    failure_ = nullptr;
    if (!alone) {
      working_ = static_cast<int>(workers_.size());
      ++generation_;
    }
  }
  if (!alone) begin_.notify_all();
  take_tasks(0);
  std::unique_lock<std::mutex> lock(mutex_);
  end_.wait(lock, [this] { return working_ == 0; });
  if (failure_) std::rethrow_exception(failure_);
}

void ThreadPool::work(int thread) {
  uint64_t seen = 0;
  while (true) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      begin_.wait(lock, [&] { return stopping_ || generation_ != seen; });
      if (stopping_) return;
      seen = generation_;
    }
    take_tasks(thread);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--working_ == 0) end_.notify_one();
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
