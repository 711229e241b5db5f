// Drafted tokens: whatever the draft is and whatever befalls it, answers have the bits they have without one.
#include "generate/draft_model.h"

#include <gtest/gtest.h>

#include "backend/watched_backend.h"
#include "cpu/cpu_backend.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::Answer;
using testing::answer;
using testing::greedy;
using testing::hermes;
using testing::Requests;

std::shared_ptr<Backend> cpu() { return std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 2}); }
std::shared_ptr<Engine> hermes_engine() { return hermes().load(cpu(), DType::BF16); }

// Random weights in the same shape.
std::shared_ptr<Engine> stranger() {
  const auto loader = ModelLoader::random(testing::always(cpu()), hermes().folder() / "config.json", {}, 3);
  while (loader->done() < loader->total()) loader->step();
  return std::make_shared<Engine>(loader->take());
}

Prompt uneven_text(int64_t tokens, int32_t first = 0) {
  Prompt prompt;
  for (int64_t i = 0; i < tokens; ++i) prompt.tokens.push_back(static_cast<int32_t>((first + i * i) % 900 + 10));
  return prompt;
}

Sampling drawn_tokens(size_t tokens) {
  Sampling sampling = greedy(tokens);
  sampling.temperature = 0.7f;
  sampling.repetition_penalty = 1.1f;
  sampling.seed = 11;
  sampling.top_logprobs = 3;
  return sampling;
}

// Drafts whether they pay or not, and reads all it has not read at once, however slow the machine is.
constexpr SchedulerOptions kAlways{.kv_blocks = 0, .pass_seconds = 1e6, .row_cost = 0};

// Requests that a draft guesses for.
struct Drafted : Requests {
  Drafted(const std::shared_ptr<Engine>& engine, std::shared_ptr<Engine> draft, const SchedulerOptions& options = kAlways)
      : Requests(engine, options) {
    scheduler().set_draft(std::move(draft));
  }
  int64_t ask(Prompt prompt, const Sampling& sampling, RequestOptions options = {.most_guessed = 5}) {
    return add(std::move(prompt), sampling, std::move(options));
  }
  SchedulerCounts counts() { return scheduler().counts(); }
};

void expect_same(const Answer& got, const Answer& expected) {
  EXPECT_EQ(got.tokens, expected.tokens);
  EXPECT_EQ(got.logits, expected.logits);
  EXPECT_EQ(got.finish, expected.finish);
  ASSERT_EQ(got.top.size(), expected.top.size());
  for (size_t i = 0; i < got.top.size(); ++i) {
    ASSERT_EQ(got.top[i].size(), expected.top[i].size());
    for (size_t j = 0; j < got.top[i].size(); ++j) {
      EXPECT_EQ(got.top[i][j].token, expected.top[i][j].token);
      EXPECT_EQ(got.top[i][j].logprob, expected.top[i][j].logprob);
    }
  }
}

void expect_no_users(Drafted& requests) {
  EXPECT_EQ(requests.counts().blocks_used, 0);
  EXPECT_EQ(requests.counts().draft_blocks_used, 0);
}

struct Kind {
  const char* name;
  std::shared_ptr<Engine> (*load)();
};
class AnyDraft : public ::testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Drafts, AnyDraft,
                         ::testing::Values(Kind{"itself", hermes_engine}, Kind{"stranger", stranger},
                                           Kind{"in_int8", [] { return hermes().load_int8(cpu(), false); }}),
                         [](const auto& p) { return std::string(p.param.name); });

TEST_P(AnyDraft, ChangesNothingInAnAnswer) {
  const auto engine = hermes_engine();
  const auto draft = GetParam().load();
  for (const Sampling& sampling : {greedy(40), drawn_tokens(40)}) {
    Drafted requests(engine, draft);
    requests.ask(uneven_text(70), sampling);
    requests.run();
    expect_same(requests.of(0), answer(engine, uneven_text(70), sampling));
    EXPECT_GT(requests.counts().drafted_tokens, 20);
    EXPECT_EQ(requests.counts().passes, 40 - requests.counts().right_tokens - requests.counts().right_drafted_tokens);
    expect_no_users(requests);
  }
}

