// What tests of the CUDA backend share. On the emulated GPU host code has no access to its memory while they run, and at
// their end there are no reports and no allocations left.
#pragma once

#include <gtest/gtest.h>

#include "backend/gpus.h"
#if defined(GPU_EMULATED)
#include "emulation/memory.h"
#include "emulation/report.h"
#include "emulation/runtime.h"
#endif

namespace ivl::testing {

class GpuTest : public ::testing::Test {
 protected:
#if defined(GPU_EMULATED)
  void SetUp() override {
    simt::set_host_access(false);
    allocations_ = simt::live_allocations();
  }
  void TearDown() override {
    for (const simt::Report& report : simt::take_reports()) ADD_FAILURE() << report.text();
    EXPECT_EQ(simt::live_allocations(), allocations_) << "device memory leaked";
    simt::set_host_access(true);
  }

 private:
  int64_t allocations_ = 0;
#endif
};

}  // namespace ivl::testing
