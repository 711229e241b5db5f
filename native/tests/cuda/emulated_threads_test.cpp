// Several threads with one GPU: what one queues while another captures a step would become a part of that step's graph, and be
// done again with every token. The emulation reports it; the engine must not let it happen.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "cuda/gpu_test.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::answer;
using testing::Answer;
using testing::greedy;
using testing::Oracle;

// Lets another thread work while this one captures. A thread that rightly waits for the capture's end cannot be waited for, so
// patience ends.
class DuringCapture {
 public:
  explicit DuringCapture(std::function<void()> work)
      : thread_([this, work = std::move(work)] {
          {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return captures_; });
          }
          EXPECT_NO_THROW(work());
          const std::lock_guard lock(mutex_);
          done_ = true;
          changed_.notify_all();
        }) {
    simt::on_capture([this] {
      std::unique_lock lock(mutex_);
      captures_ = true;
      changed_.notify_all();
      changed_.wait_for(lock, std::chrono::milliseconds(300), [&] { return done_; });
    });
  }
  ~DuringCapture() {
    simt::on_capture(nullptr);
    thread_.join();
  }
  DuringCapture(const DuringCapture&) = delete;
  DuringCapture& operator=(const DuringCapture&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool captures_ = false;
  bool done_ = false;
  std::thread thread_;  // last: it uses the others
};

class ThreadsOfOneGpu : public testing::GpuTest {
 protected:
  Prompt prompt(size_t length) const {
    Prompt prompt;
    for (size_t i = 0; i < length; ++i) prompt.tokens.push_back(static_cast<int32_t>(i * i % 700));
    return prompt;
  }
  std::shared_ptr<Engine> load() const { return oracle_.load(make_gpu_backend(0, DType::BF16), DType::BF16); }

  const Oracle oracle_{"hermes-gqa7"};
};

TEST_F(ThreadsOfOneGpu, LeaveTheStepAloneThatAnotherCaptures) {
  const Answer expected = answer(load(), prompt(5), greedy(3));
  const std::function<void(const std::shared_ptr<Engine>&, Prompt&)> works[] = {
      [](const auto&, Prompt& with_picture) {
        const Features& features = *with_picture.features.front();
        std::vector<float> values(static_cast<size_t>(features.rows() * features.width()));
        features.copy_to(values.data());
      },
      [](const auto&, Prompt& with_picture) { with_picture.features.clear(); },
      [](const auto& engine, Prompt& with_picture) { answer(engine, with_picture, greedy(2)); },
  };
  for (const auto& work : works) {
    const auto engine = load();
    Prompt with_picture = oracle_.prompt(*engine, oracle_.dialog("image.0"));
    Answer got;
    {
      const DuringCapture other([&] { work(engine, with_picture); });
      got = answer(engine, prompt(5), greedy(3));
    }
    EXPECT_EQ(got.logits, expected.logits);
  }
}

// As two chats do: one answers, a token after the other, while the other has one question after another with pictures.
TEST_F(ThreadsOfOneGpu, HaveTheAnswersThatEachHasAlone) {
  const auto engine = load();
  const Answer expected = answer(engine, prompt(20), greedy(6));
  const Answer expected_other = answer(engine, oracle_.prompt(*engine, oracle_.dialog("image.0")), greedy(3));
  std::atomic<bool> answered{false};
  std::thread other([&] {
    for (int round = 0; round < 2 && !answered; ++round) {
      const Answer got = answer(engine, oracle_.prompt(*engine, oracle_.dialog("image.0")), greedy(3));
      EXPECT_EQ(got.logits, expected_other.logits) << round;
    }
  });
  const Answer got = answer(engine, prompt(20), greedy(6));
  answered = true;
  other.join();
  EXPECT_EQ(got.tokens, expected.tokens);
  EXPECT_EQ(got.logits, expected.logits);
}

}  // namespace
}  // namespace ivl
