// The checker finds every pair of streams' work that nothing orders, in whichever order it ran, and nothing else.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "emulation/report.h"
#include "tests/kernel_test.h"
#include "tests/planted.h"
#include "tests/planted_order.h"

namespace {

using kernel_test::reported;
using planted::Program;

// As many as it takes for either of two streams to have been the first.
constexpr int kRounds = 12;

class OrderTest : public testing::TestWithParam<Program> {
 protected:
  // Makes all anew, runs the program, and says what was reported.
  static std::string run(const Program& program) {
    simt::set_device_count(2);
    planted::Streams with{};
    for (float** data : {&with.data, &with.copy}) *data = written();
    cudaStreamCreateWithFlags(&with.a, cudaStreamNonBlocking);
    cudaStreamCreateWithFlags(&with.b, cudaStreamNonBlocking);
    for (cudaEvent_t* event : {&with.event, &with.second}) cudaEventCreateWithFlags(event, cudaEventDisableTiming);
    cudaMallocHost(reinterpret_cast<void**>(&with.pinned), planted::kCount * sizeof(float));
    cudaSetDevice(1);
    with.far_copy = written();
    cudaStreamCreateWithFlags(&with.far, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&with.far_event, cudaEventDisableTiming);
    cudaSetDevice(0);

    program.run(with);
    for (cudaStream_t stream : {with.a, with.b, with.far}) cudaStreamSynchronize(stream);

    for (cudaEvent_t event : {with.event, with.second, with.far_event}) cudaEventDestroy(event);
    for (cudaStream_t stream : {with.a, with.b, with.far}) cudaStreamDestroy(stream);
    for (float* data : {with.data, with.copy, with.far_copy}) cudaFree(data);
    cudaFreeHost(with.pinned);
    simt::set_device_count(1);
    return reported();
  }

 private:
  static float* written() {
    float* data = nullptr;
    cudaMalloc(reinterpret_cast<void**>(&data), planted::kCount * sizeof(float));
    cudaMemsetAsync(data, 0, planted::kCount * sizeof(float), nullptr);
    return data;
  }
};

class Unordered : public OrderTest {};
class Ordered : public OrderTest {};

std::string line_of(const std::string& name) {
  std::ifstream source(IVL_KERNELS "/tests/planted_order.cu");
  std::string line;
  for (int number = 1; std::getline(source, line); number++) {
    if (line.ends_with("// fault: " + name)) return "kernels/tests/planted_order.cu:" + std::to_string(number);
  }
  return "no line";
}

TEST_P(Unordered, IsReportedWithItsLineInTheSameWordsEachTime) {
  std::set<std::string> texts;
  for (int round = 0; round < kRounds; round++) texts.insert(run(GetParam()));
  ASSERT_EQ(texts.size(), 1u) << *texts.begin() << *texts.rbegin();
  EXPECT_TRUE(texts.begin()->starts_with(line_of(GetParam().name) + ": order in host code: ")) << *texts.begin();
  EXPECT_EQ(std::count(texts.begin()->begin(), texts.begin()->end(), '\n'), 1) << *texts.begin();
}

TEST_P(Ordered, IsNotReported) {
  for (int round = 0; round < kRounds; round++) ASSERT_EQ(run(GetParam()), "");
}

const auto name = [](const auto& program) { return std::string(program.param.name); };
INSTANTIATE_TEST_SUITE_P(Order, Unordered, testing::ValuesIn(planted::unordered().begin(), planted::unordered().end()), name);
INSTANTIATE_TEST_SUITE_P(Order, Ordered, testing::ValuesIn(planted::ordered().begin(), planted::ordered().end()), name);

}  // namespace