// Two beginnings, pictures, and answers of different lengths, greedy and drawn.
TEST_P(AnyDraft, ChangesNothingInCompany) {
  const auto engine = hermes_engine();
  const auto picture = [&] { return hermes().prompt(*engine, hermes().dialog("image.0")); };
  Drafted requests(engine, GetParam().load());
  requests.ask(uneven_text(300), greedy(30));
  requests.ask(uneven_text(290, 4), drawn_tokens(40));
  requests.ask(picture(), greedy(24));
  requests.ask(uneven_text(300), drawn_tokens(25));
  requests.run();
  expect_same(requests.of(0), answer(engine, uneven_text(300), greedy(30)));
  expect_same(requests.of(1), answer(engine, uneven_text(290, 4), drawn_tokens(40)));
  expect_same(requests.of(2), answer(engine, picture(), greedy(24)));
  expect_same(requests.of(3), answer(engine, uneven_text(300), drawn_tokens(25)));
  EXPECT_GT(requests.counts().drafted_tokens, 40);
  expect_no_users(requests);
}

TEST_P(AnyDraft, ChangesNothingWhereRequestsLoseTheirBlocks) {
  const auto engine = hermes_engine();
  Drafted requests(engine, GetParam().load(), {.kv_blocks = 4, .pass_seconds = 1e9, .row_cost = 0});  // all begin at once
  for (int32_t i = 0; i < 3; ++i) requests.ask(uneven_text(240, 5 * i), drawn_tokens(static_cast<size_t>(40 + 10 * i)));
  requests.run();
  EXPECT_GT(requests.counts().preemptions, 0);
  for (int32_t i = 0; i < 3; ++i) {
    expect_same(requests.of(i), answer(engine, uneven_text(240, 5 * i), drawn_tokens(static_cast<size_t>(40 + 10 * i))));
  }
  expect_no_users(requests);
}

TEST_P(AnyDraft, ChangesNothingWhereOneIsCancelled) {
  const auto engine = hermes_engine();
  Drafted requests(engine, GetParam().load());
  requests.ask(uneven_text(50), greedy(60));
  requests.ask(uneven_text(60, 3), greedy(30));
  while (requests.of(1).tokens.size() < 3) requests.turn();
  requests.cancel(0);
  requests.run();
  EXPECT_EQ(requests.of(0).finish, Finish::Cancelled);
  expect_same(requests.of(1), answer(engine, uneven_text(60, 3), greedy(30)));
  expect_no_users(requests);
}

// A model that drafts for itself is always right, also where tokens are drawn.
TEST(Draft, OfTheModelItselfIsRight) {
  const auto engine = hermes_engine();
  for (const Sampling& sampling : {greedy(41), drawn_tokens(41)}) {
    Drafted requests(engine, hermes_engine());
    requests.ask(uneven_text(70), sampling);
    requests.run();
    EXPECT_EQ(requests.counts().right_drafted_tokens, requests.counts().drafted_tokens);
    EXPECT_LT(requests.counts().passes, 41 / 3);
  }
}

TEST(Draft, IsSilentWhereItDoesNotPayAndTriesAgain) {
  const auto engine = hermes_engine();
  Drafted requests(engine, stranger(), {.kv_blocks = 0, .pass_seconds = 1e6, .row_cost = 0.3});
  requests.ask(uneven_text(70), greedy(200), {.most_guessed = 5});
  requests.run();
  EXPECT_GT(requests.counts().drafted_tokens, 4);
  EXPECT_LT(requests.counts().drafted_tokens, 30);
  const int64_t before = requests.counts().drafted_tokens;
  requests.ask(uneven_text(60, 2), greedy(20));
  requests.run();
  EXPECT_EQ(requests.counts().drafted_tokens, before) << "the next request begins with what is known of the draft";
}

