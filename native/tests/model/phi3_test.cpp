// What Phi-3's configurations say, and what of it may be wrong.
#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint_files.h"
#include "model/memory_plan.h"
#include "model/param.h"
#include "model/rope.h"
#include "model/tiny_model.h"

namespace ivl {
namespace {

using checkpoint_test::expect_error;
using nlohmann::json;

// The sizes of Phi-3-mini-128k, which Mini-InternVL-Chat-4B has.
json published() {
  json config = testing::tiny_phi3();
  config["llm_config"] = {
      {"architectures", {"Phi3ForCausalLM"}},
      {"model_type", "phi3"},
      {"hidden_act", "silu"},
      {"hidden_size", 3072},
      {"intermediate_size", 8192},
      {"num_hidden_layers", 32},
      {"num_attention_heads", 32},
      {"num_key_value_heads", 32},
      {"vocab_size", 32020},
      {"rms_norm_eps", 1e-5},
      {"rope_theta", 10000.0},
      {"max_position_embeddings", 131072},
      {"original_max_position_embeddings", 4096},
      {"sliding_window", 262144},
      {"resid_pdrop", 0.0},
      {"embd_pdrop", 0.0},
      {"attention_bias", false},
      {"attention_dropout", 0.0},
      {"rope_scaling",
       {{"type", "su"}, {"short_factor", std::vector<double>(48, 1.05)}, {"long_factor", std::vector<double>(48, 1.3)}}}};
  return config;
}

LanguageConfig read(const json& config) { return parse_config(config.dump()).language; }

// tiny_phi3() with the rope_scaling's field replaced.
json with_scaling(const char* field, const json& value) {
  json config = testing::tiny_phi3();
  config["llm_config"]["rope_scaling"][field] = value;
  return config;
}

TEST(Phi3, ThePublishedConfigurationIsRead) {
  const LanguageConfig language = read(published());
  EXPECT_EQ(language.architecture, "Phi3ForCausalLM");
  EXPECT_EQ(language.head_dim, 96);
  EXPECT_EQ(language.context, 131072);
  EXPECT_EQ(language.rms_eps, 1e-5f);
  ASSERT_TRUE(language.rope.longrope);
  EXPECT_EQ(language.rope.dynamic_factor, 0);
  EXPECT_EQ(language.rope.longrope->original, 4096);
  EXPECT_EQ(language.rope.longrope->short_factors, std::vector<double>(48, 1.05));
  EXPECT_EQ(language.rope.longrope->long_factors, std::vector<double>(48, 1.3));
  EXPECT_NEAR(language.rope.longrope->magnitude, 1.190238, 1e-6);  // sqrt(1 + ln 32 / ln 4096)
}

TEST(Phi3, ItsTensorsArePacked) {
  const ParamTable params(parse_config(testing::tiny_phi3().dump()));
  const Param* qkv = params.find("language_model.model.layers.1.self_attn.qkv_proj.weight");
  ASSERT_NE(qkv, nullptr);
  EXPECT_EQ(qkv->shape, (std::vector<int64_t>{(6 + 2 + 2) * 8, 48}));
  EXPECT_TRUE(qkv->order.empty());
  const Param* gate_up = params.find("language_model.model.layers.1.mlp.gate_up_proj.weight");
  ASSERT_NE(gate_up, nullptr);
  EXPECT_EQ(gate_up->shape, (std::vector<int64_t>{160, 48}));
  EXPECT_NE(params.find("language_model.model.layers.0.self_attn.o_proj.weight"), nullptr);
  EXPECT_NE(params.find("language_model.lm_head.weight"), nullptr);
}

TEST(Phi3, ASlidingWindowBoundsTheContextSoThatItNeverActs) {
  json config = testing::tiny_phi3();
  json& decoder = config["llm_config"];
  for (const json& wide : {json(262144), json(1024), json(nullptr), json(int64_t{1} << 60)}) {
    decoder["sliding_window"] = wide;
    EXPECT_EQ(read(config).context, 1024) << wide;
  }
  decoder["sliding_window"] = 500;
  EXPECT_EQ(read(config).context, 500);
  EXPECT_EQ(read(config).rope.longrope->magnitude, read(testing::tiny_phi3()).rope.longrope->magnitude);
  for (const json& wrong : {json(0), json(-1), json("all"), json(1.5)}) {
    decoder["sliding_window"] = wrong;
    expect_error(Status::Checkpoint, {"llm_config.sliding_window: expected an integer from 1"}, [&] { read(config); });
  }
}

TEST(Phi3, LongRopeIsReadInAllSpellings) {
  for (const char* type : {"su", "longrope"}) {
    for (const char* field : {"type", "rope_type"}) {
      json config = testing::tiny_phi3();
      json& scaling = config["llm_config"]["rope_scaling"];
      scaling.erase("type");
      scaling[field] = type;
      EXPECT_TRUE(read(config).rope.longrope) << field << " " << type;
    }
  }
  // The words of transformers 5.
  json config = testing::tiny_phi3();
  json& decoder = config["llm_config"];
  json parameters = decoder["rope_scaling"];
  parameters.erase("type");
  parameters["rope_type"] = "longrope";
  parameters["rope_theta"] = 10000.0;
  parameters["original_max_position_embeddings"] = 16;
  decoder.erase("rope_scaling");
  decoder["rope_parameters"] = parameters;
  for (const bool beside : {true, false}) {
    if (!beside) decoder.erase("original_max_position_embeddings");
    EXPECT_EQ(read(config).rope.longrope->original, 16);
  }
  decoder["original_max_position_embeddings"] = 17;
  expect_error(Status::Checkpoint,
               {"llm_config.rope_parameters.original_max_position_embeddings: expected that of "
                "llm_config.original_max_position_embeddings, 17, got 16"},
               [&] { read(config); });
}

TEST(Phi3, TheMagnitudeIsThatOfTheStretchUnlessItIsSaid) {
  const auto magnitude = [](const json& config) { return read(config).rope.longrope->magnitude; };
  EXPECT_NEAR(magnitude(testing::tiny_phi3()), std::sqrt(1 + std::log(64.0) / std::log(16.0)), 1e-12);
  EXPECT_NEAR(magnitude(with_scaling("factor", 4.0)), std::sqrt(1.5), 1e-12);
  EXPECT_EQ(magnitude(with_scaling("attention_factor", 1.5)), 1.5);
  json config = testing::tiny_phi3();
  config["llm_config"]["original_max_position_embeddings"] = 2048;  // longer than all texts
  EXPECT_EQ(magnitude(config), 1);
}

TEST(Phi3, WrongFactorsAreNamed) {
  for (const char* field : {"short_factor", "long_factor"}) {
    const std::string place = cat("config.json: llm_config.rope_scaling.", field, ": expected a list of ");
    const auto wrong = [&](const json& value, const std::string& message) {
      expect_error(Status::Checkpoint, {place, message}, [&] { read(with_scaling(field, value)); });
    };
    wrong(nullptr, "4 positive numbers, half of a head's size, got null");
    wrong(json::array(), "4 positive numbers, half of a head's size, got []");
    wrong({1.0, 1.0, 1.0}, "4 positive numbers, half of a head's size, got 3 of them");
    wrong({1.0, 1.0, 1.0, 1.0, 1.0}, "got 5 of them");
    wrong({1.0, 1.0, 0.0, 1.0}, "positive numbers, got 0.0 at 2");
    wrong({1.0, 1.0, 1.0, -1.0}, "positive numbers, got -1.0 at 3");
    wrong({1.0, "1.0", 1.0, 1.0}, "positive numbers, got \"1.0\" at 1");
    wrong({nullptr, 1.0, 1.0, 1.0}, "positive numbers, got null at 0");
    wrong({1e60, 1.0, 1.0, 1.0}, "positive numbers, got 1e+60 at 0");
    wrong(1.0, "positive numbers, got 1.0");
  }
  expect_error(Status::Checkpoint, {"llm_config.rope_scaling.attention_factor: expected a positive number, got 0"},
               [] { read(with_scaling("attention_factor", 0)); });
  expect_error(Status::Checkpoint, {"llm_config.rope_scaling.factor: expected a positive number, got -2.0"},
               [] { read(with_scaling("factor", -2.0)); });
}

TEST(Phi3, WhereTheFactorsChangeMustBeSaid) {
  json config = testing::tiny_phi3();
  config["llm_config"].erase("original_max_position_embeddings");
  const char* place = "config.json: llm_config.original_max_position_embeddings: expected an integer from 2";
  expect_error(Status::Checkpoint, {place, "got nothing"}, [&] { read(config); });
  for (const json& wrong : {json(0), json(1), json(-4), json("4096"), json(16.5)}) {
    config["llm_config"]["original_max_position_embeddings"] = wrong;
    expect_error(Status::Checkpoint, {place}, [&] { read(config); });
  }
}

TEST(Phi3, WhatItsCodeWouldDoOtherwiseIsRefused) {
  const auto refused = [](const char* field, const json& value, const char* message) {
    json config = testing::tiny_phi3();
    config["llm_config"][field] = value;
    expect_error(Status::Unsupported, {cat("config.json: llm_config.", field), message}, [&] { read(config); });
  };
  refused("attention_bias", true, "not supported, only false");
  refused("partial_rotary_factor", 0.5, "0.5 is not supported, only 1");
  refused("hidden_act", "gelu", "not supported, only silu");
  expect_error(Status::Unsupported,
               {"llm_config.rope_scaling.type: \"yarn\" is not supported, only default, dynamic and longrope (su)"},
               [] { read(with_scaling("type", "yarn")); });
}

TEST(Phi3, TheMemoryPlanCountsThePositionsThatTheTableHasTwice) {
  json config = testing::tiny_phi3();
  const MemoryPlan both = plan_memory(parse_config(config.dump()), {DType::BF16});
  config["llm_config"].erase("rope_scaling");
  const MemoryPlan one = plan_memory(parse_config(config.dump()), {DType::BF16});
  EXPECT_EQ(both.scratch - one.scratch, 16 * 8 * 4);
}

}  // namespace
}  // namespace ivl
