// The emulated runtime: work runs late and in any order that streams and events allow, and wrong uses are reported.
#include "emulation/runtime.h"

#include <thread>

#include "emulation/memory.h"
#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

class RuntimeTest : public testing::Test {
 protected:
  void SetUp() override {
    cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking);
    cudaStreamCreateWithFlags(&other_, cudaStreamNonBlocking);
    cudaMallocHost(reinterpret_cast<void**>(&pinned_), sizeof(int) * 4);
    cudaMalloc(reinterpret_cast<void**>(&memory_), sizeof(int) * 4);
    std::fill(pinned_, pinned_ + 4, 0);
  }
  void TearDown() override {
    cudaFree(memory_);
    cudaFreeHost(pinned_);
    cudaStreamDestroy(stream_);
    cudaStreamDestroy(other_);
    simt::take_reports();
  }

  cudaStream_t stream_ = nullptr;
  cudaStream_t other_ = nullptr;
  int* pinned_ = nullptr;
  int* memory_ = nullptr;
};

TEST_F(RuntimeTest, PinnedCopiesAreSeenOnlyAfterAWait) {
  const int values[4] = {1, 2, 3, 4};
  ASSERT_EQ(cudaMemcpyAsync(memory_, values, sizeof values, cudaMemcpyHostToDevice, stream_), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(pinned_, memory_, sizeof values, cudaMemcpyDeviceToHost, stream_), cudaSuccess);
  EXPECT_EQ(pinned_[3], 0);
  EXPECT_NE(reported().find("before the copy to it was waited for"), std::string::npos);
  ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(pinned_[3], 4);
  EXPECT_EQ(reported(), "");
}

TEST_F(RuntimeTest, PageableMemoryMayChangeAfterACopy) {
  int values[4] = {1, 2, 3, 4};
  cudaMemcpyAsync(memory_, values, sizeof values, cudaMemcpyHostToDevice, stream_);
  values[0] = 9;
  int back[4] = {};
  cudaMemcpyAsync(back, memory_, sizeof back, cudaMemcpyDeviceToHost, stream_);
  EXPECT_EQ(back[0], 1);
}

TEST_F(RuntimeTest, TimePassesBetweenTwoEventsOnceBothWereReached) {
  cudaEvent_t begin, end, untimed;
  cudaEventCreateWithFlags(&begin, 0);
  cudaEventCreateWithFlags(&end, 0);
  cudaEventCreateWithFlags(&untimed, cudaEventDisableTiming);
  float milliseconds = -1;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, begin, end), cudaErrorInvalidResourceHandle);
  cudaEventRecord(begin, stream_);
  cudaEventRecord(untimed, stream_);
  cudaMemsetAsync(memory_, 1, 16, stream_);
  cudaEventRecord(end, stream_);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, begin, end), cudaErrorNotReady);
  cudaStreamSynchronize(stream_);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, begin, end), cudaSuccess);
  EXPECT_GE(milliseconds, 0);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, untimed, end), cudaErrorInvalidResourceHandle);
  for (cudaEvent_t event : {begin, end, untimed}) cudaEventDestroy(event);
  cudaGetLastError();
}

TEST_F(RuntimeTest, AnEventOrdersTwoStreamsAndWithoutItNothingDoes) {
  int wrong = 0;
  for (const bool waits : {true, false}) {
    for (int round = 0; round < 40; round++) {
      cudaEvent_t event;
      cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
      cudaMemsetAsync(memory_, 0, 16, stream_);
      cudaStreamSynchronize(stream_);
      cudaMemsetAsync(memory_, 1, 16, stream_);
      cudaEventRecord(event, stream_);
      if (waits) {
        cudaStreamWaitEvent(other_, event);
      }
      cudaMemcpyAsync(pinned_, memory_, 16, cudaMemcpyDeviceToHost, other_);
      cudaStreamSynchronize(other_);
      const bool right = pinned_[0] == 0x01010101;
      ASSERT_TRUE(right || !waits);
      wrong += right ? 0 : 1;
      cudaStreamSynchronize(stream_);
      EXPECT_EQ(reported().empty(), waits);
      cudaEventDestroy(event);
    }
  }
  EXPECT_GT(wrong, 0) << "a missing wait was never seen";
}

TEST_F(RuntimeTest, ReadsOfWhatNothingWroteAreReported) {
  cudaMemcpyAsync(pinned_, memory_, 16, cudaMemcpyDeviceToHost, stream_);
  cudaStreamSynchronize(stream_);
  EXPECT_NE(reported().find("nothing wrote"), std::string::npos);
}

