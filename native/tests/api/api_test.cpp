// The C API as its callers see it: statuses, messages, and handles in any order.
#include "internvl4j/internvl4j.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

namespace {

using nlohmann::json;

std::filesystem::path checkpoint() {
  const char* set = std::getenv("IVL_TEST_DATA");
  return std::filesystem::path(set != nullptr ? set : IVL_TEST_DATA) / "hermes-d128";
}

// A copy of the checkpoint that a test may damage.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("ivl-api-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::copy(checkpoint(), path_, std::filesystem::copy_options::recursive);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

ivl_load_options options() {
  ivl_load_options o;
  ivl_load_options_init(&o);
  o.threads = 2;
  return o;
}

ivl_model* load_model() {
  const ivl_load_options o = options();
  ivl_load* load = nullptr;
  EXPECT_EQ(ivl_load_begin(checkpoint().c_str(), &o, &load), IVL_OK) << ivl_last_error();
  ivl_load_progress progress{};
  do {
    EXPECT_EQ(ivl_load_step(load, &progress), IVL_OK) << ivl_last_error();
  } while (progress.steps_done < progress.steps_total);
  EXPECT_EQ(progress.bytes_done, progress.bytes_total);
  ivl_model* model = nullptr;
  EXPECT_EQ(ivl_load_finish(load, &model), IVL_OK) << ivl_last_error();
  ivl_load_free(load);
  return model;
}

std::string text_of(const std::function<ivl_status(ivl_text**)>& call) {
  ivl_text* text = nullptr;
  EXPECT_EQ(call(&text), IVL_OK) << ivl_last_error();
  const std::string copy = ivl_text_data(text);
  ivl_text_free(text);
  return copy;
}

void expect_failure(ivl_status actual, ivl_status expected, const char* words) {
  EXPECT_EQ(actual, expected) << ivl_last_error();
  EXPECT_NE(std::string(ivl_last_error()).find(words), std::string::npos) << ivl_last_error();
}

ivl_status add(ivl_generation* generation, ivl_sequence* sequence, const std::vector<int32_t>& tokens, int32_t most = 3) {
  ivl_sampling sampling;
  ivl_sampling_init(&sampling);
  sampling.max_new_tokens = most;
  int32_t request = -1;
  return ivl_generation_add(generation, sequence, tokens.data(), static_cast<int64_t>(tokens.size()), 1026, nullptr, 0,
                            nullptr, 0, &sampling, nullptr, &request);
}

TEST(Api, NullsAreInvalidArgumentsAndMayBeFreed) {
  ivl_load_options o = options();
  ivl_token token;
  int64_t count = 0;
  expect_failure(ivl_inspect(nullptr, nullptr), IVL_INVALID_ARGUMENT, "path");
  expect_failure(ivl_plan(nullptr, &o, nullptr), IVL_INVALID_ARGUMENT, "null");
  expect_failure(ivl_plan("x", nullptr, nullptr), IVL_INVALID_ARGUMENT, "options");
  expect_failure(ivl_inspect_texts(nullptr, nullptr), IVL_INVALID_ARGUMENT, "path");
  expect_failure(ivl_plan_advice("x", nullptr, nullptr), IVL_INVALID_ARGUMENT, "options");
  expect_failure(ivl_model_texts(nullptr, nullptr), IVL_INVALID_ARGUMENT, "model");
  expect_failure(ivl_plan_device(nullptr, &o, nullptr), IVL_INVALID_ARGUMENT, "null");
  expect_failure(ivl_plan_device("x", nullptr, nullptr), IVL_INVALID_ARGUMENT, "options");
  expect_failure(ivl_check(nullptr, 0, nullptr), IVL_INVALID_ARGUMENT, "null");
  expect_failure(ivl_load_begin(nullptr, &o, nullptr), IVL_INVALID_ARGUMENT, "directory");
  expect_failure(ivl_load_begin("x", nullptr, nullptr), IVL_INVALID_ARGUMENT, "options");
  expect_failure(ivl_load_step(nullptr, nullptr), IVL_INVALID_ARGUMENT, "load");
  expect_failure(ivl_load_finish(nullptr, nullptr), IVL_INVALID_ARGUMENT, "null");
  expect_failure(ivl_model_describe(nullptr, nullptr), IVL_INVALID_ARGUMENT, "model");
  expect_failure(ivl_model_work(nullptr, nullptr), IVL_INVALID_ARGUMENT, "model");
  expect_failure(ivl_model_close(nullptr), IVL_INVALID_ARGUMENT, "model");
  expect_failure(ivl_encode(nullptr, nullptr, 1, 1, nullptr, nullptr, nullptr), IVL_INVALID_ARGUMENT, "model");
  expect_failure(ivl_sequence_create(nullptr, nullptr), IVL_INVALID_ARGUMENT, "model");
  expect_failure(ivl_generation_create(nullptr, nullptr, nullptr), IVL_INVALID_ARGUMENT, "model");
  expect_failure(ivl_generation_step(nullptr, &token, 1, &count), IVL_INVALID_ARGUMENT, "generation");
  expect_failure(ivl_generation_end(nullptr, 0), IVL_INVALID_ARGUMENT, "generation");
  expect_failure(ivl_generation_failure(nullptr, 0), IVL_INVALID_ARGUMENT, "generation");
  expect_failure(ivl_recording_shape(nullptr, 0, nullptr, 3), IVL_INVALID_ARGUMENT, "recording");
  expect_failure(ivl_recording_copy(nullptr, 0, nullptr, 3), IVL_INVALID_ARGUMENT, "recording");
  expect_failure(ivl_benchmark_create(nullptr, 1, nullptr), IVL_INVALID_ARGUMENT, "null");
  expect_failure(ivl_measure_machine(-1, "none", nullptr), IVL_INVALID_ARGUMENT, "threads");
  expect_failure(ivl_drop_page_cache(nullptr, nullptr), IVL_INVALID_ARGUMENT, "null");
  EXPECT_EQ(ivl_features_rows(nullptr), 0);
  EXPECT_EQ(ivl_sequence_length(nullptr), 0);
  EXPECT_EQ(ivl_recording_count(nullptr), 0);
  EXPECT_STREQ(ivl_text_data(nullptr), "");
  ivl_text_free(nullptr);
  ivl_load_free(nullptr);
  ivl_model_free(nullptr);
  ivl_recording_free(nullptr);
  ivl_features_free(nullptr);
  ivl_sequence_free(nullptr);
  ivl_generation_free(nullptr);
  ivl_cancel(nullptr);
  ivl_cancellation_free(nullptr);
  ivl_benchmark_free(nullptr);
}

TEST(Api, TheLastErrorIsTheThreadsOwn) {
  ivl_inspect("/nowhere/at/all", nullptr);
  const std::string mine = ivl_last_error();
  EXPECT_NE(mine.find("/nowhere/at/all"), std::string::npos);
  std::thread([] { EXPECT_STREQ(ivl_last_error(), ""); }).join();
  EXPECT_EQ(mine, ivl_last_error());
  ivl_text_free(nullptr);
  ivl_model_info info;
  EXPECT_EQ(ivl_inspect(checkpoint().c_str(), &info), IVL_OK);
  EXPECT_STREQ(ivl_last_error(), "");
}

TEST(Api, InspectTellsLayoutAndTiles) {
  using Texts = std::pair<std::string, std::string>;
  const auto texts = [](const std::filesystem::path& folder) {
    const json all = json::parse(text_of([&](ivl_text** out) { return ivl_inspect_texts(folder.c_str(), out); }));
    return Texts(all["architecture"], all["conversation_template"]);
  };
  ivl_model_info info;
  ASSERT_EQ(ivl_inspect(checkpoint().c_str(), &info), IVL_OK);
  EXPECT_EQ(info.layout, IVL_LAYOUT_REMOTE_CODE);
  EXPECT_EQ(texts(checkpoint()), Texts("LlamaForCausalLM", "Hermes-2"));
  EXPECT_EQ(info.dynamic_tiles, 0);
  EXPECT_EQ(info.image_token, -1);
  const std::filesystem::path tiles = checkpoint().parent_path() / "internlm2-tiles";
  ASSERT_EQ(ivl_inspect(tiles.c_str(), &info), IVL_OK);
  EXPECT_EQ(texts(tiles), Texts("InternLM2ForCausalLM", "internlm2-chat"));
  EXPECT_EQ(info.dynamic_tiles, 1);
  EXPECT_EQ(info.thumbnail, 1);
  EXPECT_EQ(info.least_tiles, 1);
  EXPECT_EQ(info.most_tiles, 12);
  const std::filesystem::path transformers = checkpoint().parent_path() / "qwen2-hf";
  ASSERT_EQ(ivl_inspect(transformers.c_str(), &info), IVL_OK);
  EXPECT_EQ(info.layout, IVL_LAYOUT_TRANSFORMERS);
  EXPECT_EQ(texts(transformers), Texts("Qwen2ForCausalLM", ""));
  EXPECT_EQ(info.image_token, 724);
}

TEST(Api, InspectPlanCheckAndInfoTell) {
  ivl_model_info info;
  ASSERT_EQ(ivl_inspect(checkpoint().c_str(), &info), IVL_OK);
  EXPECT_EQ(info.image_size, 112);
  EXPECT_EQ(info.tokens_per_image, 16);
  EXPECT_EQ(info.context_length, 4096);
  EXPECT_EQ(info.stored, IVL_PRECISION_BF16);
  const json texts = json::parse(text_of([](ivl_text** out) { return ivl_inspect_texts(checkpoint().c_str(), out); }));
  EXPECT_EQ(texts, json({{"conversation_template", "Hermes-2"}, {"architecture", "LlamaForCausalLM"}, {"eos_tokens", {7}}}));
  const ivl_load_options o = options();
  ivl_memory_plan plan;
  ASSERT_EQ(ivl_plan(checkpoint().c_str(), &o, &plan), IVL_OK);
  EXPECT_EQ(plan.total, plan.weights_mapped + plan.weights_owned + plan.kv_cache + plan.scratch + plan.picture_batch);
  EXPECT_EQ(text_of([&](ivl_text** out) { return ivl_plan_advice(checkpoint().c_str(), &o, out); }), "");
  EXPECT_EQ(text_of([&](ivl_text** out) { return ivl_plan_device(checkpoint().c_str(), &o, out); }), "cpu");
  const json system = json::parse(text_of(ivl_system_info));
  EXPECT_EQ(system["version"], ivl_version());
  EXPECT_EQ(system["devices"].size(), 2u);
  const json report = json::parse(text_of([](ivl_text** out) { return ivl_check(checkpoint().c_str(), 1, out); }));
  for (const char* list : {"missing", "wrong", "unexpected", "non_finite"}) EXPECT_TRUE(report[list].empty()) << list;
}

TEST(Api, NoTextOfAConfigurationIsCut) {
  const Folder folder;
  json value = json::parse(std::ifstream(checkpoint() / "config.json"));
  const std::string name(300, 't');
  const std::vector<int> ids{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  value["template"] = name;
  std::ofstream(folder.path() / "config.json") << value;
  std::ofstream(folder.path() / "generation_config.json") << json{{"eos_token_id", ids}};
  const json texts = json::parse(text_of([&](ivl_text** out) { return ivl_inspect_texts(folder.path().c_str(), out); }));
  EXPECT_EQ(texts, json({{"conversation_template", name}, {"architecture", "LlamaForCausalLM"}, {"eos_tokens", ids}}));
}

TEST(Api, APlanCountsTheRequestsOfABatch) {
  ivl_load_options o = options();
  ivl_memory_plan one{}, eight{};
  ASSERT_EQ(ivl_plan(checkpoint().c_str(), &o, &one), IVL_OK);
  o.max_batch = 8;
  ASSERT_EQ(ivl_plan(checkpoint().c_str(), &o, &eight), IVL_OK);
  EXPECT_EQ(one.max_batch, 1);
  EXPECT_EQ(eight.max_batch, 8);
  EXPECT_EQ(eight.total - one.total, eight.kv_cache_batch);
  EXPECT_GT(eight.kv_cache_batch, 7 * 1024 * eight.kv_cache_per_token);
  o.max_batch = -1;
  expect_failure(ivl_plan(checkpoint().c_str(), &o, &eight), IVL_INVALID_ARGUMENT, "max_batch is -1");
}

TEST(Api, TheKvCacheHasATypeOfItsOwn) {
  ivl_load_options o = options();
  ivl_memory_plan plans[IVL_KV_CACHE_INT8 + 1];
  for (int type = IVL_KV_CACHE_AUTO; type <= IVL_KV_CACHE_INT8; ++type) {
    o.kv_cache = type;
    ASSERT_EQ(ivl_plan(checkpoint().c_str(), &o, &plans[type]), IVL_OK) << ivl_last_error();
    EXPECT_EQ(plans[type].kv_cache_type, type == IVL_KV_CACHE_AUTO ? IVL_KV_CACHE_BF16 : type);
  }
  EXPECT_EQ(plans[IVL_KV_CACHE_F32].kv_cache, 2 * plans[IVL_KV_CACHE_BF16].kv_cache);
  EXPECT_EQ(plans[IVL_KV_CACHE_F16].kv_cache, plans[IVL_KV_CACHE_AUTO].kv_cache);
  // Heads of 128 numbers: 128 bytes and a scale instead of 256 bytes.
  EXPECT_EQ(plans[IVL_KV_CACHE_INT8].kv_cache_per_token * 256, plans[IVL_KV_CACHE_BF16].kv_cache_per_token * 132);
  const ivl_memory_plan& bytes = plans[IVL_KV_CACHE_INT8];
  EXPECT_EQ(plans[IVL_KV_CACHE_BF16].total - bytes.total, plans[IVL_KV_CACHE_BF16].kv_cache - bytes.kv_cache);
  o.kv_cache = IVL_KV_CACHE_INT8;
  for (const char* gpu : {"cuda", "cuda:0,1"}) {
    std::strcpy(o.device, gpu);
    expect_failure(ivl_plan(checkpoint().c_str(), &o, &plans[0]), IVL_INVALID_ARGUMENT,
                   "the KV cache is int8, expected auto or bf16");
    ivl_load* load = nullptr;
    expect_failure(ivl_load_begin(checkpoint().c_str(), &o, &load), IVL_INVALID_ARGUMENT, "the KV cache is int8");
  }
  o.kv_cache = 17;
  expect_failure(ivl_plan(checkpoint().c_str(), &o, &plans[0]), IVL_INVALID_ARGUMENT, "kv_cache is 17");
}

TEST(Api, Bf16ActivationsWithoutBf16WeightsAreRefused) {
  ivl_load_options o = options();
  o.bf16_activations = 1;
  ivl_load* load = nullptr;
  ivl_memory_plan plan{};
  for (const auto& [precision, name] : {std::pair{IVL_PRECISION_F16, "f16"}, std::pair{IVL_PRECISION_F32, "f32"}}) {
    o.precision = precision;
    expect_failure(ivl_load_begin(checkpoint().c_str(), &o, &load), IVL_INVALID_ARGUMENT, name);
    expect_failure(ivl_plan(checkpoint().c_str(), &o, &plan), IVL_INVALID_ARGUMENT, "bf16_activations");
  }
}

TEST(Api, AnAffinityThatCannotBeFollowedIsRefused) {
  ivl_load_options o = options();
  ivl_load* load = nullptr;
  for (const char* bad : {"1023", "0,0", "first"}) {
    std::strcpy(o.affinity, bad);
    expect_failure(ivl_load_begin(checkpoint().c_str(), &o, &load), IVL_INVALID_ARGUMENT, bad);
  }
  std::memset(o.affinity, '9', sizeof o.affinity);  // without an end
  expect_failure(ivl_load_begin(checkpoint().c_str(), &o, &load), IVL_INVALID_ARGUMENT, "affinity");
}

TEST(Api, DamagedAndForeignCheckpointsHaveTheirStatuses) {
  const Folder folder;
  ivl_load_options o = options();
  ivl_load* load = nullptr;
  const auto begin = [&] { return ivl_load_begin(folder.path().c_str(), &o, &load); };
  const auto config = folder.path() / "config.json";
  const auto rewrite = [&](const std::function<void(json&)>& change) {
    json value = json::parse(std::ifstream(checkpoint() / "config.json"));
    change(value);
    std::ofstream(config) << value;
  };
  o.memory_limit = 100000;
  expect_failure(begin(), IVL_OUT_OF_MEMORY, "MiB");
  o = options();
  o.precision = 77;
  expect_failure(begin(), IVL_INVALID_ARGUMENT, "77");
  o = options();
  o.threads = 100000;
  expect_failure(begin(), IVL_INVALID_ARGUMENT, "threads");
  o = options();
  o.context_length = 100000;
  expect_failure(begin(), IVL_INVALID_ARGUMENT, "4096");
  o = options();
  rewrite([](json& c) { c["llm_config"]["architectures"] = {"GptOssForCausalLM"}; });
  expect_failure(begin(), IVL_UNSUPPORTED, "GptOssForCausalLM");
  rewrite([](json& c) { c["llm_config"]["intermediate_size"] = 641; });
  expect_failure(begin(), IVL_CHECKPOINT, "gate_proj");
  std::ofstream(config) << "{\"a\": ";
  expect_failure(begin(), IVL_CHECKPOINT, "config.json");
  rewrite([](json&) {});
  std::filesystem::resize_file(folder.path() / "model-00002-of-00002.safetensors", 1000);
  expect_failure(begin(), IVL_CHECKPOINT, "model-00002-of-00002.safetensors");
  std::filesystem::remove(folder.path() / "model-00002-of-00002.safetensors");
  expect_failure(begin(), IVL_CHECKPOINT, "model-00002-of-00002.safetensors");
  expect_failure(ivl_load_begin("/nowhere", &o, &load), IVL_IO, "/nowhere");
  EXPECT_EQ(load, nullptr);
}

TEST(Api, LoadingIsFinishedOnceAndOnlyAfterItsLastStep) {
  const ivl_load_options o = options();
  ivl_load* load = nullptr;
  ASSERT_EQ(ivl_load_begin(checkpoint().c_str(), &o, &load), IVL_OK);
  ivl_model* model = nullptr;
  expect_failure(ivl_load_finish(load, &model), IVL_INVALID_ARGUMENT, "not loaded yet");
  ivl_load_progress progress{};
  ASSERT_EQ(ivl_load_step(load, &progress), IVL_OK);
  EXPECT_EQ(progress.steps_done, 1);
  ivl_load_free(load);  // half way
}

TEST(Api, RandomWeightsServeABareConfiguration) {
  ivl_load_options o = options();
  o.precision = IVL_PRECISION_F16;
  ivl_load* load = nullptr;
  ASSERT_EQ(ivl_load_begin_random((checkpoint() / "config.json").c_str(), &o, 3, &load), IVL_OK) << ivl_last_error();
  ivl_load_progress progress{};
  do {
    ASSERT_EQ(ivl_load_step(load, &progress), IVL_OK);
  } while (progress.steps_done < progress.steps_total);
  ivl_model* model = nullptr;
  ASSERT_EQ(ivl_load_finish(load, &model), IVL_OK);
  ivl_load_free(load);
  ivl_model_info info;
  ASSERT_EQ(ivl_model_describe(model, &info), IVL_OK);
  EXPECT_EQ(info.precision, IVL_PRECISION_F16);
  ivl_work work;
  ASSERT_EQ(ivl_model_work(model, &work), IVL_OK);
  EXPECT_EQ(work.weight_bytes, 2.0 * (3 * (256 * 128 * 6 + 3 * 256 * 640) + 256 * 1033));
  ivl_model_free(model);
}

TEST(Api, HandlesMayBeFreedInAnyOrder) {
  ivl_model* model = load_model();
  std::vector<float> pixels(3 * 112 * 112, 0.5f);
  ivl_recording* recording = nullptr;
  ivl_features* features = nullptr;
  ivl_sequence* sequence = nullptr;
  ivl_generation* generation = nullptr;
  ASSERT_EQ(ivl_recording_create(&recording), IVL_OK);
  ASSERT_EQ(ivl_encode(model, pixels.data(), 3 * 112 * 112, 1, nullptr, recording, &features), IVL_OK) << ivl_last_error();
  EXPECT_EQ(ivl_features_rows(features), 16);
  ASSERT_EQ(ivl_sequence_create(model, &sequence), IVL_OK);
  ASSERT_EQ(ivl_generation_create(model, nullptr, &generation), IVL_OK);
  ASSERT_EQ(add(generation, sequence, {5, 6, 7}), IVL_OK) << ivl_last_error();
  ivl_token token;
  int64_t count = 0;
  ASSERT_EQ(ivl_generation_step(generation, &token, 1, &count), IVL_OK);
  EXPECT_EQ(count, 1);

  ivl_model_free(model);  // first of all
  expect_failure(ivl_generation_step(generation, &token, 1, &count), IVL_CLOSED, "closed");
  expect_failure(add(generation, nullptr, {5}), IVL_CLOSED, "closed");
  std::vector<float> out(16 * 256);
  EXPECT_EQ(ivl_features_copy(features, out.data(), 16 * 256), IVL_OK);
  ASSERT_GT(ivl_recording_count(recording), 0);
  EXPECT_STREQ(ivl_recording_name(recording, 0), "vision.embeddings");
  int64_t shape[3];
  ASSERT_EQ(ivl_recording_shape(recording, 0, shape, 3), IVL_OK);
  EXPECT_EQ(shape[0], 1);
  EXPECT_EQ(shape[1], 65);
  EXPECT_EQ(shape[2], 256);
  std::vector<float> recorded(65 * 256);
  EXPECT_EQ(ivl_recording_copy(recording, 0, recorded.data(), 65 * 256), IVL_OK);
  ivl_sequence_free(sequence);
  ivl_generation_free(generation);
  ivl_features_free(features);
  ivl_recording_free(recording);
}

TEST(Api, BadRequestsLeaveTheGenerationUsable) {
  ivl_model* model = load_model();
  ivl_generation* generation = nullptr;
  ASSERT_EQ(ivl_generation_create(model, nullptr, &generation), IVL_OK);
  expect_failure(add(generation, nullptr, {}), IVL_INVALID_ARGUMENT, "no tokens");
  expect_failure(add(generation, nullptr, {1, 2000000}), IVL_INVALID_ARGUMENT, "2000000");
  expect_failure(add(generation, nullptr, {1026}), IVL_INVALID_ARGUMENT, "images");
  expect_failure(add(generation, nullptr, std::vector<int32_t>(5000, 9)), IVL_CONTEXT_LENGTH, "5000");
  expect_failure(add(generation, nullptr, {1}, 0), IVL_INVALID_ARGUMENT, "max_new_tokens");
  expect_failure(ivl_generation_end(generation, 0), IVL_INVALID_ARGUMENT, "request 0");
  std::vector<float> nan(3 * 112 * 112, std::nanf(""));
  ivl_features* features = nullptr;
  const auto size = static_cast<int64_t>(nan.size());
  expect_failure(ivl_encode(model, nan.data(), size, 1, nullptr, nullptr, &features), IVL_INVALID_ARGUMENT, "not finite");
  expect_failure(ivl_encode(model, nan.data(), size, 0, nullptr, nullptr, &features), IVL_INVALID_ARGUMENT, "count");

  ASSERT_EQ(add(generation, nullptr, {9, 8, 7}), IVL_OK);
  ivl_token token;
  int64_t count = -1;
  expect_failure(ivl_generation_step(generation, &token, 0, &count), IVL_INVALID_ARGUMENT, "room");
  int32_t finish = IVL_FINISH_NONE;
  int steps = 0;
  while (ivl_generation_step(generation, &token, 1, &count) == IVL_OK && count == 1) {
    ++steps;
    finish = token.finish;
    std::vector<float> logits(1033);
    EXPECT_EQ(ivl_generation_logits(generation, 0, logits.data(), 1033), IVL_OK);
    EXPECT_EQ(ivl_generation_failure(generation, 0), IVL_OK);
  }
  EXPECT_EQ(steps, 3);
  EXPECT_EQ(finish, IVL_FINISH_LENGTH);
  ivl_generation_free(generation);
  ivl_model_free(model);
}

// Whatever the count says, nothing is read or written beyond what is there: the sanitizers watch.
TEST(Api, ArraysThatAreTooShortAreRefusedWithBothNumbers) {
  ivl_model* model = load_model();
  ivl_recording* recording = nullptr;
  ASSERT_EQ(ivl_recording_create(&recording), IVL_OK);
  ivl_features* features = nullptr;
  std::vector<float> pixels(3 * 112 * 112);
  const auto encode = [&](int64_t size, int64_t count) {
    return ivl_encode(model, pixels.data(), size, count, nullptr, recording, &features);
  };
  expect_failure(encode(4000, 4000), IVL_INVALID_ARGUMENT, "4000 images come with 4000 pixel values, expected 37632 for each");
  expect_failure(encode(3 * 112 * 112, 2), IVL_INVALID_ARGUMENT, "2 images");
  expect_failure(encode(3 * 112 * 112, INT64_MAX), IVL_INVALID_ARGUMENT, "37632");
  expect_failure(encode(-1, 1), IVL_INVALID_ARGUMENT, "-1");
  ASSERT_EQ(encode(3 * 112 * 112, 1), IVL_OK) << ivl_last_error();

  std::vector<float> few(3);
  expect_failure(ivl_features_copy(features, few.data(), 3), IVL_INVALID_ARGUMENT, "room for 3 numbers, but there are 4096");
  expect_failure(ivl_recording_copy(recording, 0, few.data(), 3), IVL_INVALID_ARGUMENT, "there are 16640 of the activation");
  int64_t shape[2];
  expect_failure(ivl_recording_shape(recording, 0, shape, 2), IVL_INVALID_ARGUMENT, "there are 3 of the shape");
  expect_failure(ivl_recording_shape(recording, 99, shape, 2), IVL_INVALID_ARGUMENT, "no recorded activation 99");
  ivl_generation* generation = nullptr;
  ASSERT_EQ(ivl_generation_create(model, nullptr, &generation), IVL_OK);
  ASSERT_EQ(add(generation, nullptr, {5, 6}), IVL_OK);
  ivl_token token;
  int64_t count = 0;
  expect_failure(ivl_generation_step(generation, &token, 0, &count), IVL_INVALID_ARGUMENT, "room for 0");
  ASSERT_EQ(ivl_generation_step(generation, &token, 1, &count), IVL_OK);
  expect_failure(ivl_generation_logits(generation, 0, few.data(), 3), IVL_INVALID_ARGUMENT, "there are 1033 of the logits");
  expect_failure(ivl_generation_logits(generation, 0, nullptr, 1033), IVL_INVALID_ARGUMENT, "null");
  ivl_generation_free(generation);
  ivl_features_free(features);
  ivl_recording_free(recording);
  ivl_model_free(model);
}

TEST(Api, WhatIsAnotherModelsIsRefused) {
  ivl_model* model = load_model();
  ivl_model* other = load_model();
  ivl_sequence* sequence = nullptr;
  ASSERT_EQ(ivl_sequence_create(other, &sequence), IVL_OK);
  ivl_recording* recording = nullptr;
  ASSERT_EQ(ivl_recording_create(&recording), IVL_OK);
  ivl_features* features = nullptr;
  std::vector<float> pixels(3 * 112 * 112);
  const auto encode = [&](ivl_model* by) {
    return ivl_encode(by, pixels.data(), 3 * 112 * 112, 1, nullptr, recording, &features);
  };
  ASSERT_EQ(encode(other), IVL_OK) << ivl_last_error();
  ivl_generation* generation = nullptr;
  ASSERT_EQ(ivl_generation_create(model, nullptr, &generation), IVL_OK);
  expect_failure(add(generation, sequence, {5, 6}), IVL_INVALID_ARGUMENT, "another model");
  ivl_sampling sampling;
  ivl_sampling_init(&sampling);
  const std::vector<int32_t> places(16, 1026);
  int32_t request = -1;
  expect_failure(ivl_generation_add(generation, nullptr, places.data(), 16, 1026, &features, 1, nullptr, 0, &sampling, nullptr,
                                    &request),
                 IVL_INVALID_ARGUMENT, "another model");
  expect_failure(ivl_generation_add(generation, nullptr, places.data(), 1, -1, nullptr, 0, nullptr, 0, &sampling, recording,
                                    &request),
                 IVL_INVALID_ARGUMENT, "another model");
  ivl_features_free(features);
  expect_failure(encode(model), IVL_INVALID_ARGUMENT, "another model");
  ivl_generation_free(generation);
  ivl_recording_free(recording);
  ivl_sequence_free(sequence);
  ivl_model_free(other);
  ivl_model_free(model);
}

TEST(ApiThreads, CancellationReachesPicturesAndPrompts) {
  ivl_model* model = load_model();
  ivl_cancellation* cancellation = nullptr;
  ASSERT_EQ(ivl_cancellation_create(&cancellation), IVL_OK);
  ivl_generation* generation = nullptr;
  ASSERT_EQ(ivl_generation_create(model, cancellation, &generation), IVL_OK);
  ASSERT_EQ(add(generation, nullptr, std::vector<int32_t>(3000, 9), 1000), IVL_OK);
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ivl_cancel(cancellation);
  });
  ivl_token token;
  int64_t count = 1;
  ivl_status status = IVL_OK;
  while (status == IVL_OK && count > 0) status = ivl_generation_step(generation, &token, 1, &count);
  canceller.join();
  EXPECT_EQ(status, IVL_CANCELLED);
  std::vector<float> pixels(3 * 112 * 112);
  ivl_features* features = nullptr;
  EXPECT_EQ(ivl_encode(model, pixels.data(), 3 * 112 * 112, 1, cancellation, nullptr, &features), IVL_CANCELLED);
  ivl_generation_free(generation);
  ivl_cancellation_free(cancellation);
  ivl_model_free(model);
}

