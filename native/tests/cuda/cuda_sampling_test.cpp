// Sampling on the GPU against the CPU's: the same tokens and log-probabilities, bit for bit, from the same logits.
#include <random>

#include "cpu/cpu_backend.h"
#include "cuda/cuda_backend.h"
#include "cuda/gpu_test.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::Oracle;

class CudaSamplingTest : public testing::GpuTest {};

void expect_same(const Sampled& got, const Sampled& expected) {
  EXPECT_EQ(got.token, expected.token);
  EXPECT_EQ(got.logprob, expected.logprob);
  ASSERT_EQ(got.top.size(), expected.top.size());
  for (size_t i = 0; i < got.top.size(); ++i) {
    EXPECT_EQ(got.top[i].token, expected.top[i].token);
    EXPECT_EQ(got.top[i].logprob, expected.top[i].logprob);
  }
}

Sampling random_settings(std::mt19937& random) {
  const auto one_of = [&](auto... values) {
    const std::common_type_t<decltype(values)...> all[] = {values...};
    return all[random() % sizeof...(values)];
  };
  Sampling sampling;
  sampling.temperature = one_of(0.0f, 0.3f, 1.0f, 2.5f);
  sampling.top_k = one_of(0, 1, 7, 50, 100000);
  sampling.top_p = one_of(1.0f, 0.95f, 0.5f, 0.01f);
  sampling.repetition_penalty = one_of(1.0f, 1.2f, 0.8f);
  sampling.min_p = one_of(0.0f, 0.0f, 0.05f, 0.5f);
  sampling.frequency_penalty = one_of(0.0f, 0.0f, 0.5f);
  sampling.presence_penalty = one_of(0.0f, 0.0f, 0.25f);
  if (random() % 3 == 0) sampling.logit_bias = {{3, 2.5f}, {7, -INFINITY}, {700, 1.0f}};
  sampling.top_logprobs = one_of(0, 0, 3, 64);
  sampling.seed = random();
  sampling.max_new_tokens = 6;
  return sampling;
}

TEST_F(CudaSamplingTest, RandomSettingsChooseWhatTheCpuChooses) {
  constexpr int64_t kRows = 40, kVocabulary = 2500, kStride = 2504;
  const auto cuda = make_gpu_backend(0, DType::BF16);
  cpu::CpuBackend cpu;
  std::mt19937 random(11);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> values(kRows * kVocabulary);
  for (float& value : values) value = std::round(8 * normal(random)) / 8;  // with equals
  std::vector<int32_t> generated(40);
  for (int32_t& token : generated) token = static_cast<int32_t>(random() % kVocabulary);
  std::vector<Draw> draws;
  for (int64_t row = 0; row < kRows; ++row) {
    draws.push_back(Sampler(random_settings(random)).next(generated));
    if (row % 4 != 1) continue;
    std::vector<uint32_t> words((kVocabulary + 31) / 32);
    for (uint32_t& word : words) word = static_cast<uint32_t>(random()) & static_cast<uint32_t>(random());
    if (row == 5) words.assign(words.size(), 0);  // nothing is left
    draws.back().allowed = std::make_shared<const std::vector<uint32_t>>(words);
  }
  std::vector<Sampled> sampled[2];
  int at = 0;
  for (Backend* backend : {cuda.get(), static_cast<Backend*>(&cpu)}) {
    const Buffer memory = backend->allocate(kRows * kStride * sizeof(float));
    const Matrix logits = memory.matrix(DType::F32, kRows, kStride).col_range(0, kVocabulary);
    backend->from_host(logits, values.data());
    sampled[at++] = backend->sample(logits, draws);
  }
  for (size_t row = 0; row < kRows; ++row) {
    SCOPED_TRACE(row);
    ASSERT_EQ(sampled[0][row].failure.has_value(), row == 5);
    ASSERT_EQ(sampled[1][row].failure.has_value(), row == 5);
    if (row != 5) expect_same(sampled[0][row], sampled[1][row]);
  }
}

TEST_F(CudaSamplingTest, LogitsThatAreNoNumbersAreTheSameErrorAsOnTheCpu) {
  const auto cuda = make_gpu_backend(0, DType::BF16);
  const Buffer memory = cuda->allocate(2 * 16 * sizeof(float));
  const Matrix logits = memory.matrix(DType::F32, 2, 16);
  for (const float bad : {std::nanf(""), INFINITY}) {
    std::vector<float> values(32, 1.0f);
    values[20] = bad;
    cuda->from_host(logits, values.data());
    const std::vector<Draw> draws(2);
    const std::vector<Sampled> sampled = cuda->sample(logits, draws);
    EXPECT_FALSE(sampled.at(0).failure.has_value());
    EXPECT_EQ(sampled.at(0).token, 0);
    ASSERT_TRUE(sampled.at(1).failure.has_value());
    EXPECT_EQ(sampled.at(1).failure->status(), Status::NotFinite);
    const Sampled expected = sampled_or_failure([&] { return sample(std::span(values).subspan(16), draws[1]); });
    EXPECT_STREQ(sampled.at(1).failure->what(), expected.failure.value().what());
  }
}

// What a batch of sampled answers says, against the CPU's sampler over the very logits; and its steps are replayed graphs.
TEST_F(CudaSamplingTest, AGenerationDrawsWhatTheCpuDrawsFromItsLogits) {
  const auto gpu = std::make_shared<cuda::CudaBackend<gpu::bf16>>(0);
  const Oracle oracle("hermes-gqa7");
  const auto engine = oracle.load(gpu, DType::BF16);
  std::mt19937 random(5);
  struct Checked {
    Sampler sampler;
    std::vector<int32_t> tokens;
  };
  std::vector<Checked> requests;
  testing::Requests together(engine, {.kv_blocks = 8, .pass_seconds = 1e9});
  for (size_t i = 0; i < 4; ++i) {
    const Sampling sampling = random_settings(random);
    Prompt prompt = oracle.prompt(*engine, oracle.dialog("text.0"));
    prompt.tokens.resize(prompt.tokens.size() - i);
    together.add(std::move(prompt), sampling, {.salt = cat(i)});  // or they would wait for what the first computes
    requests.push_back({Sampler(sampling), {}});
  }
  int steps = 0;
  for (; !together.scheduler().idle(); ++steps) {
    for (const Event& event : together.turn()) {
      SCOPED_TRACE(cat("request ", event.request, ", step ", steps));
      Checked& request = requests[static_cast<size_t>(event.request)];
      const Sampled expected = sample(event.logits, request.sampler.next(request.tokens));
      expect_same({event.token, event.logprob, event.top}, expected);
      request.tokens.push_back(event.token);
    }
  }
  EXPECT_EQ(steps, 7);                   // the prompts need two passes
  EXPECT_LE(gpu->captured_graphs(), 3);  // of four rows, of two, and of three if one ends early
}

}  // namespace
}  // namespace ivl
