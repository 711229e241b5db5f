// Training through the C API: a step from outside, and what is refused.
#include "internvl4j/training.h"

#include <functional>
#include <string>
#include <vector>

#include "api/loaded_model.h"

namespace {

using namespace ivl::testing;

ivl_training_options training_options() {
  ivl_training_options o;
  ivl_training_options_init(&o);
  o.threads = 2;
  o.most_tokens = 64;
  o.activations = IVL_ACTIVATIONS_F32;
  return o;
}

class TrainingApi : public ::testing::Test {
 protected:
  void SetUp() override {
    const ivl_training_options o = training_options();
    ASSERT_EQ(ivl_training_open(checkpoint().c_str(), &o, &training_), IVL_OK) << ivl_last_error();
  }
  void TearDown() override { ivl_training_free(training_); }

  static void expect_refused(ivl_status status, ivl_status expected, const std::string& part) {
    EXPECT_EQ(status, expected) << ivl_last_error();
    EXPECT_NE(std::string(ivl_last_error()).find(part), std::string::npos) << ivl_last_error();
  }

  ivl_status add(std::vector<int32_t> tokens, std::vector<int32_t> labels) {
    return ivl_training_add(training_, tokens.data(), labels.data(), static_cast<int64_t>(tokens.size()), -1, nullptr, nullptr, 0);
  }

