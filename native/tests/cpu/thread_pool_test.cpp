#include "cpu/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <stdexcept>

namespace ivl::cpu {
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

TEST(ThreadPoolThreads, AFailureReachesTheCallerAndThePoolGoesOn) {
  ThreadPool pool(3);
  EXPECT_THROW(pool.run(100, [](int64_t task, int) { if (task == 50) throw std::runtime_error("x"); }), std::runtime_error);
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
}  // namespace ivl::cpu
