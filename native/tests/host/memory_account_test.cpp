#include "host/memory_account.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "checkpoint/checkpoint_files.h"
#include "host/host_memory.h"

namespace ivl {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

// A machine that has so much left, apart from what the test's own buffers take.
struct Machine {
  int64_t left = 1000 * static_cast<int64_t>(kMiB);
  MemoryAccount account{[this] { return left; }};

  // As a caller would, and the system: what is touched is no longer available.
  void touch(void* data, size_t bytes) {
    std::memset(data, 1, bytes);
    left -= static_cast<int64_t>(bytes);
  }
};

TEST(MemoryAccount, WhatIsPromisedIsNotPromisedAgain) {
  Machine machine;
  void* first = machine.account.map(800 * kMiB);
  EXPECT_EQ(machine.account.promised(), int64_t{800} << 20);
  EXPECT_EQ(machine.account.left(), int64_t{200} << 20);
  for (int i = 0; i < 4; ++i) {
    checkpoint_test::expect_error(Status::OutOfMemory,
                                  {"800 MiB of memory are needed", "200 MiB are available", "800 MiB that are reserved"},
                                  [&] { machine.account.map(800 * kMiB); });
  }
  void* second = machine.account.map(150 * kMiB);
  machine.account.unmap(first);
  EXPECT_EQ(machine.account.promised(), int64_t{150} << 20);
  machine.account.unmap(machine.account.map(800 * kMiB));
  machine.account.unmap(second);
  EXPECT_EQ(machine.account.promised(), 0);
}

TEST(MemoryAccount, WhatIsTouchedIsPromisedNoLonger) {
  Machine machine;
  auto* data = static_cast<std::byte*>(machine.account.map(128 * kMiB));
  machine.touch(data, 64 * kMiB);
  const int64_t promised = machine.account.promised();
  EXPECT_LE(promised, int64_t{64} << 20);
  EXPECT_GE(promised, int64_t{62} << 20);  // a huge page may reach beyond
  machine.touch(data + 64 * kMiB, 64 * kMiB);
  EXPECT_EQ(machine.account.promised(), 0);
  EXPECT_EQ(machine.account.left(), int64_t{1000 - 128} << 20);
  machine.account.unmap(data);
}

// Else ten thousand of them would pass unseen.
TEST(MemoryAccount, SmallBuffersAreSeenTogether) {
  Machine machine;
  std::vector<void*> all;
  checkpoint_test::expect_error(Status::OutOfMemory, {"20 MiB of memory are needed"}, [&] {
    for (int i = 0; i < 100; ++i) all.push_back(machine.account.map(20 * kMiB));
  });
  EXPECT_GE(all.size(), 50u);
  EXPECT_LE(all.size(), 54u);  // at the most what is not worth a look above it
  for (void* data : all) machine.account.unmap(data);
}

TEST(MemoryAccount, WhatIsGivenBackPieceByPieceIsNotPromisedAgain) {
  Machine machine;
  void* data = machine.account.map(64 * kMiB);
  machine.account.set_touched(data);
  EXPECT_EQ(machine.account.promised(), 0);
  machine.account.unmap(data);
}

TEST(MemoryAccount, WithoutALimitEverythingFits) {
  MemoryAccount account([] { return std::numeric_limits<int64_t>::max(); });
  void* data = account.map(64 * kMiB);
  EXPECT_EQ(account.left(), std::numeric_limits<int64_t>::max());
  account.unmap(data);
}

TEST(MemoryAccount, OfThreadsThatAskAtOnceOneIsGranted) {
  Machine machine;
  std::atomic<int> ready{0}, granted{0}, refused{0};
  std::vector<std::thread> threads;
  std::vector<void*> buffers(8, nullptr);
  for (void*& buffer : buffers) {
    threads.emplace_back([&] {
      ++ready;
      while (ready < 8) std::this_thread::yield();
      try {
        buffer = machine.account.map(800 * kMiB);
        ++granted;
      } catch (const Error&) {
        ++refused;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted, 1);
  EXPECT_EQ(refused, 7);
  for (void* buffer : buffers) {
    if (buffer != nullptr) machine.account.unmap(buffer);
  }
}

// The process' own, with the system's numbers.
TEST(HostMemory, FiveBuffersOfMostOfTheMemoryAreNotAllGranted) {
  const int64_t available = available_host_memory();
  ASSERT_GT(available, 0);
  std::vector<Buffer> buffers;
  checkpoint_test::expect_error(Status::OutOfMemory, {"MiB"}, [&] {
    for (int i = 0; i < 5; ++i) buffers.push_back(allocate_host(static_cast<size_t>(available) / 10 * 8));
  });
  EXPECT_LE(buffers.size(), 1u);
  EXPECT_LT(available_host_memory(), available / 2);
  buffers.clear();
  EXPECT_GT(available_host_memory(), available / 2);
}

}  // namespace
}  // namespace ivl
