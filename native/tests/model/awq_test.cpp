// AWQ checkpoints: made of the small ones, they give the bits of the same checkpoints with their weights written out in 16 bits.
#include <gtest/gtest.h>

#include <random>

#include "checkpoint/checkpoint_files.h"
#include "checkpoint/safetensors_writer.h"
#include "cpu/cpu_backend.h"
#include "model/oracle.h"
#include "model/weight_formats.h"
#include "model/weights.h"

namespace ivl {
namespace {

namespace fs = std::filesystem;
using checkpoint_test::TempDir;
using testing::Oracle;

// Tensors to be written, with their bytes.
class Tensors {
 public:
  void add(const std::string& name, const std::string& dtype, std::vector<int64_t> shape, const void* data, size_t bytes) {
    tensors_.push_back({name, dtype, std::move(shape), bytes});
    const auto* begin = static_cast<const char*>(data);
    bytes_.emplace_back(begin, begin + bytes);
  }
  template <class T>
  void add(const std::string& name, const std::string& dtype, std::vector<int64_t> shape, const std::vector<T>& values) {
    add(name, dtype, std::move(shape), values.data(), values.size() * sizeof(T));
  }
  void write(const fs::path& file) const {
    SafetensorsWriter writer(file, tensors_, {});
    for (const auto& bytes : bytes_) writer.write(bytes.data(), bytes.size());
    writer.finish();
  }

 private:
  std::vector<TensorToWrite> tensors_;
  std::vector<std::vector<char>> bytes_;
};

// A weight's row-major values and its groups'.
struct Layer {
  int64_t outputs, inputs, group;
  std::vector<int> q, zeros;
  std::vector<uint16_t> scales;  // f16, (outputs, groups)

  int64_t groups() const { return inputs / group; }
  size_t of(int64_t output, int64_t input) const { return static_cast<size_t>(output * groups() + input / group); }
};

// Evenly spaced levels between a group's least and largest value.
Layer quantized(const TensorInfo& weight, int64_t group) {
  Layer layer{weight.shape[0], weight.shape[1], group, {}, {}, {}};
  layer.q.resize(static_cast<size_t>(layer.outputs * layer.inputs));
  const auto value = [&](int64_t output, int64_t input) {
    return load_f32(weight.data, *weight.dtype, static_cast<size_t>(output * layer.inputs + input));
  };
  for (int64_t output = 0; output < layer.outputs; ++output) {
    for (int64_t first = 0; first < layer.inputs; first += group) {
      float low = 0, high = 0;
      for (int64_t i = first; i < first + group; ++i) {
        low = std::min(low, value(output, i));
        high = std::max(high, value(output, i));
      }
      float scale[2] = {};
      store_f32(scale, DType::F16, 0, std::max(1e-5f, (high - low) / 15));
      uint16_t bits;
      std::memcpy(&bits, scale, sizeof bits);
      const float s = load_f32(scale, DType::F16, 0);
      const int zero = std::clamp(static_cast<int>(std::nearbyint(-low / s)), 0, 15);
      layer.scales.push_back(bits);
      layer.zeros.push_back(zero);
      for (int64_t i = first; i < first + group; ++i) {
        layer.q[static_cast<size_t>(output * layer.inputs + i)] =
            std::clamp(static_cast<int>(std::nearbyint(value(output, i) / s)) + zero, 0, 15);
      }
    }
  }
  return layer;
}

// As AutoAWQ packs eight outputs a word.
std::vector<uint32_t> packed(int64_t rows, int64_t outputs, const std::function<int(int64_t row, int64_t output)>& q) {
  constexpr int64_t kOrder[] = {0, 2, 4, 6, 1, 3, 5, 7};
  std::vector<uint32_t> words;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t first = 0; first < outputs; first += 8) {
      uint32_t word = 0;
      for (int i = 0; i < 8; ++i) word |= static_cast<uint32_t>(q(row, first + kOrder[i])) << (4 * i);
      words.push_back(word);
    }
  }
  return words;
}

void add_awq(Tensors& to, const std::string& name, const Layer& layer) {
  const std::string stem = name.substr(0, name.size() - std::string(".weight").size());
  const auto group_value = [&](const auto& values, int64_t g, int64_t output) {
    return values[static_cast<size_t>(output * layer.groups() + g)];
  };
  to.add(stem + ".qweight", "I32", {layer.inputs, layer.outputs / 8},
         packed(layer.inputs, layer.outputs,
                [&](int64_t in, int64_t out) { return layer.q[static_cast<size_t>(out * layer.inputs + in)]; }));
  to.add(stem + ".qzeros", "I32", {layer.groups(), layer.outputs / 8},
         packed(layer.groups(), layer.outputs, [&](int64_t g, int64_t out) { return group_value(layer.zeros, g, out); }));
  std::vector<uint16_t> scales;
  for (int64_t g = 0; g < layer.groups(); ++g) {
    for (int64_t out = 0; out < layer.outputs; ++out) scales.push_back(group_value(layer.scales, g, out));
  }
  to.add(stem + ".scales", "F16", {layer.groups(), layer.outputs}, scales);
}

// (q - zero) * scale, in f16.
std::vector<uint16_t> written_out(const Layer& layer) {
  std::vector<uint16_t> values(layer.q.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const auto output = static_cast<int64_t>(i) / layer.inputs, input = static_cast<int64_t>(i) % layer.inputs;
    const size_t group = layer.of(output, input);
    store_f32(values.data(), DType::F16, i,
              static_cast<float>(layer.q[i] - layer.zeros[group]) * load_f32(layer.scales.data(), DType::F16, group));
  }
  return values;
}