// It reads beside the answer, which does not wait for it.
TEST(Draft, ReadsALongPromptInPieces) {
  const auto engine = hermes_engine();
  Drafted requests(engine, hermes_engine(), {.kv_blocks = 0, .pass_seconds = 1e-9, .row_cost = 0});
  requests.ask(uneven_text(600), greedy(60));
  while (requests.of(0).tokens.size() < 2) requests.turn();
  EXPECT_EQ(requests.counts().drafted_tokens, 0);
  requests.run();
  EXPECT_GT(requests.counts().drafted_tokens, 0);
  EXPECT_EQ(requests.counts().right_drafted_tokens, requests.counts().drafted_tokens);
  expect_same(requests.of(0), answer(engine, uneven_text(600), greedy(60)));
}

// What was read for one request is not read again for the next, unless their salts differ. The second has time for one draft, and no pass
// reads so long a prompt.
TEST(Draft, RemembersBeginnings) {
  const auto engine = hermes_engine();
  const auto drafts_at_once = [&](const char* salt) {
    Drafted requests(engine, hermes_engine(), {.kv_blocks = 0, .pass_seconds = 1e-9, .row_cost = 0});
    requests.ask(uneven_text(600), greedy(60));
    requests.run();
    const int64_t before = requests.counts().drafted_tokens;
    requests.ask(uneven_text(600), greedy(3), {.salt = salt, .most_guessed = 5});
    requests.run();
    return requests.counts().drafted_tokens > before;
  };
  EXPECT_TRUE(drafts_at_once(""));
  EXPECT_FALSE(drafts_at_once("another"));
}

TEST(Draft, EndsWithItsContext) {
  const auto engine = hermes_engine();
  LoadOptions options;
  options.context = 256;
  Drafted requests(engine, hermes().load(testing::always(cpu()), options));
  requests.ask(uneven_text(240), greedy(60));
  requests.run();
  EXPECT_GT(requests.counts().drafted_tokens, 5);
  EXPECT_LE(requests.counts().drafted_tokens, 16);
  EXPECT_EQ(requests.counts().draft_failures, 0);
  expect_same(requests.of(0), answer(engine, uneven_text(240), greedy(60)));
}

TEST(Draft, IsAskedOnlyWhereGuessesAreAllowed) {
  const auto engine = hermes_engine();
  Drafted requests(engine, hermes_engine());
  requests.ask(uneven_text(30), greedy(10), {.most_guessed = 0});
  requests.run();
  requests.ask(uneven_text(40), greedy(2), {.recording = std::make_shared<Recording>(), .most_guessed = 5});
  requests.run();
  const int64_t guided = requests.ask(uneven_text(50), greedy(6), {.most_guessed = 5, .guided = true});
  while (requests.of(guided).finish == Finish::None) {
    requests.scheduler().allow(guided, std::make_shared<const std::vector<uint32_t>>((1033 + 31) / 32, ~0u));
    requests.turn();
  }
  EXPECT_EQ(requests.counts().drafted_tokens, 0);
}

// A pass that is given up leaves the draft where it was.
TEST(Draft, GoesOnBehindAnAbortedPass) {
  const auto engine = hermes_engine();
  Drafted requests(engine, hermes_engine());
  requests.ask(uneven_text(70), greedy(40));
  const std::atomic<bool> abort{true};
  for (int i = 0; !requests.scheduler().idle(); ++i) requests.turn(i % 3 == 2 ? &abort : nullptr);
  expect_same(requests.of(0), answer(engine, uneven_text(70), greedy(40)));
  EXPECT_EQ(requests.counts().right_drafted_tokens, requests.counts().drafted_tokens);
  EXPECT_EQ(requests.counts().draft_failures, 0);
}

TEST(DraftFailure, OfAPassEndsTheDraftsOfThoseInItAndNothingElse) {
  const auto engine = hermes_engine();
  for (const char* call : {"repeat", "sample"}) {
    SCOPED_TRACE(call);
    const auto watched = std::make_shared<testing::WatchedBackend>(cpu());
    Drafted requests(engine, hermes().load(watched, DType::BF16));
    requests.ask(uneven_text(70), greedy(30));
    while (requests.of(0).tokens.size() < 2) requests.turn();
    watched->in_next(call, [] { fail(Status::OutOfMemory, "no memory for the draft"); });
    const int64_t before = requests.counts().drafted_tokens;
    requests.run();
    expect_same(requests.of(0), answer(engine, uneven_text(70), greedy(30)));
    EXPECT_EQ(requests.counts().draft_failures, 1);
    EXPECT_EQ(requests.counts().drafted_tokens, before);
    expect_no_users(requests);
    requests.ask(uneven_text(60), greedy(20));
    requests.run();
    EXPECT_GT(requests.counts().drafted_tokens, before) << "the next request has it again";
  }
}

