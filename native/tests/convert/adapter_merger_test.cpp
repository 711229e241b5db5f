// Merged checkpoints, and checkpoints with pairs beside their layers: each is the model that its base and the adapter are.
#include "convert/adapter_merger.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "cpu/cpu_backend.h"
#include "model/adapter_folder.h"
#include "model/oracle.h"

namespace ivl {
namespace {

namespace fs = std::filesystem;
using checkpoint_test::expect_error;
using checkpoint_test::read_text;
using checkpoint_test::TempDir;
using nlohmann::json;
using testing::AdapterFolder;
using testing::Answer;
using testing::Dialog;
using testing::greedy;
using testing::Oracle;
using testing::relative_error;
using testing::Requests;

// As the caller does: the weights, then the configuration.
void merge(const fs::path& model, const std::optional<fs::path>& adapter, const fs::path& output, MergeRounding rounding) {
  AdapterMerger merger(model, adapter, output, rounding, 2);
  while (merger.done() < merger.total()) merger.step();
  json config = json::parse(read_text(model / "config.json"));
  if (config.contains("use_llm_lora")) config["use_llm_lora"] = 0;
  std::ofstream(output / "config.json") << config;
}

std::shared_ptr<Engine> load(const fs::path& folder, DType precision = DType::F32) {
  LoadOptions options;
  options.precision = precision;
  auto loader =
      ModelLoader::open(testing::always(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 2})), folder, options);
  while (loader->done() < loader->total()) loader->step();
  return std::make_shared<Engine>(loader->take());
}

// Logits of the next tokens, in one row.
std::vector<float> logits(const std::shared_ptr<Engine>& engine, const Prompt& prompt, std::vector<AdapterChoice> adapters = {}) {
  Requests requests(engine);
  const int64_t id = requests.add(prompt, greedy(1), {.adapters = std::move(adapters)});
  requests.run();
  return requests.of(id).logits.at(0);
}

TEST(AdapterMerger, LogitsAreTheOriginalsInEitherRounding) {
  const fs::path model = testing::test_data() / "hermes-gqa7", adapter = model / "adapter";
  const json expected = json::parse(read_text(adapter / "expected.json"));
  const SafetensorsFile oracle = SafetensorsFile::open(adapter / "oracle.safetensors");
  for (const auto& [rounding, name] :
       {std::pair(MergeRounding::Once, "merged"), std::pair(MergeRounding::InType, "merged_in_type")}) {
    const TempDir dir;
    merge(model, adapter, dir.path(), rounding);
    const auto engine = load(dir.path());
    for (const json& answer : expected.at("answers")) {
      if (answer.at("weights") != name || answer.at("prompt") != "text") continue;
      const Answer got = testing::answer(engine, {answer.at("input_ids"), -1, {}, {}}, greedy(12));
      EXPECT_EQ(got.tokens, answer.at("greedy_tokens").get<std::vector<int32_t>>()) << name;
      const TensorInfo* want = oracle.find(cat("text/", name, "/greedy_logits"));
      ASSERT_NE(want, nullptr);
      std::vector<float> rows, original(static_cast<size_t>(want->elements()));
      for (size_t i = 0; i < original.size(); ++i) original[i] = load_f32(want->data, *want->dtype, i);
      for (const auto& row : got.logits) rows.insert(rows.end(), row.begin(), row.end());
      rows.resize(original.size());
      EXPECT_LE(relative_error(rows, original), 1e-4) << name;
    }
  }
}

// Every family's names and orders of rows: what an adapter adds beside the weights is what is merged into them.
class MergedFamily : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Oracles, MergedFamily,
                         ::testing::Values("hermes-d128", "internlm2-tiles", "phi3", "qwen2-hf", "qwen2-tied", "qwen3"),
                         [](const auto& p) { return testing::test_name(p.param); });