TEST(Api, BenchmarksRunAndRefuse) {
  for (const char* good : {R"({"op": "matmul", "m": 3, "n": 5, "k": 70, "dtype": "f16"})",
                           R"({"op": "matmul", "m": 1, "n": 6, "k": 40, "dtype": "int8", "copies": 3, "device": "cpu"})",
                           R"({"op": "matmul", "m": 3, "n": 5, "k": 70, "dtype": "bf16", "bf16_activations": true})",
                           R"({"op": "patch_embed", "pictures": 2, "channels": 3, "image_size": 28, "patch": 14, "n": 5})",
                           R"({"op": "vision_attention", "tokens": 9, "heads": 2, "head_dim": 16})",
                           R"({"op": "vision_attention", "tokens": 9, "heads": 1, "head_dim": 8, "dtype": "bf16", "bf16_activations": true})",
                           R"({"op": "cached_attention", "rows": 2, "past": 3, "heads": 4, "kv_heads": 2, "head_dim": 8})"}) {
    ivl_benchmark* benchmark = nullptr;
    ASSERT_EQ(ivl_benchmark_create(good, 1, &benchmark), IVL_OK) << ivl_last_error();
    EXPECT_EQ(ivl_benchmark_run(benchmark), IVL_OK) << ivl_last_error();
    double operations = 0;
    double bytes = 0;
    ASSERT_EQ(ivl_benchmark_work(benchmark, &operations, &bytes), IVL_OK);
    EXPECT_GT(operations, 0);
    EXPECT_GT(bytes, 0);
    double seconds = 0;
    EXPECT_EQ(ivl_benchmark_time(benchmark, 3, &seconds), IVL_OK) << ivl_last_error();
    EXPECT_GT(seconds, 0);
    expect_failure(ivl_benchmark_time(benchmark, 0, &seconds), IVL_INVALID_ARGUMENT, "at least 1");
    ivl_benchmark_free(benchmark);
  }
  for (const char* bad : {"", "[", "[]", "{}", R"({"op": 3})", R"({"op": "matmul", "m": 0, "n": 1, "k": 1})",
                          R"({"op": "matmul", "m": 1, "n": 1, "k": "x"})", R"({"op": "matmul", "m": 1, "n": 2000000000, "k": 2000000000})",
                          R"({"op": "matmul", "m": 1, "n": 1, "k": 1, "dtype": "f8"})",
                          R"({"op": "matmul", "m": 1, "n": 1, "k": 1, "copies": 65})",
                          R"({"op": "matmul", "m": 1, "n": 1, "k": 1, "dtype": "bf16", "bf16_activations": 1})",
                          R"({"op": "matmul", "m": 1, "n": 1, "k": 1, "dtype": "f16", "bf16_activations": true})",
                          R"({"op": "matmul", "m": 1, "n": 1, "k": 1, "dtype": "int8", "bf16_activations": true})",
                          R"({"op": "patch_embed", "pictures": 1, "channels": 3, "image_size": 28, "patch": 9, "n": 5})",
                          R"({"op": "cached_attention", "rows": 1, "past": 0, "heads": 3, "kv_heads": 2, "head_dim": 8})"}) {
    ivl_benchmark* benchmark = nullptr;
    expect_failure(ivl_benchmark_create(bad, 1, &benchmark), IVL_INVALID_ARGUMENT, "benchmark spec");
  }
}

