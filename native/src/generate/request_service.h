// The scheduler's thread, and how other threads talk to it: requests go in, events come out.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "generate/feature_store.h"
#include "generate/scheduler.h"

namespace ivl {

struct ServiceOptions : SchedulerOptions {
  size_t feature_bytes = size_t{256} << 20;  // of pictures that nobody asks about just now
  std::chrono::milliseconds gather{5};       // how long behind the last events poll() waits for more
};

// Any thread may call any of it. The thread is there from the first request on.
class RequestService {
 public:
  RequestService(std::shared_ptr<Engine> engine, const ServiceOptions& options);
  ~RequestService() { close(); }
  RequestService(const RequestService&) = delete;
  RequestService& operator=(const RequestService&) = delete;

  // A smaller model that guesses what this one will say (draft_model.h); closed with this one. Error(InvalidArgument) if it is the same,
  // has another vocabulary, or there is one already, or was a request.
  void set_draft(std::shared_ptr<Engine> draft);

  // Pictures to ask about, encoded when the first request needs them; see FeatureStore.
  std::shared_ptr<Features> features(const std::string& content, std::vector<float> pixels, int64_t count,
                                     const AdapterChoices& adapters = {});

  // Checks it, and returns its number: 1, 2, 3, ... Error(Closed) after close().
  int64_t submit(Prompt prompt, RequestOptions options);
  // It ends with Finish::Cancelled, if it has not ended, at the end of the running pass at the latest; at the next layer if the pass
  // is nobody else's.
  void cancel(int64_t request);
  // What a guided request's next token may be. Error(InvalidArgument) if the mask has not the vocabulary's length; nothing if the
  // request has ended.
  void allow(int64_t request, TokenMask mask);
  // Events in their order, at most so many; waits for the first one. None if there was none in that time. Error(Closed) after close(),
  // once all are taken. Shortly behind other events it waits for more, unless one is urgent: to wake a thread for each token of a
  // small model takes as long as the token.
  std::vector<Event> poll(std::chrono::milliseconds timeout, size_t most);

  // What runs ends at the next layer, and all there is fails with Error(Closed). Waits for that; idempotent.
  void close();

  // As they were after the last turn.
  SchedulerCounts counts() const;
  int64_t feature_hits() const { return features_.hits(); }

 private:
  struct Submitted {
    int64_t id;
    std::unique_ptr<Request> request;
  };

  void run();
  bool begin_turn();
  void publish(std::vector<Event> events);
  // No event comes any more.
  bool over() const { return closed_ && !running_; }

  std::shared_ptr<Engine> engine_;
  std::shared_ptr<Engine> draft_;  // or null; set under mutex_, once
  int64_t kv_blocks_;
  std::chrono::milliseconds gather_;
  FeatureStore features_;
  Scheduler scheduler_;  // of the thread

  mutable std::mutex mutex_;
  std::condition_variable wake_;    // the thread
  std::condition_variable arrive_;  // who polls
  std::deque<Submitted> submitted_;
  std::vector<int64_t> cancelled_;
  std::vector<std::pair<int64_t, TokenMask>> allowed_;
  std::vector<int64_t> in_turn_;  // requests of this turn that are not cancelled
  std::atomic<bool> abort_{false};
  std::deque<Event> events_;
  bool urgent_ = false;                                // one of them is, or was left by a poll
  int gathering_ = 0;                                  // polls that wait for an urgent one
  std::chrono::steady_clock::time_point delivered_{};  // when some were taken last
  SchedulerCounts counts_;
  int64_t last_ = 0;
  bool closed_ = false;
  bool running_ = false;  // the thread, which has events to publish still
  std::thread thread_;
};

}  // namespace ivl
