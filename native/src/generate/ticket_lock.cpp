#include "generate/ticket_lock.h"

#include "tensor/error.h"

namespace ivl {

void TicketLock::lock() {
  std::unique_lock<std::mutex> lock(mutex_);
  const std::thread::id caller = std::this_thread::get_id();
  if (!taken_) {
    taken_ = true;
  } else {
    require(owner_ != caller, "a thread takes a turn only once at a time");
    Waiter self;
    (first_ == nullptr ? first_ : last_->next) = &self;
    last_ = &self;
    self.called.wait(lock, [&] { return self.served; });
  }
  owner_ = caller;
}

bool TicketLock::try_lock() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (taken_) return false;
  taken_ = true;
  owner_ = std::this_thread::get_id();
  return true;
}

void TicketLock::unlock() {
  const std::lock_guard<std::mutex> lock(mutex_);
  owner_ = {};
  if (first_ == nullptr) {
    taken_ = false;
    return;
  }
  // It stays taken: nobody who comes now is before those who wait.
  Waiter* served = first_;
  first_ = served->next;
  served->served = true;
  served->called.notify_one();  // under the mutex, since the waiter is gone as soon as it has that
}

size_t TicketLock::waiting() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  size_t count = 0;
  for (const Waiter* waiter = first_; waiter != nullptr; waiter = waiter->next) ++count;
  return count;
}

}  // namespace ivl
