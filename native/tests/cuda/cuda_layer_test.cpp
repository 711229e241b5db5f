// A layer of the decoder and one of the vision tower on a GPU, each activation against the CPU's f32 ones from the same weights. On
// a real GPU at the sizes of InternVL-Chat-V1-2; over the emulation at small ones.
#include <random>

#include "cpu/cpu_backend.h"
#include "cuda/gpu_test.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::greedy;
using testing::relative_error;

#if defined(GPU_EMULATED)
constexpr const char* kDecoder = "tiny";
constexpr const char* kTower = "tiny";
constexpr size_t kPrompt = 40;
#else
constexpr const char* kDecoder = "yi-34b-layer";
constexpr const char* kTower = "intern-vit-6b-layer";
constexpr size_t kPrompt = 320;
#endif

class CudaLayer : public testing::GpuTest, public ::testing::WithParamInterface<DType> {
 protected:
  // The same random weights wherever they are loaded to.
  static std::shared_ptr<Engine> load(const char* shape, std::shared_ptr<Backend> backend) {
    LoadOptions options;
    options.precision = GetParam();
    const auto config = std::string(IVL_SHAPES) + "/" + shape + ".json";
    const auto loader = ModelLoader::random(testing::always(std::move(backend)), config, options, 1);
    while (loader->done() < loader->total()) loader->step();
    return std::make_shared<Engine>(loader->take());
  }
  static std::shared_ptr<Engine> on_gpu(const char* shape) { return load(shape, make_gpu_backend(0, GetParam())); }
  static std::shared_ptr<Engine> on_cpu(const char* shape) { return load(shape, std::make_shared<cpu::CpuBackend>()); }

  // Activations are rounded to the type some tens of times on their way through a layer; errors add up like random steps.
  static double bound() { return GetParam() == DType::BF16 ? 0.02 : 0.003; }

  static void expect_alike(const Recording& gpu, const Recording& cpu) {
    ASSERT_EQ(gpu.entries().size(), cpu.entries().size());
    ASSERT_FALSE(gpu.entries().empty());
    for (size_t i = 0; i < gpu.entries().size(); ++i) {
      SCOPED_TRACE(gpu.entries()[i].name);
      ASSERT_EQ(gpu.entries()[i].name, cpu.entries()[i].name);
      ASSERT_EQ(gpu.entries()[i].shape, cpu.entries()[i].shape);
      EXPECT_LE(relative_error(gpu.entries()[i].values, cpu.entries()[i].values), bound());
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Types, CudaLayer, ::testing::Values(DType::BF16, DType::F16),
                         [](const auto& type) { return std::string(name_of(type.param)); });

TEST_P(CudaLayer, OfTheDecoderIsTheCpus) {
  const auto recorded = [](const std::shared_ptr<Engine>& engine) {
    Prompt prompt;
    for (size_t i = 0; i < kPrompt; ++i) prompt.tokens.push_back(static_cast<int32_t>(i * i % 997));
    auto recording = std::make_shared<Recording>();
    testing::Requests requests(engine);
    requests.add(std::move(prompt), greedy(1), {.recording = recording});
    requests.run();
    return recording;
  };
  const auto gpu = recorded(on_gpu(kDecoder));
  expect_alike(*gpu, *recorded(on_cpu(kDecoder)));
}

TEST_P(CudaLayer, OfTheVisionTowerIsTheCpus) {
  const auto recorded = [](const std::shared_ptr<Engine>& engine) {
    const ModelConfig& config = engine->config();
    std::vector<float> pixels(static_cast<size_t>(config.vision.channels * config.image_size * config.image_size));
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform(-2, 2);
    for (float& pixel : pixels) pixel = uniform(random);
    auto recording = std::make_shared<Recording>();
    engine->encode(pixels.data(), 1, nullptr, recording.get());
    return recording;
  };
  const auto gpu = recorded(on_gpu(kTower));
  expect_alike(*gpu, *recorded(on_cpu(kTower)));
}

}  // namespace
}  // namespace ivl