  ivl_training* training_ = nullptr;
  double loss_ = 0, norm_ = 0, factor_ = 0;
  int64_t learnt_ = 0;
};

TEST_F(TrainingApi, AStep) {
  for (int step = 0; step < 2; ++step) {
    ASSERT_EQ(add({20, 31, 42, 53}, {-100, -100, 42, 53}), IVL_OK) << ivl_last_error();
    ASSERT_EQ(ivl_training_learn(training_, 1, &loss_, &learnt_), IVL_OK) << ivl_last_error();
    EXPECT_EQ(learnt_, 2);
    ASSERT_EQ(ivl_training_update(training_, 1e-3, &norm_, &factor_), IVL_OK) << ivl_last_error();
    EXPECT_GT(norm_, 0);
    EXPECT_LE(factor_, 1);
  }
  const double before = loss_;
  ASSERT_EQ(add({20, 31, 42, 53}, {-100, -100, 42, 53}), IVL_OK);
  ASSERT_EQ(ivl_training_loss(training_, &loss_, &learnt_), IVL_OK) << ivl_last_error();
  EXPECT_LT(loss_, before);
}

TEST_F(TrainingApi, WhatLearnsIsReadAndWritten) {
  ivl_text* text = nullptr;
  ASSERT_EQ(ivl_training_parameter(training_, 0, &text), IVL_OK) << ivl_last_error();
  EXPECT_NE(std::string(ivl_text_data(text)).find("lora_A"), std::string::npos) << ivl_text_data(text);
  ivl_text_free(text);
  std::vector<float> values(16 * 256);  // of q_proj's A: rank x hidden
  ASSERT_EQ(ivl_training_read(training_, 0, IVL_TRAINING_VALUE, values.data(), 16 * 256), IVL_OK) << ivl_last_error();
  EXPECT_NE(values[0], 0);
  values[0] = 0.5f;
  ASSERT_EQ(ivl_training_write(training_, 0, values.data(), 16 * 256), IVL_OK) << ivl_last_error();
  std::vector<float> again(16 * 256);
  ASSERT_EQ(ivl_training_read(training_, 0, IVL_TRAINING_VALUE, again.data(), 16 * 256), IVL_OK);
  EXPECT_EQ(again, values);
  expect_refused(ivl_training_read(training_, 0, IVL_TRAINING_VALUE, again.data(), 5), IVL_INVALID_ARGUMENT, "expected 4096");
  expect_refused(ivl_training_read(training_, 0, 7, again.data(), 16 * 256), IVL_INVALID_ARGUMENT, "which is 7");
  expect_refused(ivl_training_parameter(training_, 100000, &text), IVL_INVALID_ARGUMENT, "there is no parameter 100000");
}

TEST_F(TrainingApi, SamplesThatDoNotFitAreRefused) {
  expect_refused(add({20, 31}, {-100, 32}), IVL_INVALID_ARGUMENT, "label 1 is 32");
  expect_refused(add({20, 5000}, {-100, -100}), IVL_INVALID_ARGUMENT, "token 1 is 5000");
  expect_refused(add({}, {}), IVL_INVALID_ARGUMENT, "");
  expect_refused(add(std::vector<int32_t>(65, 20), std::vector<int32_t>(65, 20)), IVL_CONTEXT_LENGTH, "at most 64");
  const int32_t token = 20;
  expect_refused(ivl_training_add(training_, &token, &token, 1, 20, nullptr, nullptr, 1), IVL_INVALID_ARGUMENT,
                 "pixels or as features");
  const float pixel = 0;
  expect_refused(ivl_training_add(training_, &token, &token, 1, 20, &pixel, nullptr, 1), IVL_INVALID_ARGUMENT, "image tokens");
  expect_refused(ivl_training_learn(training_, 1, &loss_, &learnt_), IVL_INVALID_ARGUMENT, "no samples");
  expect_refused(ivl_training_update(training_, 2, &norm_, &factor_), IVL_INVALID_ARGUMENT, "rate is 2");
}

TEST_F(TrainingApi, OptionsOutOfTheirRangeAreNamed) {
  const std::pair<std::function<void(ivl_training_options&)>, const char*> wrong[] = {
      {[](auto& o) { o.decoder = 3; }, "decoder is 3"},
      {[](auto& o) { o.decoder = IVL_LEARNING_NOTHING; }, "expected that one of them learns"},
      {[](auto& o) { o.projector = IVL_LEARNING_LORA; }, "projector is LORA"},
      {[](auto& o) { o.decoder_rank = 0; }, "decoder_rank is 0"},
      {[](auto& o) { o.decoder_alpha = -1; }, "decoder_alpha is -1"},
      {[](auto& o) { o.most_tokens = 1 << 30; }, "most_tokens"},
      {[](auto& o) { o.most_samples = 0; }, "most_samples is 0"},
      {[](auto& o) { o.beta2 = 2; }, "beta2 is 2"},
      {[](auto& o) { o.keep = 2; }, "keep is 2"},
      {[](auto& o) { o.memory_limit = -2; }, "memory_limit is -2"},
      {[](auto& o) { o.activations = 9; }, "activations is 9"},
  };
  for (const auto& [change, part] : wrong) {
    ivl_training_options o = training_options();
    change(o);
    ivl_training* training = nullptr;
    expect_refused(ivl_training_open(checkpoint().c_str(), &o, &training), IVL_INVALID_ARGUMENT, part);
    EXPECT_EQ(training, nullptr);
  }
  ivl_training_options small = training_options();
  small.memory_limit = 1000;
  ivl_training* training = nullptr;
  expect_refused(ivl_training_open(checkpoint().c_str(), &small, &training), IVL_OUT_OF_MEMORY, "what learns");
}

TEST_F(TrainingApi, NullIsNamed) {
  const ivl_training_options o = training_options();
  ivl_training_plan plan;
  ivl_text* text = nullptr;
  const int32_t token = 20;
  expect_refused(ivl_training_plan_for(nullptr, &o, &plan), IVL_INVALID_ARGUMENT, "directory is null");
  expect_refused(ivl_training_plan_for(checkpoint().c_str(), nullptr, &plan), IVL_INVALID_ARGUMENT, "options is null");
  expect_refused(ivl_training_open(checkpoint().c_str(), &o, nullptr), IVL_INVALID_ARGUMENT, "out is null");
  expect_refused(ivl_training_add(nullptr, &token, &token, 1, -1, nullptr, nullptr, 0), IVL_INVALID_ARGUMENT, "training is null");
  expect_refused(ivl_training_add(training_, nullptr, &token, 1, -1, nullptr, nullptr, 0), IVL_INVALID_ARGUMENT, "tokens is null");
  expect_refused(ivl_training_learn(training_, 1, nullptr, &learnt_), IVL_INVALID_ARGUMENT, "loss is null");
  expect_refused(ivl_training_save(training_, nullptr, ""), IVL_INVALID_ARGUMENT, "file is null");
  expect_refused(ivl_training_saved_text("/nowhere", nullptr), IVL_IO, "/nowhere");
  expect_refused(ivl_training_resume(training_, nullptr), IVL_INVALID_ARGUMENT, "file is null");
  expect_refused(ivl_training_write_adapter(nullptr, "x"), IVL_INVALID_ARGUMENT, "training is null");
  expect_refused(ivl_training_parameter(nullptr, 0, &text), IVL_INVALID_ARGUMENT, "training is null");
  expect_refused(ivl_training_cancel(nullptr), IVL_INVALID_ARGUMENT, "training is null");
  ivl_training_free(nullptr);
}

}  // namespace
