// A lock that serves its callers in the order in which they came. std::mutex does not: a thread that gives it back and takes it
// again at once, as one that generates does between its steps, keeps the others out for as long as it likes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

namespace ivl {

class TicketLock {
 public:
  // Error(Internal) where std::mutex would wait for ever: the calling thread has it already.
  void lock();
  bool try_lock();
  // Hands it to the thread that has waited longest.
  void unlock();
  // Threads in lock() that wait.
  size_t waiting() const;

 private:
  struct Waiter {  // on its thread's stack
    std::condition_variable called;
    bool served = false;
    Waiter* next = nullptr;
  };

  mutable std::mutex mutex_;
  bool taken_ = false;
  std::thread::id owner_;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

}  // namespace ivl
