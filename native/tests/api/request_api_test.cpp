// Requests through the C API: from submit to the last event.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>
#include <vector>

#include "api/loaded_model.h"

namespace {

using namespace ivl::testing;

class RequestApi : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = load_model();
    ASSERT_EQ(ivl_events_create(&events_), IVL_OK);
  }
  void TearDown() override {
    ivl_events_free(events_);
    ivl_model_free(model_);
  }

  ivl_status submit(const std::vector<int32_t>& tokens, int32_t most = 3, const std::vector<const ivl_features*>& features = {},
                    ivl_recording* recording = nullptr) {
    ivl_request request;
    ivl_request_init(&request);
    request.tokens = tokens.data();
    request.token_count = static_cast<int64_t>(tokens.size());
    request.image_token = 1026;
    request.recording = recording;
    request.logits = 1;
    request.most_guessed = most_guessed_;
    request.sampling.max_new_tokens = most;
    request.sampling.top_logprobs = 2;
    return ivl_submit(model_, &request, features.data(), static_cast<int64_t>(features.size()), &id_);
  }

  // Its events up to the last; their tokens.
  std::vector<int32_t> finish(ivl_finish expected) {
    std::vector<int32_t> tokens;
    for (ivl_event event{}; event.finish == IVL_FINISH_NONE;) {
      EXPECT_EQ(ivl_poll(model_, 20000, events_), IVL_OK) << ivl_last_error();
      EXPECT_GT(ivl_events_count(events_), 0);
      for (int64_t i = 0; i < ivl_events_count(events_); ++i) {
        EXPECT_EQ(ivl_events_get(events_, i, &event), IVL_OK);
        EXPECT_EQ(event.request, id_);
        EXPECT_EQ(event.top_count, event.token >= 0 ? 2 : 0);
        if (event.token >= 0) tokens.push_back(event.token);
        EXPECT_TRUE(event.finish == IVL_FINISH_NONE || event.finish == expected) << event.finish;
      }
      if (ivl_events_count(events_) == 0) break;
    }
    return tokens;
  }

  ivl_model* model_ = nullptr;
  ivl_events* events_ = nullptr;
  int64_t id_ = 0;
  int32_t most_guessed_ = 0;
};

TEST_F(RequestApi, ARequestEndsWithItsLastEvent) {
  ASSERT_EQ(submit({9, 8, 7}, 1), IVL_OK) << ivl_last_error();
  EXPECT_EQ(id_, 1);
  EXPECT_EQ(finish(IVL_FINISH_LENGTH).size(), 1u);
  int32_t tokens[2];
  float logprobs[2];
  int64_t count = 0;
  ASSERT_EQ(ivl_events_top(events_, 0, tokens, logprobs, 2, &count), IVL_OK);
  EXPECT_EQ(count, 2);
  EXPECT_GE(logprobs[0], logprobs[1]);
  EXPECT_EQ(ivl_events_failure(events_, 0), IVL_OK);
  std::vector<float> logits(1033);
  ASSERT_EQ(ivl_events_logits(events_, 0, logits.data(), 1033), IVL_OK);
  EXPECT_EQ(std::max_element(logits.begin(), logits.end()) - logits.begin(), tokens[0]);
  expect_failure(ivl_events_logits(events_, 0, logits.data(), 3), IVL_INVALID_ARGUMENT, "room for 3 numbers, but there are 1033");
  expect_failure(ivl_events_logits(events_, 0, nullptr, 1033), IVL_INVALID_ARGUMENT, "null");
  expect_failure(ivl_events_failure(events_, 1), IVL_INVALID_ARGUMENT, "no event 1 of 1");
  ASSERT_EQ(ivl_poll(model_, 0, events_), IVL_OK);
  EXPECT_EQ(ivl_events_count(events_), 0) << "nothing comes behind the last one";
  ivl_counts counts;
  ASSERT_EQ(ivl_model_counts(model_, &counts), IVL_OK);
  EXPECT_EQ(counts.prompt_tokens, 3);
  EXPECT_EQ(counts.new_tokens, 1);
  EXPECT_EQ(counts.running + counts.waiting + counts.blocks_used, 0);
}

TEST_F(RequestApi, HandlesMayBeFreedInAnyOrder) {
  std::vector<float> pixels(3 * 112 * 112, 0.5f);
  ivl_recording* recording = nullptr;
  ivl_features* features = nullptr;
  ASSERT_EQ(ivl_recording_create(&recording), IVL_OK);
  ASSERT_EQ(ivl_encode(model_, pixels.data(), 3 * 112 * 112, 1, nullptr, nullptr, recording, &features), IVL_OK)
      << ivl_last_error();
  EXPECT_EQ(ivl_features_rows(features), 16);
  ASSERT_EQ(submit(std::vector<int32_t>(3000, 9), 1000), IVL_OK) << ivl_last_error();

  ivl_model_free(model_);  // first of all
  model_ = nullptr;
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
  ivl_features_free(features);
  ivl_recording_free(recording);
}

