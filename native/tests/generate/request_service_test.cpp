// Requests of many threads through the one thread that computes them.
#include "generate/request_service.h"

#include <gtest/gtest.h>

#include <latch>
#include <map>
#include <random>
#include <thread>

#include "backend/watched_backend.h"
#include "cpu/cpu_backend.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::Answer;
using testing::answer;
using testing::Dialog;
using testing::greedy;
using testing::hermes;
using namespace std::chrono_literals;

std::shared_ptr<Engine> load(DType type = DType::F32) {
  return hermes().load(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 2}), type);
}

ServiceOptions options_for(const Engine& engine) {
  ServiceOptions options;
  options.kv_blocks = 2 * engine.kv_blocks();
  return options;
}

// Polls until every one of the requests has ended; their tokens and how they ended.
std::map<int64_t, Answer> finish(RequestService& service, size_t requests) {
  std::map<int64_t, Answer> answers;
  size_t ended = 0;
  while (ended < requests) {
    const std::vector<Event> events = service.poll(20s, 7);
    if (events.empty()) {
      ADD_FAILURE() << "nothing came for long";
      return answers;
    }
    for (const Event& event : events) {
      Answer& answer = answers[event.request];
      EXPECT_EQ(answer.finish, Finish::None) << "an event behind the last one";
      if (event.token >= 0) answer.tokens.push_back(event.token);
      answer.finish = event.finish;
      answer.failure = event.failure;
      ended += event.finish != Finish::None;
    }
  }
  return answers;
}

TEST(RequestServiceThreads, ThreadsHaveTheAnswersThatEachHasAlone) {
  const auto engine = load();
  RequestService service(engine, options_for(*engine));
  std::map<int64_t, size_t> dialogs;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const Dialog& dialog = hermes().dialogs()[i];
      const int64_t id = service.submit(hermes().prompt(*engine, dialog), {.sampling = greedy(dialog.greedy_tokens.size())});
      const std::lock_guard lock(mutex);
      dialogs[id] = i;
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto answers = finish(service, dialogs.size());
  for (const auto& [id, i] : dialogs) EXPECT_EQ(answers.at(id).tokens, hermes().dialogs()[i].greedy_tokens);
}

TEST(RequestServiceThreads, WhatIsNotCancelledByOneOfManyThreadsHasTheAnswerItHasAlone) {
  const auto engine = load();
  RequestService service(engine, options_for(*engine));
  constexpr size_t kThreads = 8, kRequests = 3;
  struct Asked {
    size_t dialog;
    bool cancelled;
  };
  std::map<int64_t, Asked> asked;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      std::mt19937 random(static_cast<unsigned>(i));
      for (size_t request = 0; request < kRequests; ++request) {
        const size_t at = (i + request) % hermes().dialogs().size();
        const Dialog& dialog = hermes().dialogs()[at];
        const int64_t id = service.submit(hermes().prompt(*engine, dialog), {.sampling = greedy(dialog.greedy_tokens.size())});
        const bool cancelled = random() % 2 == 0;
        if (cancelled) {
          std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
          service.cancel(id);
        }
        const std::lock_guard lock(mutex);
        asked[id] = {at, cancelled};
      }
    });
  }
  const auto answers = finish(service, kThreads * kRequests);
  for (std::thread& thread : threads) thread.join();
  for (const auto& [id, ask] : asked) {
    const Answer& got = answers.at(id);
    const std::vector<int32_t>& alone = hermes().dialogs()[ask.dialog].greedy_tokens;
    EXPECT_TRUE(got.finish == Finish::Stop || got.finish == Finish::Length || (ask.cancelled && got.finish == Finish::Cancelled));
    ASSERT_LE(got.tokens.size(), alone.size());
    const size_t count = got.finish == Finish::Cancelled ? got.tokens.size() : alone.size();
    EXPECT_EQ(got.tokens, std::vector<int32_t>(alone.begin(), alone.begin() + static_cast<std::ptrdiff_t>(count)));
  }
  EXPECT_EQ(service.counts().running + service.counts().waiting + service.counts().blocks_used, 0);
}

TEST(RequestServiceThreads, APictureAskedAboutByManyIsEncodedOnce) {
  const auto engine = load();
  const Dialog& dialog = hermes().dialog("image.0");
  const std::vector<float> pixels = hermes().pixels(dialog);
  Prompt alone = hermes().prompt(*engine, dialog);
  RequestService service(engine, options_for(*engine));
  for (int i = 0; i < 8; ++i) {
    Prompt prompt = alone;
    prompt.features = {service.features("the picture", pixels, 1)};
    service.submit(std::move(prompt), {.sampling = greedy(4)});
  }
  for (const auto& [id, each] : finish(service, 8)) EXPECT_EQ(each.tokens, answer(engine, alone, greedy(4)).tokens) << id;
  EXPECT_EQ(service.counts().pictures, 1);
  EXPECT_EQ(service.feature_hits(), 7);
  Prompt later = alone;
  later.features = {service.features("the picture", pixels, 1)};
  service.submit(std::move(later), {.sampling = greedy(4)});
  finish(service, 1);
  EXPECT_EQ(service.counts().pictures, 1) << "it is still there";
  EXPECT_EQ(service.counts().running, 0);
}

