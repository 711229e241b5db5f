// Rows are quantized wherever they are at hand: by norms, by products on the way, or by a launch of their own. Which it is depends
// on the number of rows and on what the model says of them (an Output); the bits do not.
#include <cmath>

#include "cpu/operands.h"
#include "cuda/gpu_test.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::answer;
using testing::Answer;
using testing::greedy;
using testing::HostValues;
using testing::Oracle;

class Int8RowsTest : public testing::GpuTest {};

// A gated layer as the decoder has it: norm, gate|up, down, each of whose inputs is written for its reader, or for nobody.
struct Mlp {
  static constexpr int64_t kWidth = 128;
  Backend& backend;
  int64_t rows, inner;
  NormWeights norm{NormKind::RmsNorm, 1e-5f, nullptr, nullptr};
  std::unique_ptr<LinearWeights> gate_up, down;

  Mlp(Backend& on, int64_t rows_, int64_t inner_) : backend(on), rows(rows_), inner(inner_) {
    const auto linear = [&](const std::vector<std::vector<int64_t>>& shapes) {
      LinearSource source{{}, {}, WeightFormat::Int8};
      std::vector<HostValues> values;
      for (const auto& shape : shapes) values.emplace_back(shape, DType::BF16, static_cast<uint32_t>(values.size() + 1));
      for (const HostValues& one : values) source.weights.push_back(one.tensor());
      auto weights = backend.linear(source, DType::BF16);
      backend.finish_weights();
      return weights;
    };
    norm.weight = backend.vector(HostValues({kWidth}, DType::BF16, 7, 6).tensor(), DType::BF16);  // so that there are outliers
    gate_up = linear({{inner, kWidth}, {inner, kWidth}});
    down = linear({{kWidth, inner}});
  }

  std::vector<float> run(bool written_for_readers, bool another_layer_first = false) {
    std::vector<float> values(static_cast<size_t>(rows * kWidth));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * i % 97) / 48 - 1;
    const size_t wide = static_cast<size_t>(rows * std::max(kWidth, 2 * inner)) * sizeof(float);
    const Buffer memory[] = {backend.allocate(wide), backend.allocate(wide), backend.allocate(wide), backend.allocate(wide)};
    const Matrix x = memory[0].matrix(DType::BF16, rows, kWidth), normed = memory[1].matrix(DType::BF16, rows, kWidth);
    const Matrix gated = memory[2].matrix(DType::BF16, rows, inner), out = memory[3].matrix(DType::F32, rows, kWidth);
    backend.from_host(x, values.data());
    const LayerInput into_gate_up{normed, *gate_up}, into_down{gated, *down};
    backend.norm(written_for_readers ? Output(into_gate_up) : normed, x, norm);
    backend.matmul(written_for_readers ? Output(into_down) : gated, into_gate_up, {Activation::SwiGlu, nullptr, nullptr});
    if (another_layer_first) backend.matmul(memory[0].matrix(DType::BF16, rows, 2 * inner), into_gate_up, {});
    backend.matmul(out, into_down, {});
    backend.to_host(values.data(), out);
    return values;
  }
};

TEST_F(Int8RowsTest, WeightsThatAreNoNumbersAreRefused) {
  const auto cuda = make_gpu_backend(0, DType::BF16);
  for (const float bad : {std::nanf(""), INFINITY}) {
    std::vector<uint16_t> values(3 * 64, f32_to_bf16(0.5f));
    values[2 * 64 + 63] = f32_to_bf16(bad);
    const HostTensor weight{values.data(), DType::BF16, {3, 64}, {}, "model.safetensors: tensor 'w'"};
    try {
      cuda->linear({{weight}, {}, WeightFormat::Int8}, DType::BF16);
      FAIL() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), Status::Checkpoint);
      EXPECT_EQ(std::string(error.what()).find("model.safetensors: tensor 'w': row 2 holds NaN or infinity"), 0u) << error.what();
    }
  }
}

TEST_F(Int8RowsTest, RowsWrittenForALayerGiveItsProductTheSameBits) {
  const auto cuda = make_gpu_backend(0, DType::BF16);
  for (const int64_t rows : {1, 7, 16, 17}) {
    for (const int64_t inner : {192, 104}) {
      Mlp mlp(*cuda, rows, inner);
      const std::vector<float> expected = mlp.run(false);
      EXPECT_EQ(mlp.run(true), expected) << rows << " x " << inner;
      EXPECT_EQ(mlp.run(true, true), expected) << rows << " x " << inner;
    }
  }
}

class Int8Model : public Int8RowsTest, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Oracles, Int8Model, ::testing::Values("hermes-d128", "hermes-gqa7"),
                         [](const auto& p) { return std::string(p.param).substr(7); });

Prompt text_prompt(size_t length) {
  Prompt prompt;
  for (size_t i = 0; i < length; ++i) prompt.tokens.push_back(static_cast<int32_t>(i * i % 300));
  return prompt;
}

// The steps of three answers, alone and together, and the same tokens as the end of a prompt.
TEST_P(Int8Model, AStepHasTheBitsOfAPromptAndOfABatch) {
  LoadOptions options;
  options.precision = DType::BF16;
  options.formats.decoder = options.formats.head = WeightFormat::Int8;
  const auto engine = Oracle(GetParam()).load(testing::always(make_gpu_backend(0, DType::BF16)), options);
  const std::vector<size_t> lengths = {3, 40, 19};
  testing::Requests together(engine);
  for (const size_t length : lengths) together.add(text_prompt(length), greedy(3));
  together.run();
  for (size_t i = 0; i < lengths.size(); ++i) {
    const Answer alone = answer(engine, text_prompt(lengths[i]), greedy(3));
    EXPECT_EQ(alone.logits, together.of(static_cast<int64_t>(i)).logits) << lengths[i];
    Prompt whole = text_prompt(lengths[i]);
    whole.tokens.insert(whole.tokens.end(), alone.tokens.begin(), alone.tokens.end() - 1);
    EXPECT_EQ(answer(engine, whole, greedy(1)).logits.at(0), alone.logits.back()) << lengths[i];
  }
}

}  // namespace
}  // namespace ivl
