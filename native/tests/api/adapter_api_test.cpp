// Adapters and merging through the C API.
#include <gtest/gtest.h>

#include <vector>

#include "api/loaded_model.h"
#include "model/adapter_folder.h"

namespace {

using namespace ivl::testing;

// Of the loaded checkpoint, which is hermes-d128.
class AdapterApi : public ::testing::Test {
 protected:
  AdapterApi() {
    folder_.pair("model.layers.0.mlp.down_proj", 256, 640, 4);
    folder_.write();
  }
  void SetUp() override { model_ = load_model(); }
  void TearDown() override { ivl_model_free(model_); }

  // The logits of a text's first answered token.
  std::vector<float> answer(const ivl_adapters* adapters) {
    const std::vector<int32_t> tokens{20, 31, 42, 53, 64};
    ivl_request request;
    ivl_request_init(&request);
    request.tokens = tokens.data();
    request.token_count = 5;
    request.adapters = adapters;
    request.logits = 1;
    request.sampling.max_new_tokens = 1;
    int64_t id = 0;
    EXPECT_EQ(ivl_submit(model_, &request, nullptr, 0, &id), IVL_OK) << ivl_last_error();
    ivl_events* events = nullptr;
    EXPECT_EQ(ivl_events_create(&events), IVL_OK);
    EXPECT_EQ(ivl_poll(model_, 20000, events), IVL_OK) << ivl_last_error();
    std::vector<float> logits(1033);
    EXPECT_EQ(ivl_events_logits(events, 0, logits.data(), 1033), IVL_OK) << ivl_last_error();
    ivl_events_free(events);
    return logits;
  }

  AdapterFolder folder_{5};
  ivl_model* model_ = nullptr;
};

TEST_F(AdapterApi, AnAdapterIsChosenByRequestsAndMayBeFreed) {
  ivl_adapter* adapter = nullptr;
  ASSERT_EQ(ivl_adapter_load(model_, folder_.path().c_str(), &adapter), IVL_OK) << ivl_last_error();
  ivl_adapter_info info;
  ASSERT_EQ(ivl_adapter_describe(adapter, &info), IVL_OK);
  EXPECT_EQ(info.bytes, 4 * (4 * 640 + 256 * 4));
  EXPECT_EQ(info.sees_images, 0);
  const std::vector<float> without = answer(nullptr);
  const ivl_adapter_use uses[] = {{adapter, 1.0f}, {adapter, -1.0f}};
  const ivl_adapters one{uses, 1}, none{uses, 2};
  const std::vector<float> with = answer(&one);
  EXPECT_NE(with, without);
  EXPECT_EQ(answer(&none), without) << "their weights add up to 0";
  ivl_model_free(model_);  // in any order
  model_ = nullptr;
  ivl_adapter_free(adapter);
  ivl_adapter_free(nullptr);
}

TEST_F(AdapterApi, WhatIsMissingIsNamed) {
  ivl_adapter* adapter = nullptr;
  expect_failure(ivl_adapter_load(nullptr, "x", &adapter), IVL_INVALID_ARGUMENT, "model");
  expect_failure(ivl_adapter_load(model_, nullptr, &adapter), IVL_INVALID_ARGUMENT, "directory");
  expect_failure(ivl_adapter_load(model_, folder_.path().c_str(), nullptr), IVL_INVALID_ARGUMENT, "out");
  expect_failure(ivl_adapter_load(model_, "/nowhere", &adapter), IVL_IO, "/nowhere");
  expect_failure(ivl_adapter_describe(nullptr, nullptr), IVL_INVALID_ARGUMENT, "adapter");
  const ivl_adapter_use nobody{nullptr, 1.0f};
  const ivl_adapters fewer{nullptr, -1}, nulls{nullptr, 1}, null{&nobody, 1};
  std::vector<float> pixels(3 * 112 * 112, 0.5f);
  ivl_features* features = nullptr;
  const auto create = [&](const ivl_adapters* adapters) {
    return ivl_features_create(model_, pixels.data(), 3 * 112 * 112, 1, nullptr, 0, adapters, &features);
  };
  expect_failure(create(&fewer), IVL_INVALID_ARGUMENT, "count of adapters");
  expect_failure(create(&nulls), IVL_INVALID_ARGUMENT, "uses is null");
  expect_failure(create(&null), IVL_INVALID_ARGUMENT, "one of the adapters is null");
  ivl_model_close(model_);
  expect_failure(ivl_adapter_load(model_, folder_.path().c_str(), &adapter), IVL_CLOSED, "closed");
}

TEST_F(AdapterApi, AMergeGoesTensorByTensor) {
  const ivl::checkpoint_test::TempDir dir;
  ivl_merge* merge = nullptr;
  const std::string from = checkpoint(), pairs = folder_.path();
  expect_failure(ivl_merge_begin(nullptr, pairs.c_str(), "x", 0, 1, &merge), IVL_INVALID_ARGUMENT, "directory");
  expect_failure(ivl_merge_begin(from.c_str(), pairs.c_str(), nullptr, 0, 1, &merge), IVL_INVALID_ARGUMENT, "output");
  expect_failure(ivl_merge_begin(from.c_str(), pairs.c_str(), "x", 7, 1, &merge), IVL_INVALID_ARGUMENT, "rounding is 7");
  expect_failure(ivl_merge_begin(from.c_str(), nullptr, dir.path().c_str(), 0, 1, &merge), IVL_INVALID_ARGUMENT, "no pairs");
  expect_failure(ivl_merge_step(nullptr, nullptr), IVL_INVALID_ARGUMENT, "merge");
  ASSERT_EQ(ivl_merge_begin(from.c_str(), pairs.c_str(), dir.path().c_str(), IVL_MERGE_ROUNDING_ONCE, 2, &merge), IVL_OK)
      << ivl_last_error();
  ivl_load_progress progress{};
  do {
    ASSERT_EQ(ivl_merge_step(merge, &progress), IVL_OK) << ivl_last_error();
  } while (progress.steps_done < progress.steps_total);
  EXPECT_EQ(progress.bytes_done, progress.bytes_total);
  ivl_merge_free(merge);
  ivl_merge_free(nullptr);
  EXPECT_TRUE(std::filesystem::exists(dir / "model.safetensors.index.json"));
}

}  // namespace
