// Where a model goes that GPUs cannot do, or GPUs that the build has no code for: to the CPU, with the reason, or to an error.
#include "api/device_choice.h"

#include <functional>

#include "cuda/gpu_test.h"
#include "device/known_kernels.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using api::Destination;
using api::DeviceChoice;
using testing::Oracle;

constexpr Precision kBf16{DType::BF16};

class DeviceChoiceTest : public testing::GpuTest {
 protected:
  void TearDown() override {
    simt::set_missing_code(nullptr);
    simt::set_device_count(1);
    simt::set_capability(8);
    testing::GpuTest::TearDown();
  }

  static ModelConfig config() { return load_config(Oracle("hermes-d128").folder()); }
  static Destination destination(const char* device, const ModelConfig& config, const Precision& precision = kBf16) {
    return api::destination(DeviceChoice::parse(device), 0, precision, MemoryPlans(nullptr, config, precision, 1, true));
  }
  static void expect_error(Status status, const std::string& text, const std::function<void()>& work) {
    try {
      work();
      ADD_FAILURE() << "expected an error with " << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.status(), status);
      EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
    }
  }
};

TEST_F(DeviceChoiceTest, AutoTakesAGpuThatCan) {
  const Destination to = destination("auto", config());
  EXPECT_EQ(to.description(), "cuda:0 (emulated GPU)");
  EXPECT_EQ(to.not_on_gpu, "");
}

TEST_F(DeviceChoiceTest, SizesThatKernelsAreNotWrittenForGoToTheCpu) {
  struct Case {
    const char* text;
    void (*change)(ModelConfig&);
  };
  const Case cases[] = {
      {"llm_config: head_dim, or hidden_size / num_attention_heads) is 80, expected 32, 64, 96 or 128 on a GPU",
       [](ModelConfig& c) { c.language.head_dim = 80; }},
      {"vision_config: hidden_size / num_attention_heads) is 256, expected 32, 64, 96 or 128",
       [](ModelConfig& c) { c.vision.heads = 1; }},
      {"llm_config.hidden_size is 252, expected a multiple of 8", [](ModelConfig& c) { c.language.hidden = 252; }},
      {"llm_config.intermediate_size is 100, expected a multiple of 8", [](ModelConfig& c) { c.language.mlp = 100; }},
      {"vision_config.intermediate_size is 100, expected a multiple of 8", [](ModelConfig& c) { c.vision.mlp = 100; }},
      {"(3 * 14^2) is 588, expected a multiple of 8", [](ModelConfig& c) { c.image_size = 14; }},
      {"vision_config.patch_size is 56, too large", [](ModelConfig& c) { c.vision.patch = 56; }},
      {"llm_config.vocab_size is 2000001, expected at most 2000000", [](ModelConfig& c) { c.language.vocab = 2'000'001; }},
      {"the context length is 20000000, expected at most", [](ModelConfig& c) { c.language.context = 20'000'000; }},
  };
  for (const Case& each : cases) {
    ModelConfig changed = config();
    each.change(changed);
    const Destination to = destination("auto", changed);
    EXPECT_TRUE(to.gpus.empty()) << each.text;
    EXPECT_NE(to.not_on_gpu.find(each.text), std::string::npos) << to.not_on_gpu;
    expect_error(Status::Unsupported, each.text, [&] { destination("cuda", changed); });
  }
}

TEST_F(DeviceChoiceTest, TypesAndMemoryAreReasonsToo) {
  EXPECT_NE(destination("auto", config(), {DType::F32}).not_on_gpu.find("the precision is f32"), std::string::npos);
  expect_error(Status::InvalidArgument, "the precision is f32", [] { destination("cuda", config(), {DType::F32}); });
  const size_t before = simt::device_capacity(0);
  simt::set_device_capacity(0, size_t{3} << 20);
  const std::string reason = destination("auto", config()).not_on_gpu;
  simt::set_device_capacity(0, before);
  EXPECT_NE(reason.find("cuda:0 (emulated GPU) has 3 MiB, the model takes"), std::string::npos) << reason;
}

TEST_F(DeviceChoiceTest, AGpuWithoutCodeIsPassedOver) {
  simt::set_device_count(2);
  simt::set_missing_code([](int device, const void*) { return device == 0; });
  EXPECT_EQ(destination("auto", config()).gpus.at(0).ordinal, 1);
  EXPECT_EQ(destination("cuda:1", config()).gpus.at(0).ordinal, 1);
  constexpr const char* kReason = "this library was built without code for compute capability 8.0";
  for (const char* device : {"cuda:0", "cuda:1,0"}) {
    expect_error(Status::Unsupported, kReason, [&] { destination(device, config()); });
  }
  expect_error(Status::Unsupported, kReason, [] { make_gpu_backend(0, DType::BF16); });

  simt::set_missing_code([](int, const void*) { return true; });
  const Destination to = destination("auto", config());
  EXPECT_EQ(to.description(), cat("cpu; not on a GPU: cuda:1 (emulated GPU): ", kReason));
}

// A model says where it is, and why it is not on a GPU.
TEST_F(DeviceChoiceTest, TheBackendsDescriptionHasTheReason) {
  ModelConfig changed = config();
  changed.language.head_dim = 80;
  const MemoryPlans plans(nullptr, changed, kBf16, 1, true);
  const Placement placement = api::place(DeviceChoice::parse("auto"), {.threads = 1}, 0, changed, kBf16, plans);
  EXPECT_TRUE(placement.description().starts_with("cpu: ")) << placement.description();
  EXPECT_NE(placement.description().find("; not on a GPU: a decoder head's size"), std::string::npos);
  const Placement chosen = api::place(DeviceChoice::parse("cpu"), {.threads = 1}, 0, changed, kBf16, plans);
  EXPECT_EQ(chosen.description().find("GPU"), std::string::npos) << chosen.description();
}

TEST_F(DeviceChoiceTest, EveryKernelIsAskedForWhereItIsUsed) {
  for (const int major : {8, 9}) {
    simt::set_capability(major);
    int kernels = 0;
    for (const gpu::KnownKernel* kernel = gpu::known_kernels; kernel != nullptr; kernel = kernel->next) {
      simt::set_missing_code([&](int, const void* asked) { return asked == kernel->function; });
      const bool used = kernel->only_major == 0 || kernel->only_major == major;
      EXPECT_EQ(why_gpu_cannot(0).empty(), !used) << simt::place_of(static_cast<const char*>(kernel->function) + 1);
      ++kernels;
    }
    EXPECT_GT(kernels, 40);
  }
}

}  // namespace
}  // namespace ivl
