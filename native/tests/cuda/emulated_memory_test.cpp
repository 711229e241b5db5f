// A GPU whose memory runs out, which the emulation can have at any size.
#include "cuda/gpu_test.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::answer;
using testing::greedy;
using testing::Oracle;

class OutOfMemoryTest : public testing::GpuTest {};

TEST_F(OutOfMemoryTest, SaysHowMuchIsFreeAndLeavesTheDeviceUsable) {
  const size_t before = simt::device_capacity(0);
  simt::set_device_capacity(0, size_t{4} << 20);
  {
    const auto cuda = make_gpu_backend(0, DType::F16);
    const Buffer small = cuda->allocate(size_t{1} << 20);
    try {
      cuda->allocate(size_t{8} << 20);
      ADD_FAILURE() << "expected an error";
    } catch (const Error& e) {
      EXPECT_EQ(e.status(), Status::OutOfMemory);
      EXPECT_NE(std::string(e.what()).find("8 MiB"), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find("3 of 4 MiB"), std::string::npos) << e.what();
    }
    const Buffer next = cuda->allocate(size_t{2} << 20);
    EXPECT_NE(next.data(), nullptr);
  }
  simt::set_device_capacity(0, before);
}

TEST_F(OutOfMemoryTest, AModelThatDoesNotFitGivesEverythingBack) {
  const size_t before = simt::device_capacity(0);
  simt::set_device_capacity(0, size_t{3} << 20);
  const Oracle oracle("hermes-gqa7");
  EXPECT_THROW(oracle.load(make_gpu_backend(0, DType::F16), DType::F16), Error);
  EXPECT_EQ(simt::device_bytes_in_use(0), 0u);
  simt::set_device_capacity(0, before);
  const auto engine = oracle.load(make_gpu_backend(0, DType::F16), DType::F16);
  EXPECT_EQ(answer(engine, oracle.prompt(*engine, oracle.dialog("text.0")), greedy(1)).tokens.size(), 1u);
}

// What is planned is enough for a picture and a prompt, and not much more than enough.
TEST_F(OutOfMemoryTest, ThePlanIsWhatAModelTakes) {
  const Oracle oracle("hermes-gqa7");
  for (const bool int8 : {false, true}) {
    LoadOptions options;
    options.precision = DType::BF16;
    options.formats.decoder = options.formats.head = int8 ? WeightFormat::Int8 : WeightFormat::Plain;
    options.formats.vision = int8 ? WeightFormat::Int8 : WeightFormat::Plain;
    options.context = 600;
    const auto engine = oracle.load(testing::always(make_gpu_backend(0, DType::BF16)), options);
    const MemoryPlan plan = plan_gpu_memory(engine->config(), engine->precision());
    const auto loaded = static_cast<int64_t>(simt::device_bytes_in_use(0));
    EXPECT_NEAR(static_cast<double>(loaded), static_cast<double>(plan.weights_owned), 0.1 * static_cast<double>(loaded));
    testing::Requests requests(engine);
    requests.answer(oracle.prompt(*engine, oracle.dialog("image.0")), greedy(2));
    requests.answer({std::vector<int32_t>(598, 5), -1, {}, {}}, greedy(2));
    EXPECT_LE(static_cast<int64_t>(simt::device_bytes_in_use(0)), plan.total()) << (int8 ? "int8" : "bf16");
  }
}

}  // namespace
}  // namespace ivl
