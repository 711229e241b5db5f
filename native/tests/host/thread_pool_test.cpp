#include "host/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <stdexcept>
#include <vector>

#include "tensor/error.h"

namespace ivl {
namespace {

TEST(ThreadPoolThreads, EveryTaskRunsOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    for (const int64_t tasks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
      pool.run(tasks, [&](int64_t task, int thread) {
        ++runs[static_cast<size_t>(task)];
        EXPECT_LT(thread, pool.threads());
      });
      for (const auto& count : runs) EXPECT_EQ(count, 1);
    }
  }
}

TEST(ThreadPoolThreads, EveryTaskOfEveryRunRunsOnce) {
  for (const std::vector<int64_t>& bounds : std::vector<std::vector<int64_t>>{
           {0, 0}, {0, 1}, {0, 9}, {0, 3, 7}, {0, 0, 5}, {0, 5, 5}, {0, 1, 100, 101}, {2, 4, 6}, {0, 0, 0, 0}}) {
    ThreadPool pool(3);
    std::vector<std::atomic<int>> runs(static_cast<size_t>(bounds.back()));
    pool.run_apart(bounds, [&](int64_t task, int thread) {
      ++runs[static_cast<size_t>(task)];
      EXPECT_LT(thread, pool.threads());
    });
    for (size_t task = 0; task < runs.size(); ++task) EXPECT_EQ(runs[task], static_cast<int64_t>(task) < bounds[0] ? 0 : 1);
  }
}

TEST(ThreadPoolThreads, ARunIsDoneInOrderAndThenOthersFromTheirEnds) {
  ThreadPool pool(1);
  std::vector<int64_t> order;
  pool.run_apart(std::vector<int64_t>{0, 4}, [&](int64_t task, int) { order.push_back(task); });
  EXPECT_EQ(order, (std::vector<int64_t>{0, 1, 2, 3}));

  // The second thread's first task lasts until the first has done all the others.
  ThreadPool two(2);
  order.clear();
  std::atomic<int> done{0};
  std::atomic<bool> begun{false};
  two.run_apart(std::vector<int64_t>{0, 2, 6}, [&](int64_t task, int thread) {
    if (thread == 1) {
      EXPECT_EQ(task, 2);
      begun = true;
      while (done < 5) std::this_thread::yield();
    } else {
      while (!begun) std::this_thread::yield();
      order.push_back(task);
      ++done;
    }
  });
  EXPECT_EQ(order, (std::vector<int64_t>{0, 1, 5, 4, 3}));
}

TEST(ThreadPoolThreads, MoreRunsThanThreadsAreRefused) {
  ThreadPool pool(2);
  EXPECT_THROW(pool.run_apart(std::vector<int64_t>{0, 1, 2, 3}, [](int64_t, int) {}), Error);
}

TEST(ThreadPoolThreads, AFailureReachesTheCallerAndThePoolGoesOn) {
  ThreadPool pool(3);
  EXPECT_THROW(pool.run(100,
                        [](int64_t task, int) {
                          if (task == 50) throw std::runtime_error("x");
                        }),
               std::runtime_error);
  const std::vector<int64_t> bounds{0, 30, 60, 100};
  EXPECT_THROW(pool.run_apart(bounds,
                              [](int64_t task, int) {
                                if (task == 50) throw std::runtime_error("x");
                              }),
               std::runtime_error);
  std::atomic<int> runs{0};
  pool.run(100, [&](int64_t, int) { ++runs; });
  EXPECT_EQ(runs, 100);
}

TEST(ThreadPoolThreads, ATaskMayUseItsOwnPool) {
  ThreadPool pool(2);
  std::atomic<int> runs{0};
  pool.run(4, [&](int64_t, int) { pool.run(5, [&](int64_t, int) { ++runs; }); });
  EXPECT_EQ(runs, 20);
}

TEST(ThreadPoolThreads, ManyCallersTakeTurns) {
  ThreadPool pool(2);
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) pool.run(10, [&](int64_t task, int) { sum += task; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 4 * 200 * 45);
}

// Of the whole process: what workers spend awake. They wait for the next call for 50 microseconds, no longer.
TEST(ThreadPoolThreads, WorkersSleepBetweenCalls) {
  ThreadPool pool(4);
  std::atomic<int> runs{0};
  pool.run(100, [&](int64_t, int) { ++runs; });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::clock_t begin = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 0.02);
  pool.run(100, [&](int64_t, int) { ++runs; });
  EXPECT_EQ(runs, 200);
}

}  // namespace
}  // namespace ivl