TEST(DraftFailure, OfOneRowIsThatRequestsAlone) {
  const auto engine = hermes_engine();
  const auto watched = std::make_shared<testing::WatchedBackend>(cpu());
  Drafted requests(engine, hermes().load(watched, DType::BF16));
  requests.ask(uneven_text(70), greedy(30));
  requests.ask(uneven_text(80, 5), greedy(30));
  bool failed = false;
  watched->on_sampled = [&](std::vector<Sampled>& sampled) {  // the first time that both are drafted for together
    if (failed || sampled.size() < 2) return;
    failed = true;
    sampled.back().failure = Error(Status::NotFinite, "no numbers");
  };
  requests.run();
  EXPECT_TRUE(failed);
  expect_same(requests.of(0), answer(engine, uneven_text(70), greedy(30)));
  expect_same(requests.of(1), answer(engine, uneven_text(80, 5), greedy(30)));
  EXPECT_EQ(requests.counts().draft_failures, 1);
  EXPECT_GT(requests.counts().drafted_tokens, 8) << "of the other";
  expect_no_users(requests);
}

// Without memory for one block of its cache it has nothing to say, and tries again.
TEST(DraftFailure, ACacheWithoutMemoryIsSilence) {
  const auto engine = hermes_engine();
  const auto watched = std::make_shared<testing::WatchedBackend>(cpu());
  Drafted requests(engine, hermes().load(watched, DType::BF16));
  watched->in_next("allocate", [] { fail(Status::OutOfMemory, "no memory for the draft's cache"); });
  requests.ask(uneven_text(70), greedy(30));
  requests.run();
  expect_same(requests.of(0), answer(engine, uneven_text(70), greedy(30)));
  EXPECT_EQ(requests.counts().draft_failures, 0);
  EXPECT_GT(requests.counts().drafted_tokens, 0);
  expect_no_users(requests);
}

TEST(DraftFailure, AClosedDraftDraftsNothing) {
  const auto engine = hermes_engine();
  const auto draft = hermes_engine();
  Drafted requests(engine, draft);
  requests.ask(uneven_text(70), greedy(40));
  while (requests.of(0).tokens.size() < 10) requests.turn();
  draft->close();
  const int64_t before = requests.counts().drafted_tokens;
  requests.run();
  expect_same(requests.of(0), answer(engine, uneven_text(70), greedy(40)));
  EXPECT_EQ(requests.counts().drafted_tokens, before);
  EXPECT_EQ(requests.counts().draft_failures, 1);
  expect_no_users(requests);
}

TEST(DraftThreads, AServiceClosesItsDraft) {
  const auto engine = hermes_engine();
  const auto draft = hermes_engine();
  ServiceOptions options;
  options.kv_blocks = engine->kv_blocks();
  RequestService service(engine, options);
  const auto refused = [&](const std::shared_ptr<Engine>& other, const char* words) {
    try {
      service.set_draft(other);
      ADD_FAILURE() << words;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  refused(engine, "its own draft");
  refused(testing::Oracle("qwen3").load(cpu(), DType::BF16), "a vocabulary of 768, expected the model's 1033");
  service.set_draft(draft);
  refused(hermes_engine(), "has a draft already");
  for (int32_t i = 0; i < 3; ++i) service.submit(uneven_text(200, i), {.sampling = greedy(1000), .most_guessed = 5});
  EXPECT_FALSE(service.poll(std::chrono::seconds(20), 1).empty());
  service.close();
  EXPECT_THROW(draft->check_open(), Error);
  EXPECT_EQ(service.counts().draft_blocks_used, 0);
}

}  // namespace
}  // namespace ivl