// A checkpoint whose decoder is in AWQ, and the same with its weights written out.
class Pair {
 public:
  Pair(const Oracle& oracle, int64_t group) {
    const Checkpoint checkpoint = Checkpoint::open(oracle.folder());
    const ModelConfig config = as_stored(load_config(oracle.folder()), checkpoint);
    const ParamTable params(config);
    Tensors awq, plain;
    for (const TensorInfo& tensor : checkpoint.tensors()) {
      const Param* param = params.find(tensor.name);
      const bool can = param != nullptr && format_group(*param) == FormatGroup::Decoder && tensor.shape[0] % 8 == 0 &&
                       tensor.shape[1] % group == 0;
      if (!can) {
        for (Tensors* to : {&awq, &plain}) to->add(tensor.name, tensor.dtype_name, tensor.shape, tensor.data, tensor.bytes);
        continue;
      }
      const Layer layer = quantized(tensor, group);
      add_awq(awq, tensor.name, layer);
      plain.add(tensor.name, "F16", tensor.shape, written_out(layer));
      ++layers;
    }
    awq.write(awq_ / "model.safetensors");
    plain.write(plain_ / "model.safetensors");
    for (const TempDir* folder : {&awq_, &plain_}) fs::copy_file(oracle.folder() / "config.json", *folder / "config.json");
  }

  const fs::path& awq() const { return awq_.path(); }
  const fs::path& plain() const { return plain_.path(); }
  int layers = 0;

 private:
  TempDir awq_, plain_;
};

std::shared_ptr<Engine> engine_of(const fs::path& folder, const LoadOptions& options, bool rounds) {
  const auto cpu = std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 2, .bf16_activations = rounds});
  auto loader = ModelLoader::open(testing::always(cpu), folder, options);
  while (loader->done() < loader->total()) loader->step();
  return std::make_shared<Engine>(loader->take());
}

class Awq : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Oracles, Awq,
                         ::testing::Values("hermes-d128", "internlm2-tiles", "phi3", "qwen2-hf", "qwen3", "qwen3-moe"),
                         [](const auto& p) { return testing::test_name(p.param); });

TEST_P(Awq, GivesTheBitsOfTheSameWeightsIn16Bits) {
  const Oracle oracle(GetParam());
  for (const int64_t group : {64, 32}) {
    const Pair pair(oracle, group);
    EXPECT_GT(pair.layers, 3);
    struct Case {
      std::optional<DType> precision;
      bool rounds;
    };
    for (const auto& [precision, rounds] : {Case{{}, false}, {DType::F32, false}, {DType::F16, false}, {DType::BF16, true}}) {
      SCOPED_TRACE(cat("groups of ", group, ", ", precision ? name_of(*precision) : "as stored"));
      LoadOptions options;
      options.precision = precision;
      options.bf16_activations = rounds;
      std::vector<std::vector<std::vector<float>>> logits;
      for (const fs::path& folder : {pair.awq(), pair.plain()}) {
        const auto engine = engine_of(folder, options, rounds);
        EXPECT_EQ(engine->precision().formats.decoder, folder == pair.awq() ? WeightFormat::Int4 : WeightFormat::Plain);
        EXPECT_EQ(engine->precision().formats.head, WeightFormat::Plain);
        logits.push_back(testing::answer(engine, oracle.prompt(*engine, oracle.dialog("image.0")), testing::greedy(3)).logits);
      }
      EXPECT_EQ(logits[0], logits[1]);
    }
  }
}

TEST(AwqFiles, WhatIsMissingOrWrongIsNamed) {
  const Oracle oracle("hermes-d128");
  const Pair pair(oracle, 64);
  const auto refused_without = [&](const std::string& part, const std::string& as, const std::vector<std::string>& words) {
    const TempDir folder;
    const SafetensorsFile file = SafetensorsFile::open(pair.awq() / "model.safetensors");
    Tensors kept;
    bool changed = false;
    for (const TensorInfo& tensor : file.tensors()) {
      const bool it = !changed && tensor.name.ends_with(part);
      changed = changed || it;
      if (!it) {
        kept.add(tensor.name, tensor.dtype_name, tensor.shape, tensor.data, tensor.bytes);
      } else if (!as.empty()) {
        kept.add(tensor.name, as, {static_cast<int64_t>(tensor.bytes) / 4}, tensor.data, tensor.bytes);
      }
    }
    kept.write(folder / "model.safetensors");
    const Checkpoint checkpoint = Checkpoint::open(folder.path());
    try {
      require_weights(checkpoint, as_stored(load_config(oracle.folder()), checkpoint));
      FAIL() << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), Status::Checkpoint);
      for (const std::string& word : words) EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  refused_without(".qzeros", "", {".qzeros: missing"});
  refused_without(".scales", "", {".scales: missing"});
  refused_without(".qweight", "I32", {".qweight: expected I32 of shape", "got I32"});
  refused_without(".scales", "F32", {".scales: expected F16 of shape", "got F32"});
}

TEST(AwqFiles, AnotherFormatCannotBeMadeOfThem) {
  const Oracle oracle("hermes-d128");
  const Pair pair(oracle, 64);
  LoadOptions options;
  options.formats.decoder = options.formats.head = WeightFormat::Int8;
  try {
    engine_of(pair.awq(), options, false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::InvalidArgument);
    EXPECT_NE(std::string(error.what()).find("stored in int4, and int8 was asked for"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace ivl