TEST(Api, ABenchmarksDeviceIsOneThatIsThere) {
  ivl_benchmark* benchmark = nullptr;
  const auto create = [&](const char* device) {
    const std::string product = R"({"op": "matmul", "m": 1, "n": 8, "k": 8, "dtype": "bf16", "device": ")";
    const std::string spec = product + device + "\"}";
    return ivl_benchmark_create(spec.c_str(), 1, &benchmark);
  };
  expect_failure(create("auto"), IVL_INVALID_ARGUMENT, "must be one");
  expect_failure(create("cuda:0,1"), IVL_INVALID_ARGUMENT, "must be one");
  expect_failure(create("gpu"), IVL_INVALID_ARGUMENT, "'gpu'");
  expect_failure(create("cuda"), IVL_INVALID_ARGUMENT, "no GPU can be used: this is the library for CPUs alone");
}

// With what it read and wrote, another's result can be compared.
TEST(Api, ABenchmarkShowsItsOperands) {
  ivl_benchmark* benchmark = nullptr;
  ASSERT_EQ(ivl_benchmark_create(R"({"op": "matmul", "m": 2, "n": 3, "k": 16, "dtype": "bf16"})", 1, &benchmark), IVL_OK);
  ASSERT_EQ(ivl_benchmark_run(benchmark), IVL_OK);
  std::vector<float> values[3];
  const int64_t shapes[3][2] = {{2, 16}, {3, 16}, {2, 3}};
  int64_t rows = 0;
  int64_t cols = 0;
  for (int32_t i = 0; i < 3; ++i) {
    ASSERT_EQ(ivl_benchmark_operand(benchmark, i, &rows, &cols, nullptr, 0), IVL_OK);
    EXPECT_EQ(rows, shapes[i][0]);
    EXPECT_EQ(cols, shapes[i][1]);
    values[i].resize(static_cast<size_t>(rows * cols));
    const int64_t count = rows * cols;
    expect_failure(ivl_benchmark_operand(benchmark, i, &rows, &cols, values[i].data(), count - 1), IVL_INVALID_ARGUMENT, "room");
    ASSERT_EQ(ivl_benchmark_operand(benchmark, i, &rows, &cols, values[i].data(), count), IVL_OK);
  }
  for (size_t m = 0; m < 2; ++m) {
    for (size_t n = 0; n < 3; ++n) {
      double sum = 0;
      for (size_t k = 0; k < 16; ++k) sum += double{values[0][m * 16 + k]} * double{values[1][n * 16 + k]};
      EXPECT_NEAR(values[2][m * 3 + n], sum, 1e-5);
    }
  }
  expect_failure(ivl_benchmark_operand(benchmark, 3, &rows, &cols, nullptr, 0), IVL_INVALID_ARGUMENT, "expected 0 to 2");
  ivl_benchmark_free(benchmark);
}

}  // namespace
