// Who may call a model's backends when. Each test holds one thread in a step of decoding, where a GPU's launches would be
// captured, while another asks for something.
#include "generate/engine.h"

#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "backend/watched_backend.h"
#include "cpu/cpu_backend.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::greedy;
using testing::hermes;
using testing::Requests;
using testing::WatchedBackend;
using Words = std::vector<std::string>;

class EngineThreads : public ::testing::Test {
 protected:
  // Holds a pass until `other`, on this thread, is done, waits for its turn, or was seen in the backend.
  void during_a_pass(const std::function<void()>& other) {
    Requests decoding(engine_);
    decoding.add({{5, 6, 7}, -1, {}, {}}, greedy(3));
    decoding.turn();
    std::latch in_pass(1);
    std::atomic<bool> done{false};
    backend_->in_next("repeat", [&] {
      in_pass.count_down();
      while (!done && engine_->waiting() == 0 && backend_->intruders().empty()) std::this_thread::yield();
    });
    std::jthread thread([&] { EXPECT_EQ(decoding.turn().size(), 1u); });
    in_pass.wait();
    other();
    done = true;
    thread.join();
    EXPECT_EQ(backend_->intruders(), Words());
  }

  Prompt prompt(size_t tokens) const { return {std::vector<int32_t>(tokens, 33), -1, {}, {}}; }
  Prompt with_picture() const { return hermes().prompt(*engine_, hermes().dialog("image.0")); }

  std::shared_ptr<WatchedBackend> backend_ =
      std::make_shared<WatchedBackend>(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 1}));
  std::shared_ptr<Engine> engine_ = hermes().load(backend_, DType::BF16);
};

TEST_F(EngineThreads, AnotherSchedulerHasATurnOfItsOwn) {
  Requests other(engine_);
  other.add(prompt(300), greedy(1));
  during_a_pass([&] { EXPECT_EQ(other.turn().size(), 1u); });
}

TEST_F(EngineThreads, PicturesAreEncodedCopiedAndFreedInTurns) {
  const int64_t before = backend_->buffers();
  Prompt encoded;
  during_a_pass([&] { encoded = with_picture(); });
  std::vector<float> copy(static_cast<size_t>(encoded.features[0]->rows() * encoded.features[0]->width()));
  during_a_pass([&] { encoded.features[0]->copy_to(copy.data()); });
  const int64_t workspace = backend_->buffers() - before - 1;
  during_a_pass([&] { encoded.features.clear(); });
  EXPECT_EQ(backend_->buffers(), before + workspace);
}

TEST_F(EngineThreads, CachesAndUnfinishedRequestsAreFreedInTurns) {
  testing::answer(engine_, with_picture(), greedy(2));  // the workspace is there
  const int64_t before = backend_->buffers();
  auto requests = std::make_unique<Requests>(engine_);
  requests->answer(prompt(4), greedy(1));
  requests->add(with_picture(), greedy(5));
  during_a_pass([&] { requests.reset(); });
  EXPECT_EQ(backend_->buffers(), before) << "the turn that ran freed them";
}

TEST_F(EngineThreads, ClosingWaitsForTheTurnThatRuns) {
  Requests decoding(engine_);
  decoding.add(prompt(4), greedy(3));
  decoding.turn();
  std::latch in_pass(1);
  backend_->in_next("repeat", [&] {
    in_pass.count_down();
    while (engine_->waiting() == 0) std::this_thread::yield();
  });
  std::jthread thread([&] {
    try {
      decoding.turn();
      ADD_FAILURE() << "was not ended";
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), Status::Closed);
    }
  });
  in_pass.wait();
  engine_->close();
  thread.join();
  EXPECT_EQ(backend_->intruders(), Words());
}

// Four threads in step loops: after the first round, in which they line up, each has one token in four.
TEST_F(EngineThreads, StepsOfSeveralThreadsTakeTurns) {
  constexpr int kThreads = 4;
  std::vector<int> order;  // written in turns
  std::vector<std::thread> threads;
  {
    const Engine::Turn line_up(*engine_);
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        for (int step = 0; step < 20; ++step) {
          const Engine::Turn turn(*engine_);
          order.push_back(i);
          // Until the others stand behind: then it is the lock that decides.
          while (step < 19 && engine_->waiting() < kThreads - 1) std::this_thread::yield();
        }
      });
      while (engine_->waiting() < static_cast<size_t>(i) + 1) std::this_thread::yield();
    }
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t at = 0; at < 19 * kThreads; ++at) EXPECT_EQ(order[at], static_cast<int>(at % kThreads));
}

}  // namespace
}  // namespace ivl
