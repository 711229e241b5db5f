// The checker finds every planted fault, where it is, and nothing in kernels without one.
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "emulation/block.h"
#include "emulation/counters.h"
#include "emulation/report.h"
#include "tests/device_array.h"
#include "tests/planted.h"

namespace {

std::vector<float> counting() {
  std::vector<float> values(planted::kCount);
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

// The line of planted.cu that is marked with the kernel's name.
int line_of(const std::string& name) {
  std::ifstream source(IVL_KERNELS "/tests/planted.cu");
  std::string line;
  for (int number = 1; std::getline(source, line); number++) {
    if (line.ends_with("// fault: " + name)) {
      return number;
    }
  }
  return -1;
}

std::string all_of(const std::vector<simt::Report>& reports) {
  std::string text;
  for (const simt::Report& report : reports) {
    text += report.text() + "\n";
  }
  return text;
}

class Planted : public testing::TestWithParam<planted::Kernel> {};

TEST_P(Planted, IsReportedWithItsLine) {
  const planted::Kernel& kernel = GetParam();
  const DeviceArray<float> data(counting());
  kernel.start(data.data(), planted::kCount);
  const std::vector<simt::Report> reports = simt::take_reports();
  const std::string where = "kernels/tests/planted.cu:" + std::to_string(line_of(kernel.name));
  for (const simt::Report& report : reports) {
    if (report.fault == kernel.fault && report.where == where) {
      return;
    }
  }
  FAIL() << "expected " << where << ": " << simt::name_of(kernel.fault) << "\n" << all_of(reports);
}

INSTANTIATE_TEST_SUITE_P(Checker, Planted, testing::ValuesIn(planted::kernels().begin(), planted::kernels().end()),
                         [](const auto& kernel) { return std::string(kernel.param.name); });

TEST(Checker, SaysNothingOfAKernelWithoutFault) {
  for (uint64_t seed : {0, 1, 2, 3}) {
    simt::options().seed = seed;
    const DeviceArray<float> data(counting());
    ASSERT_EQ(planted::without_fault(data.data(), planted::kCount), cudaSuccess);
    EXPECT_EQ(all_of(simt::take_reports()), "");
    EXPECT_EQ(data.read()[0], 64 * 65 / 2);
    EXPECT_EQ(data.read()[64], 64 * 65 / 2 + 64 * 64);
  }
  simt::options().seed = 0;
}

TEST(Checker, ReportsUninitializedGlobalMemory) {
  const DeviceArray<float> data(planted::kCount);
  planted::without_fault(data.data(), planted::kCount);
  const auto reports = simt::take_reports();
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports[0].fault, simt::Fault::Uninitialized);
}

TEST(Checker, ReportsMemoryOfAnotherDevice) {
  const DeviceArray<float> data(counting());
  simt::set_device_count(2);
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  const DeviceArray<float> foreign(counting());
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  planted::without_fault(foreign.data(), planted::kCount);
  simt::set_device_count(1);
  const auto reports = simt::take_reports();
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports[0].fault, simt::Fault::Device);
}

TEST(Checker, ReportsFreedMemory) {
  float* freed = nullptr;
  {
    const DeviceArray<float> kept(1);
    const DeviceArray<float> data(counting());
    freed = data.data();
  }
  planted::without_fault(freed, planted::kCount);
  const auto reports = simt::take_reports();
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports[0].fault, simt::Fault::Bounds);
}

TEST(Checker, LetsAtomicsMeet) {
  const DeviceArray<float> data(counting());
  ASSERT_EQ(planted::atomic_sums(data.data(), planted::kCount), cudaSuccess);
  EXPECT_EQ(all_of(simt::take_reports()), "");
  const auto sums = data.read();
  EXPECT_EQ(sums[0], 1 + planted::kCount);
  EXPECT_EQ(sums[1], 63 * 64 / 2);
  EXPECT_EQ(sums[2], 63 * 64 / 2);
}

// Twice, so that the counter's reset is looked at, too.
TEST(Checker, KnowsTheOrderThatFencesAndAtomicsMake) {
  const DeviceArray<float> data(counting());
  for (int run = 1; run <= 2; run++) {
    const auto before = data.read();
    ASSERT_EQ(planted::sum_by_last_block(data.data(), planted::kCount), cudaSuccess);
    EXPECT_EQ(all_of(simt::take_reports()), "");
    EXPECT_EQ(data.read()[0], std::accumulate(before.begin(), before.end() - 1, 127.0f));
  }
}

TEST(Checker, ReportsSharedMemoryThatWasNotAskedFor) {
  const DeviceArray<float> data(counting());
  planted::too_much_shared_together(data.data(), planted::kCount);
  const auto reports = simt::take_reports();
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports[0].fault, simt::Fault::Host) << all_of(reports);
}

