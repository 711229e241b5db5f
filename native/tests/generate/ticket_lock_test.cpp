#include "generate/ticket_lock.h"

#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "tensor/error.h"

namespace ivl {
namespace {

void wait_for(const TicketLock& lock, size_t waiting) {
  while (lock.waiting() < waiting) std::this_thread::yield();
}

TEST(TicketLockThreads, ServesInTheOrderOfComing) {
  TicketLock lock;
  std::vector<int> served;
  std::vector<std::thread> threads;
  lock.lock();
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const std::lock_guard<TicketLock> turn(lock);
      served.push_back(i);
    });
    wait_for(lock, static_cast<size_t>(i) + 1);
  }
  EXPECT_FALSE(lock.try_lock());
  lock.unlock();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

// A std::mutex would be taken again by the thread that has just given it back.
TEST(TicketLockThreads, WhoComesAgainComesLast) {
  TicketLock lock;
  std::vector<char> served;
  lock.lock();
  std::jthread other([&] {
    for (int i = 0; i < 3; ++i) {
      lock.lock();
      served.push_back('b');
      wait_for(lock, 1);
      lock.unlock();
    }
  });
  for (int i = 0; i < 3; ++i) {
    served.push_back('a');
    wait_for(lock, 1);
    lock.unlock();
    lock.lock();
  }
  lock.unlock();
  other.join();
  EXPECT_EQ(served, (std::vector<char>{'a', 'b', 'a', 'b', 'a', 'b'}));
}

TEST(TicketLock, TakingItTwiceIsAnErrorAndNoDeadlock) {
  TicketLock lock;
  lock.lock();
  EXPECT_THROW(lock.lock(), Error);
  EXPECT_FALSE(lock.try_lock());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

}  // namespace
}  // namespace ivl
