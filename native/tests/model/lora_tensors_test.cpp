// Which adapters are read, and how what is wrong with one is named.
#include "model/adapters/lora_tensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/adapter_folder.h"
#include "model/adapters/lora_config.h"
#include "model/adapters/module_names.h"
#include "model/tiny_model.h"

namespace ivl {
namespace {

using checkpoint_test::expect_error;
using checkpoint_test::TempDir;
using nlohmann::json;
using testing::AdapterFolder;
using testing::tiny_config;

// Hidden 48, six heads of eight, two key/value heads, two layers.
class Lora : public ::testing::Test {
 protected:
  ModelConfig config_ = parse_config(tiny_config().dump());
  ParamTable params_{config_};

  LoraTensors read(const std::filesystem::path& folder) const { return LoraTensors::of_folder(folder, config_, params_); }
  const LoraPair* pair(const LoraTensors& tensors, const char* name) const {
    const Param* param = params_.find(name);
    return param == nullptr ? nullptr : tensors.find(*param);
  }
  void expect_refused(AdapterFolder& adapter, Status status, std::initializer_list<std::string_view> parts) const {
    expect_error(status, parts, [&] { read(adapter.write()); });
  }

  static constexpr const char* kQ = "language_model.model.layers.0.self_attn.q_proj";
  // An adapter that is right.
  struct Right : AdapterFolder {
    Right() { pair(kQ, 48, 48, 4); }
  };
  static constexpr const char* kQWeight = "language_model.model.layers.0.self_attn.q_proj.weight";
};

TEST_F(Lora, PathsOfWholeModelsAndOfDecodersAloneAreTheModels) {
  const ModuleNames names(config_, params_);
  for (const char* path :
       {kQ, "model.layers.0.self_attn.q_proj", "layers.0.self_attn.q_proj", "model.language_model.layers.0.self_attn.q_proj"}) {
    ASSERT_NE(names.find(path), nullptr) << path;
    EXPECT_EQ(names.find(path)->name, kQWeight);
  }
  EXPECT_EQ(names.find("vision_model.encoder.layers.1.attn.qkv")->name, "vision_model.encoder.layers.1.attn.qkv.weight");
  EXPECT_EQ(names.find("mlp1.3")->name, "mlp1.3.weight");
  EXPECT_EQ(names.find("lm_head")->name, "language_model.lm_head.weight");
  for (const char* path :
       {"", "layers.2.self_attn.q_proj", "layers.0.self_attn", "embed_tokens", "other.layers.0.self_attn.q_proj"}) {
    EXPECT_EQ(names.find(path), nullptr) << path;
  }
}

TEST_F(Lora, ScalesAreAsPeftHasThem) {
  AdapterFolder adapter;
  for (const char* layer : {"0", "1"}) {
    const std::string path = cat("model.layers.", layer, ".self_attn.");
    adapter.pair(path + "q_proj", 48, 48, 4);
    adapter.pair(path + "k_proj", 16, 48, layer[0] == '0' ? 2 : 4);
    adapter.pair(path + "o_proj", 48, 48, 4);
  }
  adapter.config["rank_pattern"] = {{"layers.0.self_attn.k_proj", 2}};
  adapter.config["alpha_pattern"] = {{"k_proj", 6}, {"^model\\.layers\\.[01]\\.self_attn\\.(o|v)_proj", 40}};
  for (const bool by_root : {false, true}) {
    adapter.config["use_rslora"] = by_root;
    const LoraTensors tensors = read(adapter.write());
    EXPECT_EQ(tensors.pairs().size(), 6u);
    const auto scale = [&](const char* name) { return pair(tensors, name)->scale; };
    const auto by = [&](float rank) { return by_root ? std::sqrt(rank) : rank; };
    EXPECT_FLOAT_EQ(scale(kQWeight), 8 / by(4));
    EXPECT_FLOAT_EQ(scale("language_model.model.layers.0.self_attn.k_proj.weight"), 6 / by(2));
    EXPECT_FLOAT_EQ(scale("language_model.model.layers.1.self_attn.k_proj.weight"), 6 / by(4));
    EXPECT_FLOAT_EQ(scale("language_model.model.layers.1.self_attn.o_proj.weight"), 40 / by(4));
  }
}

TEST_F(Lora, PatternsAreForModulesOrTheirEnds) {
  const auto matches = [](const char* key, const char* module) { return ModulePattern(key, 1, "place").matches(module); };
  EXPECT_TRUE(matches("q_proj", "model.layers.0.self_attn.q_proj"));
  EXPECT_TRUE(matches("q_proj", "q_proj"));
  EXPECT_FALSE(matches("proj", "model.layers.0.self_attn.q_proj"));
  EXPECT_FALSE(matches("model", "model.layers.0.self_attn.q_proj"));
  EXPECT_TRUE(matches("layers.0.self_attn.q_proj", "model.layers.0.self_attn.q_proj"));
  EXPECT_TRUE(matches(".*\\.(q|v)_proj", "model.layers.0.self_attn.v_proj"));
  EXPECT_FALSE(matches(".*\\.(q|v)_proj", "model.layers.0.self_attn.k_proj"));
  EXPECT_TRUE(matches("layers\\.[0-9]+\\.mlp", "model.layers.17.mlp"));
  // What would take another matcher for ever.
  EXPECT_FALSE(matches("(a*)*(a*)*b", std::string(2000, 'a').c_str()));
}

TEST_F(Lora, EveryTypeIsReadAndAPairMayBeOfTwo) {
  for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
    AdapterFolder adapter;
    adapter.add(std::string(kQ) + ".lora_A.default.weight", {4, 48}, type);
    adapter.add(std::string(kQ) + ".lora_B.default.weight", {48, 4});
    const LoraTensors tensors = read(adapter.write());
    EXPECT_EQ(pair(tensors, kQWeight)->a.dtype, type);
    EXPECT_FALSE(tensors.sees());
    const AdapterSource source = tensors.source(params_.of(Part::DecoderLayer, 0), Use::Qkv);
    ASSERT_EQ(source.downs.size(), 1u);
    ASSERT_EQ(source.ups.size(), 3u);
    EXPECT_EQ(source.ups[0].down, 0);
    EXPECT_EQ(source.ups[1].down, -1);
    EXPECT_TRUE(tensors.source(params_.of(Part::DecoderLayer, 1), Use::Qkv).downs.empty());
  }
}

TEST_F(Lora, AdaptersOfTheTowerOrTheProjectorSee) {
  AdapterFolder tower, projector;
  tower.pair("vision_model.encoder.layers.0.mlp.fc1", 60, 32, 4);
  projector.pair("mlp1.1", 48, 128, 4);
  EXPECT_TRUE(read(tower.write()).sees());
  EXPECT_TRUE(read(projector.write()).sees());
}

TEST_F(Lora, OtherKindsAreRefusedByTheirSettings) {
  const std::vector<std::tuple<const char*, json, const char*>> settings{
      {"use_dora", true, "DoRA"},
      {"bias", "lora_only", "none"},
      {"bias", "all", "none"},
      {"modules_to_save", {"lm_head"}, "whole layers"},
      {"peft_type", "LOHA", "LORA"},
      {"fan_in_fan_out", true, "false"},
      {"lora_bias", true, "false"},
      {"init_lora_weights", "pissa_niter_4", "base's weights"},
      {"target_parameters", {"mlp.experts.gate_up_proj"}, "not of parameters"},
      {"trainable_token_indices", {1, 2}, "null"},
  };
  for (const auto& [field, value, why] : settings) {
    Right adapter;
    adapter.config[field] = value;
    expect_refused(adapter, Status::Unsupported, {"adapter_config.json", field, why});
  }
  for (const auto& [field, value] : std::vector<std::pair<const char*, json>>{{"r", 0},
                                                                              {"r", "four"},
                                                                              {"lora_alpha", -1},
                                                                              {"use_rslora", 3},
                                                                              {"rank_pattern", {1, 2}},
                                                                              {"alpha_pattern", {{"q_proj", "much"}}},
                                                                              {"alpha_pattern", {{"", 1}}}}) {
    Right adapter;
    adapter.config[field] = value;
    expect_refused(adapter, Status::Checkpoint, {"adapter_config.json", field});
  }
  Right pattern;
  pattern.config["rank_pattern"] = {{"(?<=x)q_proj(", 4}};
  expect_refused(pattern, Status::Unsupported, {"rank_pattern", "regular expression"});
  Right two;
  two.config["alpha_pattern"] = {{"q_proj", 4}, {"self_attn.q_proj", 5}};
  expect_refused(two, Status::Checkpoint, {"alpha_pattern", "'q_proj'", "'self_attn.q_proj'"});
}

TEST_F(Lora, OtherTensorsAreRefusedByName) {
  const std::vector<std::pair<std::string, const char*>> tensors{
      {std::string("base_model.model.") + kQ + ".lora_magnitude_vector", "DoRA"},
      {std::string("base_model.model.") + kQ + ".lora_B.bias", "bias"},
      {"base_model.model.language_model.model.embed_tokens.lora_embedding_A", "embeddings"},
      {"base_model.model.language_model.lm_head.modules_to_save.weight", "whole layer"},
      {"base_model.model.language_model.lm_head.weight", "lora_A.weight"},
  };
  for (const auto& [name, why] : tensors) {
    Right adapter;
    adapter.add(name, {48});
    expect_refused(adapter, Status::Unsupported, {"adapter_model.safetensors", name, why});
  }
}

TEST_F(Lora, PairsOfNoLayerAndOfOtherShapesAreRefusedByName) {
  AdapterFolder deep, unknown, wide, tall, rank, alone, empty;
  deep.pair("language_model.model.layers.2.self_attn.q_proj", 48, 48, 4);
  expect_refused(deep, Status::Checkpoint, {"layers.2.self_attn.q_proj", "no linear layer", "N from 0 to 1"});
  unknown.pair("transformer.h.0.attn.c_attn", 48, 48, 4);
  expect_refused(unknown, Status::Checkpoint, {"transformer.h.0.attn.c_attn", "another model"});
  wide.pair(kQ, 48, 64, 4);
  expect_refused(wide, Status::Checkpoint, {"lora_A", "(4, 48)", "(4, 64)"});
  tall.pair(kQ, 64, 48, 4);
  expect_refused(tall, Status::Checkpoint, {"lora_B", "(48, 4)", "(64, 4)"});
  rank.pair(kQ, 48, 48, 8);
  expect_refused(rank, Status::Checkpoint, {"lora_A", "(4, 48)", "rank", "(8, 48)"});
  alone.add(std::string(kQ) + ".lora_A.weight", {4, 48});
  expect_refused(alone, Status::Checkpoint, {kQ, "no lora_B", "not whole"});
  expect_refused(empty, Status::Checkpoint, {"no tensors"});
  Right twice;
  twice.pair("model.layers.0.self_attn.q_proj", 48, 48, 4);
  expect_refused(twice, Status::Checkpoint, {"same layer"});
}

TEST_F(Lora, NumbersThatAreNoneAndOtherTypesAreRefused) {
  AdapterFolder nan, bytes;
  std::vector<float> values(4 * 48, 1.0f);
  values[7] = std::numeric_limits<float>::quiet_NaN();
  nan.add_bytes(std::string(kQ) + ".lora_A.weight", "F32", {4, 48},
                {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  nan.add(std::string(kQ) + ".lora_B.weight", {48, 4});
  expect_refused(nan, Status::Checkpoint, {"lora_A", "1 of 192", "at 7"});
  bytes.add_bytes(std::string(kQ) + ".lora_A.weight", "I8", {4, 48}, std::string(4 * 48, 1));
  bytes.add(std::string(kQ) + ".lora_B.weight", {48, 4});
  expect_refused(bytes, Status::Checkpoint, {"lora_A", "F32, BF16 or F16", "I8"});
}

TEST_F(Lora, FoldersWithoutTheFilesAreRefused) {
  const TempDir dir;
  expect_error(Status::Io, {"adapter_model.safetensors"}, [&] { read(dir.path()); });
  dir.write("adapter_model.bin", "pickle");
  expect_error(Status::Unsupported, {"adapter_model.bin", "safe_serialization"}, [&] { read(dir.path()); });
  expect_error(Status::Io, {"no-such"}, [&] { read(dir / "no-such"); });
  Right adapter;
  adapter.write();
  std::filesystem::remove(adapter.path() / "adapter_config.json");
  expect_error(Status::Io, {"adapter_config.json"}, [&] { read(adapter.path()); });
}

}  // namespace
}  // namespace ivl