TEST(Checker, KnowsThatLanesThatMetKnowTheSame) {
  const DeviceArray<float> data(counting());
  ASSERT_EQ(planted::copy_by_last_warp(data.data(), planted::kCount), cudaSuccess);
  EXPECT_EQ(all_of(simt::take_reports()), "");
  EXPECT_EQ(data.read()[2], 2);
}

// Where nothing is allocated nothing is read or written, and the launch ends, with and without the other checks.
class Bounds : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { simt::options().checks = GetParam(); }
  void TearDown() override { simt::options().checks = true; }
};

TEST_P(Bounds, AreAlwaysHeld) {
  const DeviceArray<float> data(counting());
  int faults = 0;
  for (const planted::Kernel& kernel : planted::kernels()) {
    if (kernel.fault == simt::Fault::Bounds && std::string(kernel.name).find("shared") == std::string::npos) {
      const float behind = data.data()[planted::kCount], ahead = data.data()[-1];
      kernel.start(data.data(), planted::kCount);
      const auto reports = simt::take_reports();
      ASSERT_FALSE(reports.empty()) << kernel.name;
      EXPECT_EQ(reports[0].fault, simt::Fault::Bounds) << all_of(reports);
      EXPECT_EQ(data.data()[planted::kCount], behind) << kernel.name;
      EXPECT_EQ(data.data()[-1], ahead) << kernel.name;
      faults++;
    }
  }
  EXPECT_EQ(faults, 3);
  // The next launch is whole again.
  ASSERT_EQ(planted::fill(data.data(), planted::kCount), cudaSuccess);
  EXPECT_EQ(data.read(), std::vector<float>(planted::kCount, 1));
  EXPECT_EQ(all_of(simt::take_reports()), "");
}

INSTANTIATE_TEST_SUITE_P(Checker, Bounds, testing::Bool(),
                         [](const auto& checks) { return checks.param ? "Checked" : "Unchecked"; });

TEST(Checker, KnowsWhatAnUncheckedLaunchWrote) {
  const DeviceArray<float> data(planted::kCount);
  simt::options().checks = false;
  planted::fill(data.data(), planted::kCount);
  simt::options().checks = true;
  planted::without_fault(data.data(), planted::kCount);
  EXPECT_EQ(all_of(simt::take_reports()), "");
}

simt::KernelTraffic traffic_of(cudaError_t (*start)(float*, int)) {
  const DeviceArray<float> data(counting());
  simt::take_traffic();
  simt::options().counters = true;
  start(data.data(), planted::kCount);
  simt::options().counters = false;
  EXPECT_EQ(all_of(simt::take_reports()), "");
  return simt::take_traffic()["planted"];
}

// Four warps; each one's 32 floats lie in 8 sectors where 4 could hold them.
TEST(Counters, CountTheSectorsOfStridedAccesses) {
  const simt::Traffic traffic = traffic_of(planted::strided_reads).sum;
  EXPECT_EQ(traffic.read.actual, 4 * 8);
  EXPECT_EQ(traffic.read.ideal, 4 * 4);
  EXPECT_EQ(traffic.written.actual, 0);
}

// Two blocks read the same floats. The last block reads back what all had read and written before.
TEST(Counters, CountEachByteOnceAndWhatAKernelMadeItselfAsWritten) {
  constexpr int64_t kFloat = sizeof(float);
  const simt::Touched strided = traffic_of(planted::strided_reads).touched;
  EXPECT_EQ(strided.read(), planted::kCount / 2 * kFloat);
  EXPECT_EQ(strided.written(), 0);
  const simt::Touched summed = traffic_of(planted::sum_by_last_block).touched;
  EXPECT_EQ(summed.read(), (planted::kCount - 1) * kFloat);
  EXPECT_EQ(summed.written(), planted::kCount * kFloat);
  EXPECT_EQ(traffic_of(planted::copy_by_last_warp).touched.read(), 0);
}

// A wavefront for each lane of the four warps, once to write and once to read.
TEST(Counters, CountBankConflicts) {
  const simt::Traffic traffic = traffic_of(planted::conflicting_columns).sum;
  EXPECT_EQ(traffic.wavefronts.actual, 4 * 2 * 32);
  EXPECT_EQ(traffic.wavefronts.ideal, 4 * 2);
  EXPECT_EQ(traffic.read.actual, traffic.read.ideal);
}

// Both blocks read and write 64 floats, 8 sectors each way, without a gap.
TEST(Counters, CountTheSectorsOfContiguousAccesses) {
  const simt::Traffic traffic = traffic_of(planted::without_fault).sum;
  for (const simt::Count& sectors : {traffic.read, traffic.written}) {
    EXPECT_EQ(sectors.actual, 16);
    EXPECT_EQ(sectors.ideal, 16);
  }
  EXPECT_EQ(traffic.wavefronts.actual, traffic.wavefronts.ideal);
  EXPECT_GT(traffic.wavefronts.actual, 0);
}

}  // namespace