TEST_P(MergedFamily, IsTheModelWithTheAdapterBesideItsWeights) {
  const Oracle oracle(GetParam());
  const auto base = oracle.load(std::make_shared<cpu::CpuBackend>(), DType::F32);
  const ParamTable params(base->config());
  AdapterFolder folder(3);
  folder.pairs_of(params, 8, true);
  folder.write();
  const auto adapter = base->load_adapter(folder.path());
  EXPECT_TRUE(adapter->sees());
  const TempDir dir;
  merge(oracle.folder(), folder.path(), dir.path(), MergeRounding::Once);
  const auto merged = load(dir.path());
  for (const char* name : {"text.0", "image.0"}) {
    const Dialog& dialog = oracle.dialog(name);
    Prompt beside = oracle.prompt(*base, dialog);
    const std::vector<float> without = logits(base, beside);
    if (!dialog.images.empty()) {
      const std::vector<float> pixels = oracle.pixels(dialog);
      const ModelConfig& config = base->config();
      const auto count = static_cast<int64_t>(pixels.size()) / (config.vision.channels * config.image_size * config.image_size);
      beside.features = {base->encode(pixels.data(), count, nullptr, nullptr, {{{adapter}}, *base})};
    }
    const std::vector<float> want = logits(merged, oracle.prompt(*merged, dialog)), got = logits(base, beside, {{adapter}});
    const double changed = relative_error(without, want), off = relative_error(got, want);
    EXPECT_GT(changed, 0.05) << name << ": the adapter changes the answer";
    EXPECT_LT(off, 0.2 * changed) << name << ": but for the rounding of what is merged";
  }
}

// A checkpoint as the original's training saves it: pairs beside the decoder's layers, under the wrapper's names.
void write_wrapped(const fs::path& model, const fs::path& adapter, const fs::path& output) {
  json json_config = json::parse(read_text(model / "config.json"));
  const ModelConfig plain = parse_config(json_config.dump());
  json_config["use_llm_lora"] = 4;
  std::ofstream(output / "config.json") << json_config;
  const ModelConfig wrapped = parse_config(json_config.dump());
  const ParamTable from(plain), to(wrapped);
  const Checkpoint checkpoint = Checkpoint::open(model);
  const LoraTensors pairs = LoraTensors::of_folder(adapter, plain, from);
  std::vector<TensorToWrite> tensors;
  std::vector<std::pair<const void*, uint64_t>> bytes;
  for (size_t i = 0; i < from.all().size(); ++i) {
    const TensorInfo& tensor = checkpoint.get(from.all()[i].name);
    tensors.push_back({to.all()[i].name, tensor.dtype_name, tensor.shape, tensor.bytes});
    bytes.emplace_back(tensor.data, tensor.bytes);
    const std::vector<std::string> names = LoraTensors::names_beside(to.all()[i]);
    if (names.empty()) continue;
    const LoraPair* pair = pairs.find(from.all()[i]);
    ASSERT_NE(pair, nullptr) << names[0];
    for (const auto& [name, half] : {std::pair(names[0], &pair->a), std::pair(names[1], &pair->b)}) {
      const uint64_t size = static_cast<uint64_t>(half->shape[0] * half->shape[1]) * sizeof(float);
      tensors.push_back({name, "F32", half->shape, size});
      bytes.emplace_back(half->data, size);
    }
  }
  SafetensorsWriter writer(output / "model.safetensors", tensors, {});
  for (const auto& [data, size] : bytes) writer.write(data, size);
  writer.finish();
}

