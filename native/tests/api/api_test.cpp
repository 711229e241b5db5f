// The C API as its callers see it: statuses, messages, and handles in any order.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "api/loaded_model.h"

namespace {

using namespace ivl::testing;

using nlohmann::json;

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

std::string text_of(const std::function<ivl_status(ivl_text**)>& call) {
  ivl_text* text = nullptr;
  EXPECT_EQ(call(&text), IVL_OK) << ivl_last_error();
  const std::string copy = ivl_text_data(text);
  ivl_text_free(text);
  return copy;
}

TEST(Api, NullsAreInvalidArgumentsAndMayBeFreed) {
  ivl_load_options o = options();
  int64_t number = 0;
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
  expect_failure(ivl_encode(nullptr, nullptr, 1, 1, nullptr, nullptr, nullptr, nullptr), IVL_INVALID_ARGUMENT, "model");
  expect_failure(ivl_features_create(nullptr, nullptr, 1, 1, nullptr, 0, nullptr, nullptr), IVL_INVALID_ARGUMENT, "model");
  expect_failure(ivl_submit(nullptr, nullptr, nullptr, 0, nullptr), IVL_INVALID_ARGUMENT, "id");
  expect_failure(ivl_submit(nullptr, nullptr, nullptr, 0, &number), IVL_INVALID_ARGUMENT, "request");
  expect_failure(ivl_cancel_request(nullptr, 1), IVL_INVALID_ARGUMENT, "model");
  expect_failure(ivl_events_create(nullptr), IVL_INVALID_ARGUMENT, "out");
  expect_failure(ivl_poll(nullptr, 0, nullptr), IVL_INVALID_ARGUMENT, "events");
  expect_failure(ivl_events_get(nullptr, 0, nullptr), IVL_INVALID_ARGUMENT, "events");
  expect_failure(ivl_events_failure(nullptr, 0), IVL_INVALID_ARGUMENT, "events");
  expect_failure(ivl_model_counts(nullptr, nullptr), IVL_INVALID_ARGUMENT, "model");
  expect_failure(ivl_recording_shape(nullptr, 0, nullptr, 3), IVL_INVALID_ARGUMENT, "recording");
  expect_failure(ivl_recording_copy(nullptr, 0, nullptr, 3), IVL_INVALID_ARGUMENT, "recording");
  expect_failure(ivl_benchmark_create(nullptr, 1, nullptr), IVL_INVALID_ARGUMENT, "null");
  expect_failure(ivl_measure_machine(-1, "none", nullptr), IVL_INVALID_ARGUMENT, "threads");
  expect_failure(ivl_drop_page_cache(nullptr, nullptr), IVL_INVALID_ARGUMENT, "null");
  EXPECT_EQ(ivl_features_rows(nullptr), 0);
  EXPECT_EQ(ivl_events_count(nullptr), 0);
  EXPECT_EQ(ivl_recording_count(nullptr), 0);
  EXPECT_STREQ(ivl_text_data(nullptr), "");
  ivl_text_free(nullptr);
  ivl_load_free(nullptr);
  ivl_model_free(nullptr);
  ivl_recording_free(nullptr);
  ivl_features_free(nullptr);
  ivl_events_free(nullptr);
  ivl_request_init(nullptr);
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
  EXPECT_EQ(plan.total, plan.weights_mapped + plan.weights_owned + plan.kv_cache + plan.scratch + plan.image_batch);
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
  o.activations = IVL_ACTIVATIONS_BF16;
  ivl_load* load = nullptr;
  ivl_memory_plan plan{};
  for (const auto& [precision, name] : {std::pair{IVL_PRECISION_F16, "f16"}, std::pair{IVL_PRECISION_F32, "f32"}}) {
    o.precision = precision;
    expect_failure(ivl_load_begin(checkpoint().c_str(), &o, &load), IVL_INVALID_ARGUMENT, name);
    expect_failure(ivl_plan(checkpoint().c_str(), &o, &plan), IVL_INVALID_ARGUMENT, "bf16 activations");
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

}  // namespace
