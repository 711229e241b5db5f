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

// Both blocks read and write 64 floats, 8 sectors each way, without a gap.
TEST(Counters, CountTheSectorsOfContiguousAccesses) {
  simt::options().counters = true;
  const DeviceArray<float> data(counting());
  simt::take_traffic();
  planted::without_fault(data.data(), planted::kCount);
  simt::options().counters = false;
  const simt::Traffic traffic = simt::take_traffic()["planted"];
  EXPECT_EQ(traffic.sectors, 32);
  EXPECT_EQ(traffic.ideal_sectors, 32);
  EXPECT_EQ(traffic.wavefronts, traffic.ideal_wavefronts);
  EXPECT_GT(traffic.wavefronts, 0);
}

}  // namespace