TEST(RequestServiceThreads, CancellingEndsARequestInTheMiddleOfAPass) {
  const auto engine = load();
  RequestService service(engine, options_for(*engine));
  for (int i = 0; i < 20; ++i) {
    const int64_t id = service.submit({std::vector<int32_t>(2000, 33), -1, {}, {}}, {.sampling = greedy(2000)});
    std::this_thread::sleep_for(std::chrono::milliseconds(i));
    service.cancel(id);
    EXPECT_EQ(finish(service, 1).at(id).finish, Finish::Cancelled);
  }
  service.cancel(1);
  service.cancel(1000);
  const Prompt prompt{std::vector<int32_t>(200, 33), -1, {}, {}};
  const int64_t id = service.submit(prompt, {.sampling = greedy(2)});
  EXPECT_EQ(finish(service, 1).at(id).tokens, answer(engine, prompt, greedy(2)).tokens);
  EXPECT_EQ(service.counts().blocks_used, 0);
}

TEST(RequestServiceThreads, ClosingEndsWhatRunsAndWhatWaits) {
  const auto engine = load();
  RequestService service(engine, options_for(*engine));
  for (int i = 0; i < 3; ++i) service.submit({std::vector<int32_t>(2000, 33), -1, {}, {}}, {.sampling = greedy(2000)});
  std::jthread closer([&] {
    std::this_thread::sleep_for(20ms);
    service.close();
    service.close();
  });
  for (const auto& [id, each] : finish(service, 3)) {
    EXPECT_EQ(each.finish, Finish::Failed) << id;
    EXPECT_EQ(each.failure->status(), Status::Closed);
  }
  closer.join();
  EXPECT_THROW(service.poll(0ms, 1), Error);
  EXPECT_THROW(service.submit({{1}, -1, {}, {}}, {.sampling = greedy(1)}), Error);
  EXPECT_THROW(service.features("a", {}, 1), Error);
}

// The last events are still to come when the service is closed already: they are not lost to who polls just then.
TEST(RequestServiceThreads, WhoPollsDuringCloseHearsTheLastEvents) {
  const auto backend = std::make_shared<testing::WatchedBackend>(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 1}));
  const auto engine = hermes().load(backend, DType::BF16);
  RequestService service(engine, options_for(*engine));
  std::latch in_pass(1), polled(1);
  backend->in_next("embed", [&] {
    in_pass.count_down();
    polled.wait();
  });
  service.submit({{5, 6, 7}, -1, {}, {}}, {.sampling = greedy(3)});
  in_pass.wait();
  std::jthread closer([&] { service.close(); });
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(service.poll(1ms, 9).empty());
  polled.count_down();
  EXPECT_EQ(finish(service, 1)[1].finish, Finish::Failed);
  closer.join();
  EXPECT_THROW(service.poll(0ms, 9), Error);
}

// ---- events that wait for more

ServiceOptions patient(const Engine& engine) {
  ServiceOptions options = options_for(engine);
  options.gather = 60s;
  return options;
}

// What comes at once, though others came just now.
std::vector<Event> urgent(RequestService& service, size_t most) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<Event> events = service.poll(60s, most);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
  return events;
}

TEST(RequestServiceThreads, TokensBehindTheFirstComeTogetherWithTheLast) {
  const auto engine = load();
  RequestService service(engine, patient(*engine));
  service.submit({{5, 6, 7}, -1, {}, {}}, {.sampling = greedy(20)});
  size_t tokens = urgent(service, 1).size();
  int polls = 0;
  for (; tokens < 20 && polls < 3; ++polls) tokens += urgent(service, 30).size();
  EXPECT_EQ(tokens, 20U);
  EXPECT_LE(polls, 2) << "one for what the first left by its limit, one for all the rest";
}

TEST(RequestServiceThreads, TheFirstTokenDoesNotWaitForMore) {
  const auto backend = std::make_shared<testing::WatchedBackend>(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 1}));
  const auto engine = hermes().load(backend, DType::BF16);
  RequestService service(engine, patient(*engine));
  service.submit({{5, 6, 7}, -1, {}, {}}, {.sampling = greedy(1)});
  EXPECT_EQ(urgent(service, 9).size(), 1U);
  std::latch looked(1);
  int passes = 0;
  backend->on_sampled = [&](const std::vector<Sampled>&) {
    if (++passes == 2) looked.wait();
  };
  service.submit({{8, 9}, -1, {}, {}}, {.sampling = greedy(3)});
  const std::vector<Event> events = urgent(service, 9);
  looked.count_down();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events.front().finish, Finish::None);
  EXPECT_EQ(finish(service, 1).size(), 1U);
}

TEST(RequestServiceThreads, AGuidedRequestDoesNotWaitForMore) {
  const auto engine = load();
  RequestService service(engine, patient(*engine));
  const int64_t id = service.submit({{5, 6, 7}, -1, {}, {}}, {.sampling = greedy(3), .guided = true});
  const auto words = static_cast<size_t>((engine->config().language.vocab + 31) / 32);
  for (int i = 0; i < 3; ++i) {
    service.allow(id, std::make_shared<const std::vector<uint32_t>>(words, 1U << 9));
    const std::vector<Event> events = urgent(service, 9);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events.front().token % 32, 9);
  }
}

TEST(RequestService, ARequestThatTheCacheCannotHoldIsRefusedAtOnce) {
  const auto engine = load();
  ServiceOptions options;
  options.kv_blocks = 2;
  RequestService service(engine, options);
  try {
    service.submit({std::vector<int32_t>(500, 33), -1, {}, {}}, {.sampling = greedy(100)});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), Status::ContextLength);
    EXPECT_NE(std::string(error.what()).find("may need 600 positions of the KV cache, which holds 512"), std::string::npos)
        << error.what();
  }
  EXPECT_TRUE(service.poll(0ms, 1).empty());
}

}  // namespace
}  // namespace ivl