TEST_F(RequestApi, ADraftGuessesUntilOneOfTheTwoIsClosed) {
  const std::vector<int32_t> prompt{20, 31, 42, 53, 64};
  ivl_model* draft = load_model();
  ivl_model* other = load_model();
  ASSERT_EQ(submit(prompt, 20), IVL_OK);
  const std::vector<int32_t> alone = finish(IVL_FINISH_LENGTH);
  expect_failure(ivl_model_set_draft(model_, draft), IVL_INVALID_ARGUMENT, "before the first");
  expect_failure(ivl_model_set_draft(nullptr, draft), IVL_INVALID_ARGUMENT, "model is null");
  expect_failure(ivl_model_set_draft(other, nullptr), IVL_INVALID_ARGUMENT, "draft is null");
  expect_failure(ivl_model_set_draft(other, other), IVL_INVALID_ARGUMENT, "its own draft");
  ASSERT_EQ(ivl_model_set_draft(other, draft), IVL_OK) << ivl_last_error();
  expect_failure(ivl_model_set_draft(draft, model_), IVL_INVALID_ARGUMENT, "the model has a draft or is one already");
  expect_failure(ivl_model_set_draft(model_, draft), IVL_INVALID_ARGUMENT, "the draft has a draft or is one already");
  std::swap(model_, other);
  most_guessed_ = 4;
  ASSERT_EQ(submit(prompt, 20), IVL_OK);
  EXPECT_EQ(finish(IVL_FINISH_LENGTH), alone);
  ASSERT_EQ(ivl_model_close(draft), IVL_OK);
  ASSERT_EQ(submit(prompt, 20), IVL_OK);
  EXPECT_EQ(finish(IVL_FINISH_LENGTH), alone);
  ivl_counts counts;
  ASSERT_EQ(ivl_model_counts(model_, &counts), IVL_OK);
  EXPECT_EQ(counts.draft_blocks_used, 0);
  ivl_model_free(draft);
  ivl_model_free(other);
}

TEST_F(RequestApi, AClosedModelClosesItsDraft) {
  ivl_model* draft = load_model();
  ASSERT_EQ(ivl_model_set_draft(model_, draft), IVL_OK) << ivl_last_error();
  ASSERT_EQ(ivl_model_close(model_), IVL_OK);
  std::swap(model_, draft);
  expect_failure(submit({1, 2, 3}), IVL_CLOSED, "closed");
  std::swap(model_, draft);
  ivl_model_free(draft);
}

TEST_F(RequestApi, AClosedModelSaysSo) {
  ASSERT_EQ(submit(std::vector<int32_t>(3000, 9), 1000), IVL_OK) << ivl_last_error();
  ASSERT_EQ(ivl_model_close(model_), IVL_OK);
  EXPECT_TRUE(finish(IVL_FINISH_FAILED).empty());
  expect_failure(ivl_events_failure(events_, 0), IVL_CLOSED, "closed");
  expect_failure(ivl_poll(model_, 0, events_), IVL_CLOSED, "closed");
  expect_failure(submit({5}), IVL_CLOSED, "closed");
  EXPECT_EQ(ivl_cancel_request(model_, 1), IVL_OK);
}

TEST_F(RequestApi, BadRequestsAreRefusedAndTheNextOneRuns) {
  expect_failure(submit({}), IVL_INVALID_ARGUMENT, "no tokens");
  expect_failure(submit({1, 2000000}), IVL_INVALID_ARGUMENT, "2000000");
  expect_failure(submit({1026}), IVL_INVALID_ARGUMENT, "images");
  expect_failure(submit(std::vector<int32_t>(5000, 9)), IVL_CONTEXT_LENGTH, "5000");
  expect_failure(submit({1}, 0), IVL_INVALID_ARGUMENT, "max_new_tokens");
  expect_failure(submit({1}, 1, {nullptr}), IVL_INVALID_ARGUMENT, "one of the features");
  std::vector<float> nan(3 * 112 * 112, std::nanf(""));
  ivl_features* features = nullptr;
  const auto size = static_cast<int64_t>(nan.size());
  expect_failure(ivl_encode(model_, nan.data(), size, 1, nullptr, nullptr, nullptr, &features), IVL_INVALID_ARGUMENT, "not finite");
  expect_failure(ivl_encode(model_, nan.data(), size, 0, nullptr, nullptr, nullptr, &features), IVL_INVALID_ARGUMENT, "count");
  expect_failure(ivl_features_create(model_, nan.data(), size, 1, "a", 1, nullptr, &features), IVL_INVALID_ARGUMENT, "not finite");
  expect_failure(ivl_features_create(model_, nan.data(), size, 1, "a", -1, nullptr, &features), IVL_INVALID_ARGUMENT, "not finite");
  ASSERT_EQ(submit({9, 8, 7}), IVL_OK);
  EXPECT_EQ(finish(IVL_FINISH_LENGTH).size(), 3u);
}

