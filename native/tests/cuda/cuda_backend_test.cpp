// What the CUDA backend promises beyond its kernels' own tests: rows that do not depend on their company, caches that may
// be kept.
#include "cpu/cpu_backend.h"
#include "cpu/operands.h"
#include "cuda/gpu_test.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::answer;
using testing::Answer;
using testing::greedy;
using testing::Oracle;

class CudaBackendTest : public testing::GpuTest {};

TEST_F(CudaBackendTest, CopiesKeepStridesAndTypes) {
  const auto cuda = make_gpu_backend(0, DType::BF16);
  const Buffer memory = cuda->allocate(4 * 24 * 2);
  const Matrix whole = memory.matrix(DType::BF16, 4, 24);
  const Matrix part = whole.col_range(8, 8).row_range(1, 2);
  std::vector<float> values(16);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) - 7.5f;
  cuda->from_host(part, values.data());
  std::vector<float> back(16);
  cuda->to_host(back.data(), part);
  EXPECT_EQ(back, values);
  // The rest is still what allocate() promises: zeros.
  std::vector<float> all(96);
  cuda->to_host(all.data(), whole);
  EXPECT_EQ(std::count(all.begin(), all.end(), 0.0f), 80);

  const Buffer other = cuda->allocate(2 * 8 * 2);
  cuda->copy(other.matrix(DType::BF16, 2, 8), part);
  cuda->to_host(back.data(), other.matrix(DType::BF16, 2, 8));
  EXPECT_EQ(back, values);
}

// The same bytes, the same sums: in int8 a product differs from the CPU's in the last bits of its scaling at most.
TEST_F(CudaBackendTest, AnInt8ProductIsTheCpus) {
  const auto cuda = make_gpu_backend(0, DType::BF16);
  cpu::CpuBackend cpu;
  for (const int64_t rows : {1, 5, 40}) {
    for (const int64_t inputs : {64, 200}) {
      constexpr int64_t kOutputs = 70;
      testing::HostValues weight({kOutputs, inputs}, DType::BF16, 1), bias({kOutputs}, DType::BF16, 2);
      testing::HostValues input({rows, inputs}, DType::BF16, 3, 8);  // some of it outliers
      const LinearSource source{{weight.tensor()}, {bias.tensor()}, WeightFormat::Int8};
      std::vector<float> values, results[2];
      for (int64_t i = 0; i < rows * inputs; ++i) {
        values.push_back(load_f32(input.tensor().data, DType::BF16, static_cast<size_t>(i)));
      }
      int at = 0;
      for (Backend* backend : {cuda.get(), static_cast<Backend*>(&cpu)}) {
        const DType type = backend->activation_type();
        const Buffer in = backend->allocate(values.size() * size_of(type));
        const Buffer out = backend->allocate(static_cast<size_t>(rows * kOutputs) * sizeof(float));
        backend->from_host(in.matrix(type, rows, inputs), values.data());
        const auto weights = backend->linear(source, DType::BF16);
        backend->matmul(out.matrix(DType::F32, rows, kOutputs), {in.matrix(type, rows, inputs), *weights}, {});
        results[at].resize(static_cast<size_t>(rows * kOutputs));
        backend->to_host(results[at++].data(), out.matrix(DType::F32, rows, kOutputs));
      }
      EXPECT_LE(testing::relative_error(results[0], results[1]), 1e-6) << rows << " x " << inputs;
    }
  }
}

// The promise of backend.h, bit for bit: alone, in a batch of prompts with pictures and without, and in its steps.
TEST_F(CudaBackendTest, ABatchGivesTheSameLogitsAsEachRequestAlone) {
  const Oracle oracle("hermes-gqa7");
  const auto engine = oracle.load(make_gpu_backend(0, DType::BF16), DType::BF16);
  const std::vector<std::string> names = {"text.0", "image.0", "images-combined.0"};
  testing::Requests together(engine);
  for (const std::string& name : names) together.add(oracle.prompt(*engine, oracle.dialog(name)), greedy(3));
  together.run();
  for (size_t i = 0; i < names.size(); ++i) {
    const Answer alone = answer(engine, oracle.prompt(*engine, oracle.dialog(names[i])), greedy(3));
    EXPECT_EQ(alone.logits, together.of(static_cast<int64_t>(i)).logits) << names[i];
  }
}

TEST_F(CudaBackendTest, ALaterRoundOverTheKeptCacheHasTheBitsOfAFreshPrompt) {
  const Oracle oracle("hermes-gqa7");
  const auto engine = oracle.load(make_gpu_backend(0, DType::F16), DType::F16);
  testing::Requests rounds(engine);
  rounds.answer(oracle.prompt(*engine, oracle.dialog("text.0")), greedy(5));
  const Answer kept = rounds.answer(oracle.prompt(*engine, oracle.dialog("text.1")), greedy(2));
  EXPECT_GT(kept.reused, 0);
  const Answer fresh = answer(engine, oracle.prompt(*engine, oracle.dialog("text.1")), greedy(2));
  EXPECT_EQ(kept.logits, fresh.logits);
}

// A prompt of `length` text tokens, the same for the same length.
Prompt text_prompt(const Engine& engine, size_t length) {
  Prompt prompt;
  for (size_t i = 0; i < length; ++i) {
    prompt.tokens.push_back(static_cast<int32_t>(i * i + 3) % static_cast<int32_t>(engine.config().language.vocab));
  }
  return prompt;
}

// Without a recorder the projector's norm gathers the patches itself.
TEST_F(CudaBackendTest, APicturesFeaturesAreTheSameWithARecorder) {
  for (const char* name : {"hermes-d128", "hermes-gqa7"}) {
    const Oracle oracle(name);
    const auto engine = oracle.load(make_gpu_backend(0, DType::BF16), DType::BF16);
    const std::vector<float> pixels = oracle.pixels(oracle.dialog("image.0"));
    const auto features = [&](Recorder* recorder) {
      const auto encoded = engine->encode(pixels.data(), 1, nullptr, recorder);
      std::vector<float> values(static_cast<size_t>(encoded->rows() * encoded->width()));
      encoded->copy_to(values.data());
      return values;
    };
    Recording recording;
    EXPECT_EQ(features(nullptr), features(&recording)) << name;
    EXPECT_TRUE(std::any_of(recording.entries().begin(), recording.entries().end(),
                            [](const auto& entry) { return entry.name == "vision.pixel_shuffle"; }));
  }
}

// The first piece of a prompt longer than a chunk has no logits.
TEST_F(CudaBackendTest, APromptOfSeveralChunksHasTheBitsOfOneThatCameInTwo) {
  const Oracle oracle("hermes-gqa7");
  const auto engine = oracle.load(make_gpu_backend(0, DType::BF16), DType::BF16);
  constexpr size_t kLong = kChunkRows + 60;
  const Answer at_once = answer(engine, text_prompt(*engine, kLong), greedy(1));
  testing::Requests rounds(engine);
  rounds.answer(text_prompt(*engine, kChunkRows - 100), greedy(1));
  const Answer in_two = rounds.answer(text_prompt(*engine, kLong), greedy(1));
  EXPECT_EQ(in_two.reused, kChunkRows - 100);
  EXPECT_EQ(at_once.logits, in_two.logits);
}

}  // namespace
}  // namespace ivl