TEST(WrappedCheckpoint, IsItsBaseWithTheAdapterAndMergesToTheSame) {
  const fs::path model = testing::test_data() / "hermes-gqa7", adapter = model / "adapter";
  const TempDir wrapped, merged_wrapped, merged;
  write_wrapped(model, adapter, wrapped.path());
  const Checkpoint checkpoint = Checkpoint::open(wrapped.path());
  EXPECT_NE(checkpoint.find("language_model.base_model.model.model.layers.0.self_attn.q_proj.base_layer.weight"), nullptr);
  EXPECT_NE(checkpoint.find("language_model.base_model.model.model.layers.1.mlp.down_proj.lora_B.default.weight"), nullptr);
  EXPECT_NE(checkpoint.find("language_model.base_model.model.lm_head.weight"), nullptr);

  const auto base = load(model), own = load(wrapped.path());
  const Oracle oracle("hermes-gqa7");
  const auto beside = base->load_adapter(adapter);
  for (const char* name : {"text.0", "image.0"}) {
    const Dialog& dialog = oracle.dialog(name);
    EXPECT_EQ(logits(own, oracle.prompt(*own, dialog)), logits(base, oracle.prompt(*base, dialog), {{beside}})) << name;
  }
  // Another one on top of its own.
  const auto twice = own->load_adapter(adapter);
  const Prompt text = oracle.prompt(*own, oracle.dialog("text.0"));
  const double off =
      relative_error(logits(own, text, {{twice}}), logits(base, oracle.prompt(*base, oracle.dialog("text.0")), {{beside, 2}}));
  EXPECT_LT(off, 1e-4);

  merge(wrapped.path(), std::nullopt, merged_wrapped.path(), MergeRounding::Once);
  merge(model, adapter, merged.path(), MergeRounding::Once);
  EXPECT_EQ(logits(load(merged_wrapped.path()), text), logits(load(merged.path()), text));
}

TEST(WrappedCheckpoint, WithoutAPairIsRefusedByName) {
  const fs::path model = testing::test_data() / "hermes-gqa7";
  const TempDir dir;
  json config = json::parse(read_text(model / "config.json"));
  config["use_llm_lora"] = 4;
  dir.write("config.json", config.dump());
  fs::copy_file(model / "model.safetensors", dir / "model.safetensors");
  expect_error(Status::Checkpoint, {"language_model.base_model.model.", "missing"}, [&] { load(dir.path()); });
}

TEST(AdapterMerger, WhatCannotBeMergedIsRefusedBeforeAnythingIsWritten) {
  const fs::path model = testing::test_data() / "hermes-gqa7";
  const TempDir dir;
  const fs::path output = dir / "out";
  expect_error(Status::InvalidArgument, {"no pairs of its own"},
               [&] { AdapterMerger(model, std::nullopt, output, MergeRounding::Once, 1); });
  AdapterFolder other;
  other.pair("model.layers.7.mlp.down_proj", 448, 608, 4);
  expect_error(Status::Checkpoint, {"layers.7.mlp.down_proj"},
               [&] { AdapterMerger(model, other.write(), output, MergeRounding::Once, 1); });
  EXPECT_FALSE(fs::exists(output));
  // Beyond the range of f16.
  AdapterFolder large;
  large.add("model.layers.0.mlp.down_proj.lora_A.weight", {4, 608}, DType::F32, 1e4f);
  large.add("model.layers.0.mlp.down_proj.lora_B.weight", {448, 4}, DType::F32, 1e4f);
  AdapterMerger merger(model, large.write(), output, MergeRounding::Once, 2);
  expect_error(Status::NotFinite, {"down_proj", "beyond the range"}, [&] {
    while (merger.done() < merger.total()) merger.step();
  });
}

TEST(AdapterMerger, PairsOfExpertsAndRoutersAreMerged) {
  const Oracle oracle("qwen3-moe");
  const ModelConfig config = load_config(oracle.folder());
  const ParamTable params(config);
  AdapterFolder folder;
  for (const Param& param : params.all()) {
    if (param.expert != 1 && param.use != Use::Router) continue;
    folder.pair(param.name.substr(0, param.name.size() - std::string(".weight").size()), param.shape[0], param.shape[1], 4);
  }
  const TempDir dir;
  merge(oracle.folder(), folder.write(), dir.path(), MergeRounding::Once);
  const Checkpoint before = Checkpoint::open(oracle.folder()), after = Checkpoint::open(dir.path());
  for (const Param& param : params.all()) {
    const TensorInfo &a = before.get(param.name), &b = after.get(param.name);
    const bool changed = param.role == Role::Linear && (param.expert == 1 || param.use == Use::Router);
    EXPECT_EQ(std::equal(a.data, a.data + a.bytes, b.data), !changed) << param.name;
  }
}

}  // namespace
}  // namespace ivl
