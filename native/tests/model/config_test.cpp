#include "model/config.h"

#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint_files.h"
#include "model/param.h"

namespace ivl {
namespace {

using namespace checkpoint_test;
using nlohmann::json;

// The least that a config.json must say.
json minimal() {
  return json::parse(R"({
    "architectures": ["InternVLChatModel"],
    "llm_config": {"architectures": ["LlamaForCausalLM"], "hidden_size": 256, "num_hidden_layers": 3,
                   "num_attention_heads": 4, "intermediate_size": 640, "vocab_size": 1000},
    "vision_config": {"hidden_size": 128, "num_hidden_layers": 5, "num_attention_heads": 2,
                      "intermediate_size": 512}})");
}

// minimal() with the value at "section.field" or "field" replaced; a discarded value removes the field.
json with(std::string_view place, const json& value) {
  json config = minimal();
  const size_t dot = place.find('.');
  json& section = dot == place.npos ? config : config[std::string(place.substr(0, dot))];
  const std::string field(place.substr(dot == place.npos ? 0 : dot + 1));
  if (value.is_discarded()) {
    section.erase(field);
  } else {
    section[field] = value;
  }
  return config;
}

const json kNothing = json(json::value_t::discarded);

ModelConfig parse(const json& config) { return parse_config(config.dump()); }

void expect_wrong(std::string_view place, const json& value, std::string_view message) {
  SCOPED_TRACE(place);
  expect_error(Status::Checkpoint, {cat("config.json: ", place, ": expected ", message)}, [&] { parse(with(place, value)); });
}

void expect_unsupported(std::string_view place, const json& value, std::string_view message) {
  SCOPED_TRACE(place);
  expect_error(Status::Unsupported, {cat("config.json: ", place, ": "), message, "not supported"},
               [&] { parse(with(place, value)); });
}

TEST(Config, DefaultsOfTheOriginalClasses) {
  const ModelConfig config = parse(minimal());
  EXPECT_EQ(128, config.vision.hidden);
  EXPECT_EQ(2, config.vision.heads);
  EXPECT_EQ(64, config.vision.head_dim());
  EXPECT_EQ(512, config.vision.mlp);
  EXPECT_EQ(5, config.vision.layers);
  EXPECT_EQ(14, config.vision.patch);
  EXPECT_EQ(224, config.vision.image_size);
  EXPECT_EQ(16, config.vision.trained_grid());
  EXPECT_EQ(3, config.vision.channels);
  EXPECT_EQ(NormKind::RmsNorm, config.vision.norm);
  EXPECT_EQ(1e-6f, config.vision.eps);
  EXPECT_FALSE(config.vision.qkv_bias);
  EXPECT_TRUE(config.vision.qk_norm);

  EXPECT_EQ(256, config.language.hidden);
  EXPECT_EQ(3, config.language.layers);
  EXPECT_EQ(4, config.language.heads);
  EXPECT_EQ(4, config.language.kv_heads);
  EXPECT_EQ(64, config.language.head_dim);
  EXPECT_EQ(640, config.language.mlp);
  EXPECT_EQ(1000, config.language.vocab);
  EXPECT_EQ(1e-6f, config.language.rms_eps);
  EXPECT_EQ(10000.0, config.language.rope.theta);
  EXPECT_EQ(2048, config.language.context);
  EXPECT_FALSE(config.language.plan.qkv_bias);
  EXPECT_FALSE(config.language.plan.out_bias);
  EXPECT_FALSE(config.language.tied_head);

  EXPECT_EQ(-1, config.select_layer);
  EXPECT_EQ(2, config.downsample);
  EXPECT_EQ(224, config.image_size);
  EXPECT_EQ(PixelShuffle::V1, config.shuffle);
  EXPECT_EQ("", config.prompt_template);
  EXPECT_EQ(std::nullopt, config.dtype);
  EXPECT_TRUE(config.eos_ids.empty());
}

TEST(Config, Published40B) {
  json config = minimal();
  config["vision_config"].update(json::parse(R"({"hidden_size": 3200, "num_attention_heads": 25, "image_size": 448,
    "intermediate_size": 12800, "num_hidden_layers": 45, "patch_size": 14, "norm_type": "rms_norm"})"));
  config["llm_config"].update(json::parse(R"({"hidden_size": 7168, "num_hidden_layers": 60, "num_attention_heads": 56,
    "num_key_value_heads": 8, "intermediate_size": 20480, "rms_norm_eps": 1e-05, "rope_theta": 5000000.0,
    "vocab_size": 64009, "max_position_embeddings": 4096, "eos_token_id": 7})"));
  config.update(json::parse(R"({"force_image_size": 448, "downsample_ratio": 0.5, "template": "Hermes-2"})"));
  const ModelConfig model = parse(config);
  EXPECT_EQ(128, model.vision.head_dim());
  EXPECT_EQ(128, model.language.head_dim);
  EXPECT_EQ(32, model.grid());
  EXPECT_EQ(1025, model.vision_tokens());
  EXPECT_EQ(256, model.tokens_per_image());
  EXPECT_EQ(12800, model.projector_in());
  EXPECT_EQ(45, model.vision_layers_used());
  EXPECT_EQ(5e6, model.language.rope.theta);
  EXPECT_EQ((std::vector<int64_t>{7}), model.eos_ids);
}

TEST(Config, Oracle) {
  const ModelConfig d128 = load_config(test_data() / "hermes-d128");
  EXPECT_EQ(64 + 1, d128.vision_tokens());
  EXPECT_EQ(16, d128.tokens_per_image());
  EXPECT_EQ(1024, d128.projector_in());
  EXPECT_EQ(1, d128.language.kv_heads);
  EXPECT_EQ(128, d128.language.head_dim);
  EXPECT_EQ(1e-5f, d128.language.rms_eps);
  EXPECT_EQ(DType::BF16, d128.dtype);
  EXPECT_EQ("Hermes-2", d128.prompt_template);
  EXPECT_EQ((std::vector<int64_t>{7}), d128.eos_ids);
  const ModelConfig gqa7 = load_config(test_data() / "hermes-gqa7");
  EXPECT_EQ(7, gqa7.language.heads);
  EXPECT_EQ(32, gqa7.vision.head_dim());
  EXPECT_EQ(4, gqa7.tokens_per_image());
  EXPECT_EQ(DType::F16, gqa7.dtype);
  EXPECT_EQ(gqa7.language.hidden, load_config(test_data() / "hermes-gqa7" / "config.json").language.hidden);
}

TEST(Config, TheRestOfTheFamily) {
  EXPECT_EQ(NormKind::LayerNorm, parse(with("vision_config.norm_type", "layer_norm")).vision.norm);
  EXPECT_TRUE(parse(with("vision_config.qkv_bias", true)).vision.qkv_bias);
  EXPECT_FALSE(parse(with("vision_config.qk_normalization", false)).vision.qk_norm);
  EXPECT_EQ(PixelShuffle::V2, parse(with("ps_version", "v2")).shuffle);
  EXPECT_EQ(1, parse(with("downsample_ratio", 1)).downsample);
  EXPECT_EQ(4, parse(with("downsample_ratio", 0.25)).downsample);
  EXPECT_EQ(28 / 14 / 2, parse(with("force_image_size", 28)).tokens_per_image());
  EXPECT_EQ(224, parse(with("force_image_size", nullptr)).image_size);
  EXPECT_EQ(4, parse(with("llm_config.num_key_value_heads", nullptr)).language.kv_heads);
  EXPECT_EQ(128, parse(with("llm_config.head_dim", 128)).language.head_dim);  // not hidden / heads
  EXPECT_TRUE(parse(with("llm_config.attention_bias", true)).language.plan.out_bias);
  EXPECT_TRUE(parse(with("llm_config.tie_word_embeddings", true)).language.tied_head);
  EXPECT_EQ(1e6, parse(with("llm_config.rope_theta", 1000000)).language.rope.theta);
  EXPECT_EQ(DType::F32, parse(with("torch_dtype", "float32")).dtype);
  EXPECT_EQ(4, parse(with("select_layer", -2)).vision_layers_used());
  EXPECT_EQ(0, parse(with("select_layer", -6)).vision_layers_used());
  EXPECT_EQ(3, parse(with("select_layer", 3)).vision_layers_used());
  EXPECT_NO_THROW(parse(with("use_backbone_lora", 0)));
  EXPECT_NO_THROW(parse(with("use_llm_lora", false)));
  EXPECT_NO_THROW(parse(with("llm_config.rope_scaling", nullptr)));
  EXPECT_NO_THROW(parse(with("something_new", json::array({1, 2}))));

  json config = minimal();
  config.erase("architectures");
  config["model_type"] = "internvl_chat";
  config["llm_config"].erase("architectures");
  config["llm_config"]["model_type"] = "llama";
  EXPECT_NO_THROW(parse(config));
}

TEST(Config, RequiredFields) {
  for (const char* section : {"llm_config", "vision_config"}) {
    for (const char* field : {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"}) {
      const std::string place = cat(section, ".", field);
      expect_wrong(place, kNothing, "an integer from 1 to ");
      expect_wrong(place, nullptr, "an integer from 1 to ");
    }
    expect_wrong(section, kNothing, "an object, got nothing");
    expect_wrong(section, json::array(), "an object, got a list");
  }
  expect_wrong("llm_config.vocab_size", kNothing, "an integer from 1 to 67108864, got nothing");
}

TEST(Config, WrongTypesAndRanges) {
  const std::string heads = "llm_config.num_attention_heads";
  expect_wrong(heads, "4", "an integer from 1 to 4096, got \"4\"");
  expect_wrong(heads, 4.5, "an integer from 1 to 4096, got 4.5");
  expect_wrong(heads, 4097.0, "an integer from 1 to 4096, got 4097.0");
  expect_wrong(heads, true, "an integer from 1 to 4096, got true");
  expect_wrong(heads, 0, "an integer from 1 to 4096, got 0");
  expect_wrong(heads, -4, "an integer from 1 to 4096, got -4");
  expect_wrong(heads, UINT64_MAX, "an integer from 1 to 4096, got 18446744073709551615");
  expect_wrong(heads, json::array({4}), "an integer from 1 to 4096, got [4]");
  expect_wrong(heads, json::object(), "an integer from 1 to 4096, got {}");
  expect_wrong("llm_config.vocab_size", int64_t{1} << 31, "an integer from 1 to 67108864, got 2147483648");
  expect_wrong("llm_config.hidden_size", int64_t{1} << 40, "an integer from 1 to 1048576, got 1099511627776");
  expect_wrong("vision_config.num_hidden_layers", int64_t{1} << 31, "an integer from 1 to 4096");
  expect_wrong("vision_config.image_size", 0, "an integer from 1 to 16384, got 0");
  expect_wrong("vision_config.patch_size", -14, "an integer from 1 to 16384, got -14");
  expect_wrong("force_image_size", "448", "an integer from 1 to 16384, got \"448\"");
  expect_wrong("select_layer", 6, "an integer from -6 to 5, got 6");
  expect_wrong("select_layer", -7, "an integer from -6 to 5, got -7");

  for (const char* place : {"llm_config.rms_norm_eps", "llm_config.rope_theta", "vision_config.layer_norm_eps"}) {
    for (const json& value : {json(0), json(-1e-6), json("1e-6"), json(1e300), json(1e-60), json(true)}) {
      expect_wrong(place, value, "a positive number, got ");
    }
  }
  expect_wrong("vision_config.qkv_bias", 1, "true or false, got 1");
  expect_wrong("dynamic_image_size", "false", "true or false, got \"false\"");
  expect_wrong("ps_version", 1, "a string, got 1");
  expect_wrong("template", json::array(), "a string, got []");
  expect_wrong("architectures", "InternVLChatModel", "a list of strings, got \"InternVLChatModel\"");
  expect_wrong("llm_config.architectures", json::array({1}), "a list of strings, got [1]");
  expect_wrong("downsample_ratio", 0.3, "1/n for an integer n up to 64, got 0.3");
  expect_wrong("downsample_ratio", 2, "1/n for an integer n up to 64, got 2");
  expect_wrong("downsample_ratio", 1e-30, "1/n for an integer n");
  expect_wrong("downsample_ratio", 0, "a positive number, got 0");
  expect_wrong("llm_config.eos_token_id", -1, "token ids from 0 to 999, got -1");
  expect_wrong("llm_config.eos_token_id", 1000, "token ids from 0 to 999, got 1000");
  expect_wrong("llm_config.eos_token_id", json::array({7, "x"}), "token ids from 0 to 999, got [7,\"x\"]");
}

TEST(Config, ValuesAtOdds) {
  expect_wrong("llm_config.hidden_size", 250, "a multiple of num_attention_heads (4), got 250");
  expect_wrong("vision_config.hidden_size", 129, "a multiple of num_attention_heads (2), got 129");
  expect_wrong("vision_config.image_size", 225, "a multiple of patch_size (14), got 225");
  expect_wrong("force_image_size", 449, "a multiple of vision_config.patch_size (14), got 449");
  expect_wrong("force_image_size", 14 * 3, "a multiple of 2 (1 / downsample_ratio) patches on a side, got 3 patches");
  expect_wrong("vision_config.image_size", 14 * 5, "a multiple of 2 (1 / downsample_ratio) patches on a side, got 5 patches");
  json config = minimal();
  config["llm_config"]["num_attention_heads"] = 5;
  expect_error(Status::Checkpoint, {"config.json: llm_config.hidden_size: expected a multiple of num_attention_heads (5), got 256"},
               [&] { parse(config); });
  config = minimal();
  config["llm_config"]["num_key_value_heads"] = 3;
  expect_error(Status::Checkpoint,
               {"config.json: llm_config.num_attention_heads: expected a multiple of num_key_value_heads (3), got 4"},
               [&] { parse(config); });
}

TEST(Config, Unsupported) {
  expect_unsupported("architectures", json::array({"LlavaForConditionalGeneration"}), "LlavaForConditionalGeneration");
  for (const char* name : {"Phi3SmallForCausalLM", "InternLM3MoeForCausalLM", "GptOssForCausalLM"}) {
    expect_unsupported("llm_config.architectures", json::array({name}), name);
  }
  expect_unsupported("vision_config.model_type", "clip_vision_model", "clip_vision_model");
  expect_unsupported("vision_config.hidden_act", "quick_gelu", "quick_gelu");
  expect_unsupported("llm_config.hidden_act", "gelu", "\"gelu\"");
  expect_unsupported("vision_config.norm_type", "batch_norm", "batch_norm");
  expect_unsupported("vision_config.num_channels", 4, "4");
  for (const char* field : {"rope_scaling", "rope_parameters"}) {
    const std::string place = cat("llm_config.", field);
    for (const char* type : {"type", "rope_type"}) {
      expect_error(Status::Unsupported, {cat("config.json: ", place, ".", type, ": \"yarn\" is not supported, only default")}, [&] {
        parse(with(place, {{type, "yarn"}, {"factor", 2.0}}));
      });
    }
    expect_error(Status::Unsupported, {cat(place, ".partial_rotary_factor: 0.5")}, [&] {
      parse(with(place, {{"type", "default"}, {"partial_rotary_factor", 0.5}}));
    });
    expect_error(Status::Checkpoint, {cat(place, ".rope_type: expected the kind of scaling")}, [&] {
      parse(with(place, {{"factor", 2.0}}));
    });
    expect_wrong(place, "default", "an object, got \"default\"");
  }
  expect_unsupported("llm_config.mlp_bias", true, "true");
  expect_unsupported("llm_config.quantization_config", json{{"bits", 4}}, "bits");
  expect_unsupported("quantization_config", json{{"bits", 4}}, "bits");
  const auto quantized = [](const std::string& section, const json& how, const char* field, const char* got) {
    expect_error(Status::Unsupported, {cat(section, "quantization_config.", field, ": "), got, "precision int4 or int8"},
                 [&] { parse(with(section + "quantization_config", how)); });
  };
  quantized("", {{"quant_method", "gptq"}, {"bits", 4}}, "quant_method", "gptq");
  quantized("", {{"quant_method", "bitsandbytes"}, {"load_in_4bit", true}}, "quant_method", "bitsandbytes");
  quantized("llm_config.", {{"quant_method", "compressed-tensors"}}, "quant_method", "compressed-tensors");
  quantized("", {{"quant_method", "awq"}, {"bits", 8}}, "bits", "8");
  quantized("", {{"quant_method", "awq"}, {"version", "gemv"}}, "version", "gemv");
  expect_unsupported("pad2square", true, "true");
  expect_unsupported("ps_version", "v3", "v3");
  expect_unsupported("torch_dtype", "int8", "int8");
  expect_unsupported("llm_config.head_dim", 63, "63");
  expect_unsupported("llm_config.head_dim", 36, "multiples of 8");
  expect_unsupported("llm_config.head_dim", 264, "up to 256");
  expect_unsupported("llm_config.hidden_size", 4 * 36, "here 36");
  expect_unsupported("vision_config.hidden_size", 2 * 512, "here 512");
  expect_unsupported("vision_config.hidden_size", 2 * 35, "here 35");

  json config = minimal();
  config["llm_config"].erase("architectures");
  expect_error(Status::Unsupported, {"config.json: llm_config.model_type: nothing is not supported, only internlm2"},
               [&] { parse(config); });
  config = minimal();
  config.erase("architectures");
  config["model_type"] = "llava";
  expect_error(Status::Unsupported, {"config.json: model_type: \"llava\""}, [&] { parse(config); });
}

// transformers 5 writes them like this.
TEST(Config, RopeThetaIsReadWhereverItStands) {
  EXPECT_EQ(5e6, parse(with("llm_config.rope_parameters", {{"rope_theta", 5e6}, {"rope_type", "default"}})).language.rope.theta);
  EXPECT_EQ(5e6, parse(with("llm_config.rope_parameters", {{"rope_theta", 5000000}, {"rope_type", nullptr}})).language.rope.theta);
  EXPECT_EQ(5e6, parse(with("llm_config.rope_scaling", {{"rope_theta", 5e6}, {"rope_type", "default"}})).language.rope.theta);
  json config = with("llm_config.rope_parameters", {{"rope_theta", 5e6}, {"rope_type", "default"}});
  config["llm_config"]["rope_theta"] = 5000000;
  EXPECT_EQ(5e6, parse(config).language.rope.theta);
  config["llm_config"]["rope_theta"] = 10000;
  expect_error(Status::Checkpoint,
               {"config.json: llm_config.rope_parameters.rope_theta: expected that of llm_config.rope_theta, 10000, got 5000000.0"},
               [&] { parse(config); });
  expect_error(Status::Checkpoint, {"llm_config.rope_parameters.rope_theta: expected a positive number"}, [&] {
    parse(with("llm_config.rope_parameters", {{"rope_theta", "10000"}}));
  });
}

TEST(Config, PairsOfLoraBesideTheLayersHaveTheirNames) {
  json config = minimal();
  config["use_llm_lora"] = 16;
  const ModelConfig decoder = parse(config);
  EXPECT_EQ(decoder.lora.language, 16);
  EXPECT_EQ(decoder.prefixes.decoder, "language_model.base_model.model.model.");
  EXPECT_EQ(decoder.prefixes.vision, "vision_model.");
  const ParamTable params(decoder);
  EXPECT_NE(params.find("language_model.base_model.model.model.layers.0.self_attn.q_proj.base_layer.weight"), nullptr);
  EXPECT_NE(params.find("language_model.base_model.model.lm_head.weight"), nullptr);
  config["use_llm_lora"] = 0;
  config["use_backbone_lora"] = 8;
  const ParamTable tower(parse(config));
  EXPECT_NE(tower.find("vision_model.base_model.model.encoder.layers.0.attn.qkv.base_layer.weight"), nullptr);
  EXPECT_NE(tower.find("vision_model.base_model.model.embeddings.class_embedding"), nullptr);
}

TEST(Config, WhatSaysNothingIsAccepted) {
  for (const json& nothing : {json(nullptr), json(false), json::object()}) {
    EXPECT_EQ(1e4, parse(with("llm_config.rope_parameters", nothing)).language.rope.theta) << nothing;
    EXPECT_EQ(1e4, parse(with("llm_config.rope_scaling", nothing)).language.rope.theta) << nothing;
  }
  for (const json& nothing : {json{{"type", "default"}}, json{{"rope_type", "default"}}}) {
    EXPECT_EQ(1e4, parse(with("llm_config.rope_scaling", nothing)).language.rope.theta) << nothing;
  }
  for (const char* field : {"quantization_config",
                            "use_llm_lora",
                            "dynamic_image_size",
                            "ps_version",
                            "template",
                            "select_layer",
                            "downsample_ratio",
                            "torch_dtype",
                            "dtype",
                            "architectures",
                            "llm_config.quantization_config",
                            "llm_config.hidden_act",
                            "llm_config.max_position_embeddings",
                            "llm_config.rms_norm_eps",
                            "llm_config.rope_theta",
                            "llm_config.attention_bias",
                            "llm_config.tie_word_embeddings",
                            "llm_config.eos_token_id",
                            "vision_config.model_type",
                            "vision_config.norm_type",
                            "vision_config.qkv_bias",
                            "vision_config.patch_size",
                            "vision_config.layer_norm_eps"}) {
    EXPECT_NO_THROW(parse(with(field, nullptr))) << field;
    EXPECT_NO_THROW(parse(with(field, kNothing))) << field;
  }
  EXPECT_NO_THROW(parse(with("quantization_config", json::object())));
  const json awq{{"quant_method", "awq"}, {"bits", 4}, {"version", "gemm"}, {"group_size", 128}, {"zero_point", true}};
  EXPECT_NO_THROW(parse(with("quantization_config", awq)));
  EXPECT_NO_THROW(parse(with("llm_config.quantization_config", awq)));
  EXPECT_EQ(1000, parse(with("llm_config.vocab_size", 1e3)).language.vocab);
  EXPECT_EQ(2, parse(with("llm_config.num_attention_heads", 2.0)).language.heads);
  EXPECT_EQ((std::vector<int64_t>{7}), parse(with("llm_config.eos_token_id", 7.0)).eos_ids);
}

TEST(Config, TheTypeOfTheWeightsMayBeSpelledInSeveralWays) {
  for (const char* field : {"torch_dtype", "dtype"}) {
    EXPECT_EQ(DType::BF16, parse(with(field, "torch.bfloat16")).dtype);
    EXPECT_EQ(DType::F16, parse(with(field, "float16")).dtype);
    EXPECT_EQ(std::nullopt, parse(with(field, "auto")).dtype);
    expect_unsupported(field, "torch.int8", "torch.int8");
  }
}

TEST(Config, AByteOrderMarkIsSkipped) {
  EXPECT_EQ(1000, parse_config("\xef\xbb\xbf" + minimal().dump()).language.vocab);
  const TempDir dir;
  dir.write("config.json", "\xef\xbb\xbf" + minimal().dump());
  EXPECT_EQ(1000, load_config(dir.path()).language.vocab);
}

TEST(Config, WhatLiesInItsPlaceIsNamed) {
  const TempDir dir;
  for (const char* name : {"config.json", "generation_config.json"}) {
    dir.write("config.json", minimal().dump());
    dir.write(name, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n");
    expect_error(Status::Checkpoint, {cat(name, ": is a Git LFS pointer, not the file itself; run `git lfs pull`")},
                 [&] { load_config(dir.path()); });
    dir.write(name, "<!DOCTYPE html><html>");
    expect_error(Status::Checkpoint, {cat(name, ": is a web page")}, [&] { load_config(dir.path()); });
  }
}

TEST(Config, DecoderFamilies) {
  const auto family = [](const char* architecture, const json& more) {
    json config = minimal();
    config["llm_config"]["architectures"] = {architecture};
    config["llm_config"]["rope_theta"] = 1e6;
    config["llm_config"].update(more);
    return parse(config).language;
  };
  const LanguageConfig internlm2 = family("InternLM2ForCausalLM", {{"bias", true}});
  EXPECT_EQ(QkvRows::Groups, internlm2.plan.qkv_rows);
  EXPECT_TRUE(internlm2.plan.qkv_bias && internlm2.plan.out_bias);
  EXPECT_FALSE(family("InternLM2ForCausalLM", {{"bias", false}}).plan.qkv_bias);
  const LanguageConfig internlm3 = family("InternLM3ForCausalLM", {{"head_dim", 128}, {"qkv_bias", true}});
  EXPECT_TRUE(internlm3.plan.qkv_bias && !internlm3.plan.out_bias);
  EXPECT_EQ(128, internlm3.head_dim);
  EXPECT_EQ(32768, internlm3.context);
  expect_error(Status::Unsupported, {"llm_config.bias"}, [&] { family("InternLM3ForCausalLM", {{"bias", true}}); });
  const LanguageConfig qwen2 = family("Qwen2ForCausalLM", {{"use_sliding_window", false}, {"sliding_window", 4096}});
  EXPECT_TRUE(qwen2.plan.qkv_bias);
  EXPECT_FALSE(qwen2.plan.out_bias || qwen2.plan.qk_norm);
  EXPECT_EQ(64, qwen2.head_dim);
  const LanguageConfig qwen3 = family("Qwen3ForCausalLM", json::object());
  EXPECT_TRUE(qwen3.plan.qk_norm);
  EXPECT_FALSE(qwen3.plan.qkv_bias);
  EXPECT_EQ(128, qwen3.head_dim);  // whatever hidden / heads is
  EXPECT_EQ(16, family("Qwen3ForCausalLM", {{"head_dim", 16}}).head_dim);
  EXPECT_EQ("Qwen3ForCausalLM", qwen3.architecture);
  expect_error(Status::Unsupported, {"llm_config.use_sliding_window"}, [&] {
    family("Qwen2ForCausalLM", {{"use_sliding_window", true}});
  });
  // Theirs is a million; a missing one must not become the ten thousand of other models.
  expect_error(Status::Checkpoint, {"llm_config.rope_theta: expected a positive number, got nothing"},
               [] { parse(with("llm_config.architectures", json::array({"Qwen2ForCausalLM"}))); });
  // What is not there is named with what is.
  expect_error(Status::Unsupported, {"llm_config.architectures", "GptOssForCausalLM", "InternLM2ForCausalLM", "Qwen3ForCausalLM"},
               [] { parse(with("llm_config.architectures", json::array({"GptOssForCausalLM"}))); });
}

// The least of a decoder with experts, in three layers.
json with_experts(const json& more) {
  json config = minimal();
  config["llm_config"].update({{"architectures", {"Qwen3MoeForCausalLM"}},
                               {"rope_theta", 1e6},
                               {"num_experts", 16},
                               {"num_experts_per_tok", 4},
                               {"moe_intermediate_size", 96}});
  config["llm_config"].update(more);
  return config;
}

TEST(Config, Experts) {
  const LanguageConfig plain = parse(with_experts(json::object())).language;
  EXPECT_EQ(16, plain.experts.count);
  EXPECT_EQ(4, plain.experts.per_token);
  EXPECT_EQ(96, plain.experts.width);
  EXPECT_FALSE(plain.experts.normalizes);
  EXPECT_EQ((std::vector<bool>{true, true, true}), plain.experts.in_layer);
  EXPECT_TRUE(plain.plan.qk_norm);
  EXPECT_EQ("Qwen3MoeForCausalLM", plain.architecture);
  const auto layers = [](const json& more) { return parse(with_experts(more)).language.experts.in_layer; };
  EXPECT_EQ((std::vector<bool>{false, true, false}), layers({{"decoder_sparse_step", 2}}));
  EXPECT_EQ((std::vector<bool>{true, false, true}), layers({{"mlp_only_layers", {1}}}));
  EXPECT_EQ((std::vector<bool>{false, false, false}), layers({{"mlp_only_layers", {1}}, {"decoder_sparse_step", 2}}));
  EXPECT_TRUE(parse(with_experts({{"norm_topk_prob", true}, {"mlp_only_layers", nullptr}})).language.experts.normalizes);
  EXPECT_EQ(16, parse(with_experts({{"num_experts", nullptr}, {"num_local_experts", 16}})).language.experts.count);
  EXPECT_EQ(16, parse(with_experts({{"num_local_experts", 16}})).language.experts.count);
  EXPECT_FALSE(parse(minimal()).language.has_experts(0));
}

TEST(Config, ExpertsThatCannotBe) {
  const auto wrong = [](const json& more, const std::string& message) {
    expect_error(Status::Checkpoint, {"config.json: llm_config." + message}, [&] { parse(with_experts(more)); });
  };
  wrong({{"num_experts", nullptr}}, "num_experts: expected an integer from 1 to 87381, got null");
  wrong({{"num_experts", 0}}, "num_experts: expected an integer from 1 to 87381, got 0");
  wrong({{"num_experts", 3}}, "num_experts_per_tok: expected an integer from 1 to 3, got 4");
  wrong({{"num_experts_per_tok", nullptr}}, "num_experts_per_tok: expected an integer from 1 to 16, got null");
  wrong({{"num_local_experts", 8}}, "num_local_experts: expected that of llm_config.num_experts, got 8");
  wrong({{"mlp_only_layers", {0, 3}}}, "mlp_only_layers: expected a list of integers from 0 to 2, got [0,3]");
  wrong({{"mlp_only_layers", 1}}, "mlp_only_layers: expected a list of integers from 0 to 2, got 1");
  wrong({{"decoder_sparse_step", 0}}, "decoder_sparse_step: expected an integer from 1 to 4096, got 0");
  wrong({{"moe_intermediate_size", nullptr}}, "moe_intermediate_size: expected an integer from 1 to 262144, got null");
  // Their product bounds what a layer holds.
  wrong({{"num_experts", 80000}, {"moe_intermediate_size", 100}},
        "moe_intermediate_size: expected an integer from 1 to 52, got 100");
}

TEST(Config, RopeIsReadInAllSpellings) {
  const auto rope = [](const char* field, const json& value) {
    return parse(with(std::string("llm_config.") + field, value)).language.rope;
  };
  EXPECT_EQ(0, rope("rope_scaling", json{{"type", "default"}}).dynamic_factor);
  EXPECT_EQ(2, rope("rope_scaling", json{{"type", "dynamic"}, {"factor", 2.0}}).dynamic_factor);
  EXPECT_EQ(3, rope("rope_scaling", json{{"rope_type", "dynamic"}, {"factor", 3}}).dynamic_factor);
  EXPECT_EQ(2048, rope("rope_theta", 5e6).trained);
  const Rope both = rope("rope_parameters", json{{"rope_theta", 5e6}, {"rope_type", "dynamic"}, {"factor", 2.0}});
  EXPECT_EQ(5e6, both.theta);
  EXPECT_EQ(2, both.dynamic_factor);
  EXPECT_EQ(0, rope("rope_parameters", json{{"rope_theta", 5e6}, {"rope_type", "default"}}).dynamic_factor);
  expect_wrong("llm_config.rope_parameters", 7, "an object, got 7");
  for (const char* type : {"linear", "yarn", "llama3"}) {
    expect_error(Status::Unsupported,
                 {"config.json: llm_config.rope_scaling.rope_type", type, "only default, dynamic and longrope (su)"}, [&] {
                   rope("rope_scaling", json{{"rope_type", type}, {"factor", 2.0}});
                 });
  }
  expect_error(Status::Checkpoint, {"llm_config.rope_scaling.factor: expected a number from 1 up, got 0.5"}, [&] {
    rope("rope_scaling", json{{"type", "dynamic"}, {"factor", 0.5}});
  });
  expect_error(Status::Checkpoint, {"llm_config.rope_scaling.factor: expected a number from 1 up, got nothing"}, [&] {
    rope("rope_scaling", json{{"type", "dynamic"}});
  });
  expect_error(Status::Checkpoint, {"llm_config.rope_parameters.rope_theta: expected a positive number"}, [&] {
    rope("rope_parameters", json{{"rope_type", "default"}});
  });
}

TEST(Config, Tiles) {
  EXPECT_FALSE(parse(minimal()).tiling.dynamic);
  json config = minimal();
  config.update(
      json::parse(R"({"dynamic_image_size": true, "use_thumbnail": true, "min_dynamic_patch": 2, "max_dynamic_patch": 12})"));
  const Tiling tiling = parse(config).tiling;
  EXPECT_TRUE(tiling.dynamic && tiling.thumbnail);
  EXPECT_EQ(2, tiling.least);
  EXPECT_EQ(12, tiling.most);
  expect_wrong("max_dynamic_patch", 0, "an integer from 1 to 1024, got 0");
  expect_wrong("max_dynamic_patch", 1000000, "an integer from 1 to 1024, got 1000000");
  expect_wrong("min_dynamic_patch", 13, "at most max_dynamic_patch (6), got 13");
}

json transformers_config() { return json::parse(checkpoint_test::read_text(test_data() / "qwen2-hf" / "config.json")); }

TEST(Config, TransformersLayout) {
  const ModelConfig config = parse(transformers_config());
  EXPECT_EQ(Layout::Transformers, config.layout);
  EXPECT_EQ(Layout::RemoteCode, parse(minimal()).layout);
  EXPECT_EQ(56, config.image_size);
  EXPECT_EQ(14, config.vision.patch);
  EXPECT_EQ(4, config.tokens_per_image());
  EXPECT_EQ(PixelShuffle::V2, config.shuffle);
  EXPECT_TRUE(config.vision.qkv_bias);
  EXPECT_FALSE(config.vision.qk_norm);
  EXPECT_EQ(NormKind::LayerNorm, config.vision.norm);
  EXPECT_EQ("Qwen2ForCausalLM", config.language.architecture);
  EXPECT_TRUE(config.language.tied_head);
  EXPECT_EQ(724, config.image_token);
  EXPECT_EQ(std::nullopt, parse(minimal()).image_token);
  EXPECT_EQ((std::vector<int64_t>{702}), config.eos_ids);
  EXPECT_TRUE(config.tiling.dynamic && config.tiling.thumbnail);

  json changed = transformers_config();
  changed["text_config"].erase("model_type");  // Qwen2 then
  changed["text_config"].erase("rope_theta");
  changed["text_config"]["rope_parameters"] = {{"rope_theta", 1e6}, {"rope_type", "default"}};
  changed["vision_config"]["image_size"] = 56;
  changed["text_config"]["tie_word_embeddings"] = false;
  changed["tie_word_embeddings"] = true;
  EXPECT_EQ(1e6, parse(changed).language.rope.theta);
  EXPECT_TRUE(parse(changed).language.tied_head && parse(changed).language.may_have_head);
}

TEST(Config, TransformersLayoutRefusesWhatItCannotDo) {
  const auto refused = [](Status status, const char* section, const char* field, const json& value, const char* message) {
    json config = transformers_config();
    (std::string(section).empty() ? config : config[section])[field] = value;
    expect_error(status, {field, message}, [&] { parse(config); });
  };
  refused(Status::Unsupported, "text_config", "model_type", "gpt_oss", "gpt_oss");
  refused(Status::Unsupported, "", "vision_feature_select_strategy", "full", "full");
  refused(Status::Unsupported, "", "projector_hidden_act", "relu", "relu");
  refused(Status::Unsupported, "vision_config", "use_mean_pooling", false, "false");
  refused(Status::Checkpoint, "vision_config", "image_size", json::array({56, 84}), "two equal ones, got [56,84]");
  refused(Status::Checkpoint, "", "image_token_id", 732, "an integer from 0 to 731, got 732");
  refused(Status::Checkpoint, "", "image_seq_length", 256, "expected 4, as image_size");
}

TEST(Config, NotJson) {
  std::string text = minimal().dump(2);
  expect_error(Status::Checkpoint, {"config.json", "line ", "column "}, [&] { parse_config(text.substr(0, 200)); });
  text.insert(text.rfind('}'), ",");
  expect_error(Status::Checkpoint, {"config.json", "line ", "column "}, [&] { parse_config(text); });
  text = minimal().dump();
  text.insert(1, R"("template":"a","template":"b",)");
  expect_error(Status::Checkpoint, {"config.json", "duplicate key 'template'"}, [&] { parse_config(text); });
  expect_error(Status::Checkpoint, {"config.json: expected an object, got a list"}, [] { parse_config("[]"); });
  expect_error(Status::Checkpoint, {"config.json"}, [] { parse_config(""); });
}

TEST(Config, GenerationConfig) {
  const std::string text = with("llm_config.eos_token_id", 2).dump();
  EXPECT_EQ((std::vector<int64_t>{2}), parse_config(text).eos_ids);
  EXPECT_EQ((std::vector<int64_t>{2}), parse_config(text, "c", R"({"pad_token_id": 0})").eos_ids);
  EXPECT_EQ((std::vector<int64_t>{7}), parse_config(text, "c", R"({"eos_token_id": 7})").eos_ids);
  EXPECT_EQ((std::vector<int64_t>{7, 2}), parse_config(text, "c", R"({"eos_token_id": [7, 2]})").eos_ids);
  expect_error(Status::Checkpoint, {"generation_config.json: eos_token_id: expected token ids"},
               [&] { parse_config(text, "c", R"({"eos_token_id": "7"})"); });

  const TempDir dir;
  expect_error(Status::Io, {"config.json", "cannot open"}, [&] { load_config(dir.path()); });
  expect_error(Status::Io, {"none", "cannot open"}, [&] { load_config(dir / "none"); });
  dir.write("config.json", text);
  EXPECT_EQ((std::vector<int64_t>{2}), load_config(dir.path()).eos_ids);
  dir.write("generation_config.json", R"({"eos_token_id": 7})");
  EXPECT_EQ((std::vector<int64_t>{7}), load_config(dir.path()).eos_ids);
  dir.write("generation_config.json", "{");
  expect_error(Status::Checkpoint, {dir.path().string(), "generation_config.json"}, [&] { load_config(dir.path()); });
}

TEST(Config, OnlyErrorsComeOutOfMutatedFiles) {
  const std::string valid = read_text(test_data() / "hermes-gqa7" / "config.json");
  Random random(7);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    try {
      const ModelConfig config = parse_config(mutate(valid, valid.size(), random));
      ++accepted;
      EXPECT_GT(config.tokens_per_image(), 0);
      EXPECT_EQ(0, config.grid() % config.downsample);
      EXPECT_EQ(0, config.language.heads % config.language.kv_heads);
      EXPECT_LE(config.vision_layers_used(), config.vision.layers);
      EXPECT_GE(config.vision_layers_used(), 0);
    } catch (const Error& error) {
      EXPECT_TRUE(error.status() == Status::Checkpoint || error.status() == Status::Unsupported) << error.what();
    } catch (const std::exception& other) {
      FAIL() << "round " << round << ": " << other.what();
    }
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace ivl
