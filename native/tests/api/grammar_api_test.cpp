// Grammars through the C API: from a vocabulary to an answer.
#include <gtest/gtest.h>

#include <vector>

#include "api/loaded_model.h"

namespace {

using namespace ivl::testing;

// Token i is the byte i; the rest of so many have none.
ivl_vocabulary* bytes_of(int64_t count) {
  std::string bytes;
  std::vector<int64_t> ends;
  for (int64_t token = 0; token < count; ++token) {
    if (token < 128) bytes += static_cast<char>(token);
    ends.push_back(static_cast<int64_t>(bytes.size()));
  }
  ivl_vocabulary* vocabulary = nullptr;
  EXPECT_EQ(ivl_vocabulary_create(bytes.data(), ends.data(), count, &vocabulary), IVL_OK) << ivl_last_error();
  return vocabulary;
}

TEST(GrammarApi, ARefusedSchemaSaysWhere) {
  ivl_vocabulary* vocabulary = bytes_of(128);
  ivl_grammar* grammar = nullptr;
  ivl_text* place = nullptr;
  expect_failure(ivl_grammar_create(vocabulary, R"({"items": {"not": {}}})", &place, &grammar), IVL_UNSUPPORTED, "/items/not");
  EXPECT_STREQ(ivl_text_data(place), "/items/not");
  ivl_text_free(place);
  expect_failure(ivl_grammar_create(vocabulary, "{", nullptr, &grammar), IVL_INVALID_ARGUMENT, "root");
  expect_failure(ivl_grammar_create(nullptr, "{}", &place, &grammar), IVL_INVALID_ARGUMENT, "vocabulary is null");
  EXPECT_EQ(place, nullptr);
  ivl_vocabulary_free(vocabulary);
}

TEST(GrammarApi, AVocabularysEndsAreInOrder) {
  const int64_t ends[] = {2, 1};
  ivl_vocabulary* vocabulary = nullptr;
  expect_failure(ivl_vocabulary_create("abc", ends, 2, &vocabulary), IVL_INVALID_ARGUMENT, "ends[1] is 1");
  expect_failure(ivl_vocabulary_create("abc", ends, 0, &vocabulary), IVL_INVALID_ARGUMENT, "count is 0");
}

TEST(GrammarApi, AnAnswerIsWhatItsGrammarSays) {
  ivl_model* model = load_model();
  ivl_model_info info{};
  ASSERT_EQ(ivl_model_describe(model, &info), IVL_OK);
  ivl_vocabulary* vocabulary = bytes_of(info.vocabulary_size);
  ivl_grammar* grammar = nullptr;
  ASSERT_EQ(ivl_grammar_create(vocabulary, R"({"enum": ["yes", "no"]})", nullptr, &grammar), IVL_OK) << ivl_last_error();
  const std::vector<int32_t> prompt{3, 4, 5};
  const int32_t stop = 200;
  ivl_request request;
  ivl_request_init(&request);
  request.tokens = prompt.data();
  request.token_count = 3;
  request.stop_tokens = &stop;
  request.stop_token_count = 1;
  request.most_guessed = 8;
  request.grammar = grammar;
  int64_t id = 0;
  ASSERT_EQ(ivl_submit(model, &request, nullptr, 0, &id), IVL_OK) << ivl_last_error();

  request.guided = 1;
  int64_t other = 0;
  expect_failure(ivl_submit(model, &request, nullptr, 0, &other), IVL_INVALID_ARGUMENT, "guided");
  request.guided = 0;
  request.sampling.min_new_tokens = 1;
  expect_failure(ivl_submit(model, &request, nullptr, 0, &other), IVL_INVALID_ARGUMENT, "min_new_tokens");
  ivl_vocabulary_free(vocabulary);
  ivl_grammar_free(grammar);  // the running request keeps what it needs

  ivl_events* events = nullptr;
  ASSERT_EQ(ivl_events_create(&events), IVL_OK);
  std::string answer;
  ivl_event event{};
  while (event.finish == IVL_FINISH_NONE) {
    ASSERT_EQ(ivl_poll(model, 20000, events), IVL_OK) << ivl_last_error();
    for (int64_t i = 0; i < ivl_events_count(events); ++i) {
      ASSERT_EQ(ivl_events_get(events, i, &event), IVL_OK);
      if (event.token < 128) answer += static_cast<char>(event.token);
    }
  }
  EXPECT_EQ(event.finish, IVL_FINISH_STOP);
  EXPECT_EQ(event.token, stop);
  EXPECT_TRUE(answer == "\"yes\"" || answer == "\"no\"" || answer == " \"yes\"" || answer == " \"no\"" || answer.starts_with("\n"))
      << answer;
  ivl_events_free(events);
  ivl_model_free(model);
}

}  // namespace
