// Random schedules: requests that come at random moments, some of which are cancelled, over caches of random size. Whatever happens,
// what ends by itself has the bits it has alone.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "model/oracle.h"

namespace ivl::testing {

class Schedules {
 public:
  // What is asked: dialogs, each also longer by so many tokens, and texts of these lengths; and by how many at most.
  struct Sizes {
    std::vector<const char*> dialogs = {"text.0", "image.0", "image-rounds.0", "text.1", "images-combined.0"};
    int longer = 300;
    std::vector<size_t> texts = {255, 256, 257, 511, 600};
    size_t answer = 20;
    size_t requests = 9;
  };

  Schedules(const Oracle& oracle, std::shared_ptr<Engine> engine, const Sizes& sizes)
      : engine_(std::move(engine)), requests_(sizes.requests) {
    std::mt19937 random(7);
    for (const char* name : sizes.dialogs) {
      const Dialog& dialog = oracle.dialog(name);
      add(oracle.prompt(*engine_, dialog), greedy(5));
      // The same beginning, going on in another way.
      Prompt longer = oracle.prompt(*engine_, dialog);
      for (int i = 0; i < sizes.longer; ++i) longer.tokens.push_back(static_cast<int32_t>(20 + random() % 700));
      Sampling drawn = greedy(12);
      drawn.temperature = 0.8f;
      drawn.repetition_penalty = 1.1f;
      drawn.presence_penalty = 0.3f;
      drawn.min_p = 0.02f;
      drawn.logit_bias = {{30, 1.5f}};
      drawn.seed = random();
      add(longer, drawn);
    }
    // Some that repeat themselves, so that there is something to guess.
    for (const int period : {3, 7, 9}) {
      Prompt again;
      for (int i = 0; i < 90; ++i) again.tokens.push_back(100 + i % period);
      add(again, greedy(2 * sizes.answer));
    }
    // Beginnings of one text, which share blocks or end in the middle of one.
    for (const size_t length : sizes.texts) {
      Prompt text;
      for (size_t i = 0; i < length; ++i) text.tokens.push_back(static_cast<int32_t>(10 + i * i % 700));
      add(text, greedy(sizes.answer));
    }
  }

  // Runs that many, or as many as the environment's IVL_SCHEDULES says, until one fails. Whether they were at least the usual number:
  // a few need not come upon everything.
  bool run_all(unsigned usual) {
    const char* asked = std::getenv("IVL_SCHEDULES");
    const unsigned count = asked != nullptr ? static_cast<unsigned>(std::atoi(asked)) : usual;
    EXPECT_GT(count, 0) << "IVL_SCHEDULES is \"" << asked << "\", expected how many";
    for (unsigned number = 0; number < count && !::testing::Test::HasFailure(); ++number) run(number);
    return count >= usual;
  }

  // Half of the schedules have this draft.
  void set_draft(std::shared_ptr<Engine> draft) { draft_ = std::move(draft); }

  // Every third of what is asked takes this adapter, which no image is seen with.
  void set_adapter(const std::shared_ptr<const LoadedAdapter>& adapter) {
    for (size_t i = 0; i < asks_.size(); i += 3) asks_[i].adapters = {{adapter}};
  }

  int64_t preemptions() const { return preemptions_; }
  int64_t reused() const { return reused_; }
  int64_t guessed() const { return guessed_; }
  int64_t drafted() const { return drafted_; }

 private:
  struct Ask {
    Prompt prompt;
    Sampling sampling;
    std::vector<AdapterChoice> adapters = {};
    std::optional<Answer> alone = {};
  };

  // One schedule; equal numbers are equal schedules.
  void run(unsigned number) {
    SCOPED_TRACE(cat("schedule ", number));
    std::mt19937 random(number);
    const auto up_to = [&](size_t most) { return static_cast<size_t>(random() % (most + 1)); };
    SchedulerOptions options;
    options.kv_blocks = static_cast<int64_t>(4 + up_to(8));
    options.row_cost = 0;  // guesses, whether they pay or not
    // What fits into a pass depends on no clock.
    const bool tight = up_to(1) == 0;
    options.pass_seconds = tight ? 1e-9 : 1e9;
    options.rows_beside = tight ? 16 : kChunkRows;
    Requests requests(engine_, options);
    if (draft_ != nullptr && number % 2 == 0) requests.scheduler().set_draft(draft_);
    std::vector<size_t> asked;
    std::vector<bool> cancelled;
    for (size_t left = 3 + up_to(requests_ - 3); left > 0 || !requests.scheduler().idle();) {
      for (size_t now = up_to(2); now > 0 && left > 0; --now, --left) {
        asked.push_back(up_to(asks_.size() - 1));
        cancelled.push_back(false);
        const Ask& ask = asks_[asked.back()];
        RequestOptions how;
        if (up_to(5) == 0) how.salt = "other";
        how.priority = static_cast<int32_t>(up_to(1));
        how.most_guessed = static_cast<int32_t>(up_to(1) * 6);
        how.adapters = ask.adapters;
        requests.add(ask.prompt, ask.sampling, how);
      }
      if (!asked.empty() && up_to(12) == 0) {
        const size_t ended = up_to(asked.size() - 1);
        if (requests.of(static_cast<int64_t>(ended)).finish == Finish::None) cancelled[ended] = true;
        requests.cancel(static_cast<int64_t>(ended));
      }
      requests.turn();
    }
    for (size_t i = 0; i < asked.size(); ++i) expect_alone(requests.of(static_cast<int64_t>(i)), asked[i], cancelled[i]);
    EXPECT_EQ(requests.scheduler().counts().blocks_used, 0);
    EXPECT_EQ(requests.scheduler().counts().draft_blocks_used, 0);
    preemptions_ += requests.scheduler().counts().preemptions;
    reused_ += requests.scheduler().counts().reused_tokens;
    guessed_ += requests.scheduler().counts().guessed_tokens;
    drafted_ += requests.scheduler().counts().drafted_tokens;
  }

  void add(Prompt prompt, const Sampling& sampling) { asks_.push_back({std::move(prompt), sampling}); }

  void expect_alone(const Answer& got, size_t asked, bool cancelled) {
    Ask& ask = asks_[asked];
    if (!ask.alone) ask.alone = answer(engine_, ask.prompt, ask.sampling, {.adapters = ask.adapters});
    EXPECT_EQ(got.finish, cancelled ? Finish::Cancelled : ask.alone->finish) << asked;
    ASSERT_LE(got.tokens.size(), ask.alone->tokens.size()) << asked;
    EXPECT_TRUE(std::equal(got.tokens.begin(), got.tokens.end(), ask.alone->tokens.begin())) << asked;
    EXPECT_TRUE(std::equal(got.logits.begin(), got.logits.end(), ask.alone->logits.begin())) << asked;
  }

  std::shared_ptr<Engine> engine_;
  std::shared_ptr<Engine> draft_;  // or null
  size_t requests_;
  std::vector<Ask> asks_;
  int64_t preemptions_ = 0;
  int64_t reused_ = 0;
  int64_t guessed_ = 0;
  int64_t drafted_ = 0;
};

}  // namespace ivl::testing