// Whatever the count says, nothing is read or written beyond what is there: the sanitizers watch.
TEST_F(RequestApi, ArraysThatAreTooShortAreRefusedWithBothNumbers) {
  ivl_recording* recording = nullptr;
  ASSERT_EQ(ivl_recording_create(&recording), IVL_OK);
  ivl_features* features = nullptr;
  std::vector<float> pixels(3 * 112 * 112);
  const auto encode = [&](int64_t size, int64_t count) {
    return ivl_encode(model_, pixels.data(), size, count, nullptr, nullptr, recording, &features);
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
  ivl_features_free(features);
  ivl_recording_free(recording);
}

TEST_F(RequestApi, AnImageIsEncodedWhenARequestNeedsIt) {
  std::vector<float> pixels(3 * 112 * 112, 0.25f);
  const auto size = static_cast<int64_t>(pixels.size());
  ivl_features* later = nullptr;
  ASSERT_EQ(ivl_features_create(model_, pixels.data(), size, 1, "same", 4, nullptr, &later), IVL_OK) << ivl_last_error();
  EXPECT_EQ(ivl_features_rows(later), 16);
  std::vector<float> got(16 * 256), expected(16 * 256);
  expect_failure(ivl_features_copy(later, got.data(), 16 * 256), IVL_INVALID_ARGUMENT, "not encoded yet");
  ASSERT_EQ(submit(std::vector<int32_t>(16, 1026), 1, {later}), IVL_OK) << ivl_last_error();
  finish(IVL_FINISH_LENGTH);
  ivl_features* now = nullptr;
  ASSERT_EQ(ivl_encode(model_, pixels.data(), size, 1, nullptr, nullptr, nullptr, &now), IVL_OK);
  ASSERT_EQ(ivl_features_copy(later, got.data(), 16 * 256), IVL_OK) << ivl_last_error();
  ASSERT_EQ(ivl_features_copy(now, expected.data(), 16 * 256), IVL_OK);
  EXPECT_EQ(got, expected);
  ivl_features_free(later);
  ivl_features_free(now);
}

TEST_F(RequestApi, WhatIsAnotherModelsIsRefused) {
  ivl_model* other = load_model();
  ivl_recording* recording = nullptr;
  ASSERT_EQ(ivl_recording_create(&recording), IVL_OK);
  ivl_features* features = nullptr;
  std::vector<float> pixels(3 * 112 * 112);
  const auto encode = [&](ivl_model* by) {
    return ivl_encode(by, pixels.data(), 3 * 112 * 112, 1, nullptr, nullptr, recording, &features);
  };
  ASSERT_EQ(encode(other), IVL_OK) << ivl_last_error();
  expect_failure(submit(std::vector<int32_t>(16, 1026), 1, {features}), IVL_INVALID_ARGUMENT, "another model");
  expect_failure(submit({5, 6}, 1, {}, recording), IVL_INVALID_ARGUMENT, "another model");
  ivl_features_free(features);
  expect_failure(encode(model_), IVL_INVALID_ARGUMENT, "another model");
  ivl_recording_free(recording);
  ivl_model_free(other);
}

TEST_F(RequestApi, CancellingReachesImagesAndRequests) {
  ASSERT_EQ(submit(std::vector<int32_t>(3000, 9), 1000), IVL_OK);
  std::jthread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(ivl_cancel_request(model_, id_), IVL_OK);
  });
  finish(IVL_FINISH_CANCELLED);
  canceller.join();
  ivl_cancellation* cancellation = nullptr;
  ASSERT_EQ(ivl_cancellation_create(&cancellation), IVL_OK);
  ivl_cancel(cancellation);
  std::vector<float> pixels(3 * 112 * 112);
  ivl_features* features = nullptr;
  EXPECT_EQ(ivl_encode(model_, pixels.data(), 3 * 112 * 112, 1, nullptr, cancellation, nullptr, &features), IVL_CANCELLED);
  ivl_cancellation_free(cancellation);
}

}  // namespace