TEST_F(RuntimeTest, CopiesBeyondTheirMemoryAreReported) {
  cudaMemsetAsync(memory_, 0, 17, stream_);
  cudaStreamSynchronize(stream_);
  EXPECT_NE(reported().find("beyond device memory"), std::string::npos);
}

TEST_F(RuntimeTest, WrongHandlesAreErrors) {
  int local = 0;
  EXPECT_EQ(cudaFree(&local), cudaErrorInvalidValue);
  EXPECT_EQ(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(&local)), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaSetDevice(1), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(RuntimeTest, ALaunchOrARecordOnAnotherDevicesStreamIsAnError) {
  const simt::LaunchShape shape{{1}, {1}};
  cudaEvent_t event;
  simt::set_device_count(2);
  cudaSetDevice(1);
  cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
  EXPECT_EQ(simt::enqueue_kernel("foreign", "kernel", shape, stream_, [] {}), cudaErrorInvalidResourceHandle);
  EXPECT_NE(reported().find("a launch on a stream of device 0 while the current device is 1"), std::string::npos);
  EXPECT_EQ(cudaEventRecord(event, stream_), cudaErrorInvalidResourceHandle);
  EXPECT_NE(reported().find("an event of device 1 recorded on a stream of device 0"), std::string::npos);
  EXPECT_EQ(cudaMemsetAsync(memory_, 0, 4, stream_), cudaSuccess);
  cudaEventDestroy(event);
  cudaSetDevice(0);
  simt::set_device_count(1);
  EXPECT_EQ(reported(), "");
}

TEST_F(RuntimeTest, MemoryOfADeviceRunsOut) {
  const size_t before = simt::device_capacity(0);
  simt::set_device_capacity(0, 1000);
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, 2000), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaMalloc(&memory, 500), cudaSuccess);
  cudaFree(memory);
  simt::set_device_capacity(0, before);
}

TEST_F(RuntimeTest, AGraphDoesWhatWasCapturedEachTimeItIsLaunched) {
  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  cudaMemsetAsync(memory_, 1, 8, stream_);
  cudaMemcpyAsync(pinned_, memory_, 8, cudaMemcpyDeviceToHost, stream_);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
  cudaStreamSynchronize(stream_);
  EXPECT_EQ(pinned_[0], 0) << "a capture only takes note";

  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cudaGraphInstantiate(&executable, graph), cudaSuccess);
  cudaGraphDestroy(graph);
  for (int round = 0; round < 2; round++) {
    pinned_[0] = 0;
    ASSERT_EQ(cudaGraphLaunch(executable, stream_), cudaSuccess);
    EXPECT_EQ(pinned_[0], 0);
    EXPECT_NE(reported().find("before the copy to it was waited for"), std::string::npos);
    cudaStreamSynchronize(stream_);
    EXPECT_EQ(pinned_[0], 0x01010101);
  }
  cudaGraphExecDestroy(executable);
  EXPECT_EQ(reported(), "");
}

TEST_F(RuntimeTest, WhatACaptureCannotHoldEndsIt) {
  int pageable[4] = {};
  void* more = nullptr;
  const std::function<cudaError_t()> refused[] = {
      [&] { return cudaMemcpyAsync(memory_, pageable, 16, cudaMemcpyHostToDevice, stream_); },
      [&] { return cudaMalloc(&more, 16); },
      [&] { return cudaFree(memory_); },
      [&] { return cudaStreamSynchronize(stream_); },
  };
  for (const auto& call : refused) {
    cudaGraph_t graph = nullptr;
    ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    EXPECT_EQ(call(), cudaErrorStreamCaptureUnsupported);
    EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(graph, nullptr);
    EXPECT_NE(reported().find("in a capture"), std::string::npos);
  }
}

// As on a GPU, the other thread's work is in the graph from then on.
TEST_F(RuntimeTest, WhatAnotherThreadQueuesIsCapturedAndReported) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  std::thread([&] { cudaMemsetAsync(memory_, 1, 16, stream_); }).join();
  EXPECT_NE(reported().find("queued by a thread on a stream that another captures"), std::string::npos);
  ASSERT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&executable, graph), cudaSuccess);
  cudaGraphLaunch(executable, stream_);
  int back[4] = {};
  cudaMemcpyAsync(back, memory_, sizeof back, cudaMemcpyDeviceToHost, stream_);
  EXPECT_EQ(back[3], 0x01010101);
  cudaGraphDestroy(graph);
  cudaGraphExecDestroy(executable);

  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  std::thread([&] { EXPECT_EQ(cudaStreamSynchronize(stream_), cudaErrorStreamCaptureUnsupported); }).join();
  EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaErrorStreamCaptureInvalidated);
  EXPECT_NE(reported().find("in a capture by another thread: a wait"), std::string::npos);
}

}  // namespace
