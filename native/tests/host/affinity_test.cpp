#include "host/affinity.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "host/processor.h"
#include "host/thread_pool.h"
#include "tensor/error.h"

namespace ivl {
namespace {

void expect_refused(int threads, const std::string& affinity, const std::string& words) {
  try {
    threads_from(threads, affinity);
    ADD_FAILURE() << affinity;
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::InvalidArgument);
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(Affinity, IsNoneAutoOrProcessorsByNumber) {
  const std::vector<int> allowed = allowed_processors();
  ASSERT_FALSE(allowed.empty());
  for (const char* none : {"", "none"}) {
    EXPECT_EQ(threads_from(0, none).count, default_threads());
    EXPECT_TRUE(threads_from(3, none).processors.empty());
  }
  EXPECT_EQ(threads_from(1, "auto").processors, std::vector<int>{allowed.front()});
  EXPECT_EQ(threads_from(0, "auto").count, default_threads());
  const std::string last = std::to_string(allowed.back());
  EXPECT_EQ(threads_from(0, last).processors, std::vector<int>{allowed.back()});
  EXPECT_EQ(threads_from(0, last + "-" + last).count, 1);
}

TEST(Affinity, WhatCannotBeFollowedIsRefusedByName) {
  const std::string first = std::to_string(allowed_processors().front());
  for (const char* bad : {"x", "1,", ",1", "1-", "-1", "3-1", "0,3-1", "0 1", "99999999999", "Auto"}) {
    expect_refused(0, bad, std::string("affinity is '") + bad + "'");
  }
  expect_refused(0, first + "," + first, "twice");
  expect_refused(0, "1023", "processors 0 to " + std::to_string(::sysconf(_SC_NPROCESSORS_CONF) - 1));
  expect_refused(2, first, "1 processor for 2 threads");
  expect_refused(1024, "auto", "for 1024 threads");
  expect_refused(-1, "none", "threads is -1");
  expect_refused(1025, "none", "threads is 1025");
}

// In a thread of its own, whose mask is narrowed.
TEST(Affinity, TheProcessMaskIsRespected) {
  const std::vector<int> all = allowed_processors();
  if (all.size() < 2) GTEST_SKIP() << "one processor";
  std::thread([&] {
    const Bound bound(all[1]);
    EXPECT_EQ(allowed_processors(), std::vector<int>{all[1]});
    EXPECT_EQ(default_threads(), 1);
    EXPECT_EQ(threads_from(0, "auto").processors, std::vector<int>{all[1]});
    expect_refused(0, std::to_string(all[0]),
                   "may not use processor " + std::to_string(all[0]) + ", only " + std::to_string(all[1]));
  }).join();
  EXPECT_EQ(allowed_processors(), all);
}

TEST(AffinityThreads, EveryThreadOfAPoolRunsOnItsProcessorAndTheCallerIsPutBack) {
  const std::vector<int> before = allowed_processors();
  for (const bool turned : {false, true}) {
    std::vector<int> processors(before.begin(), before.begin() + std::min<long>(2, static_cast<long>(before.size())));
    if (turned) std::reverse(processors.begin(), processors.end());
    ThreadPool pool(Threads{static_cast<int>(processors.size()), processors});
    pool.run(200, [&](int64_t, int thread) {
      const int expected = processors[static_cast<size_t>(thread)];
      EXPECT_EQ(allowed_processors(), std::vector<int>{expected});
      EXPECT_EQ(sched_getcpu(), expected);
    });
    EXPECT_EQ(allowed_processors(), before);
  }
}

}  // namespace
}  // namespace ivl
