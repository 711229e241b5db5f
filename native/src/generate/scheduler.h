// Requests that come and go, computed together: each turn is one pass of the decoder over the rows of all that have some, and a slice
// of the pictures that some wait for. A row's bits do not depend on its company, on how a prompt is cut, or on what was found in the
// cache, so a request's tokens are those it would have alone, whatever this class decides.
//
// Tokens of running answers come first; then, in the time that is left, prompts, the oldest first. When no block of the cache is left,
// the request that came last gives its own back and is computed again later.
//
// Not thread-safe: one thread adds, cancels and takes turns (request_service.h).
#pragma once

#include <list>

#include "generate/draft_model.h"
#include "generate/pace.h"
#include "generate/picture_queue.h"
#include "generate/request.h"

namespace ivl {

struct SchedulerOptions {
  int64_t kv_blocks = 1;      // of the cache: at least as many as the longest request comes to need
  double pass_seconds = 0.1;  // what a pass should take at most while answers run
  // What another row of a pass, drafted or not, costs as a part of what one token does; measured if it is not given.
  std::optional<double> row_cost = {};
  // Rows of prompts in a pass that has tokens, too; what the time is enough for if it is not given.
  std::optional<int64_t> rows_beside = {};
};

// What became of a request. It ends with one whose finish is not None.
struct Event {
  int64_t request = 0;
  int32_t token = -1;  // -1 if it was cancelled or failed
  float logprob = 0;
  Finish finish = Finish::None;
  std::vector<TokenLogprob> top = {};
  std::optional<Error> failure = {};  // of Finish::Failed
  std::vector<float> logits = {};     // if they are wanted: those that the token was drawn from
  bool urgent = true;                 // who waits for it does not gain if more come with it
  // Facts about its beginning.
  int64_t reused = 0;          // tokens of the prompt that were in the cache
  double queue_seconds = 0;    // before its first turn
  double picture_seconds = 0;  // from then until its pictures were encoded
};

struct SchedulerCounts {
  int64_t running = 0, waiting = 0;     // requests now
  int64_t blocks_used = 0, blocks = 0;  // of the cache
  int64_t prompt_tokens = 0, reused_tokens = 0, new_tokens = 0;
  int64_t pictures = 0;  // encoded
  int64_t preemptions = 0, passes = 0;
  int64_t guessed_tokens = 0, right_tokens = 0;          // by PromptLookup
  int64_t drafted_tokens = 0, right_drafted_tokens = 0;  // by DraftModel
  int64_t draft_blocks_used = 0, draft_failures = 0;
};

class Scheduler {
 public:
  Scheduler(std::shared_ptr<Engine> engine, const SchedulerOptions& options);

  // Guesses from now on where PromptLookup has nothing. Before the first request, once; a model of another engine.
  void set_draft(std::shared_ptr<Engine> draft);

  void add(int64_t id, std::unique_ptr<Request> request);
  void cancel(int64_t id);
  // See Request::allow(); nothing if the request has ended.
  void allow(int64_t id, TokenMask mask);
  // There are no requests, and no events to be given by turn().
  bool idle() const { return requests_.empty() && events_.empty(); }
  // The last turn found nothing to do, and nothing has come since: all that is left waits for allow().
  bool stalled() const { return stalled_; }
  // Those that have not ended.
  std::vector<int64_t> requests() const;

  // `abort` may be null; once it is true, the pass is given up and nothing of it counts. Error(Closed) once the model is closed.
  std::vector<Event> turn(const std::atomic<bool>* abort);
  // All of them end so.
  std::vector<Event> fail_all(const Error& error);

  SchedulerCounts counts() const;

 private:
  using Clock = PictureQueue::Clock;
  struct Entry {
    int64_t id;
    std::unique_ptr<Request> request;
    Clock::time_point added;
    std::optional<Clock::time_point> begun = {}, seen = {};  // seen: its pictures were encoded
    std::unique_ptr<DraftSequence> draft = {};               // while it is attached, from its first draft on
    bool alone() const { return request->options().recording != nullptr; }
  };
  using Entries = std::list<Entry>;  // by priority, then by time
  struct Part {
    Entry* entry;
    int64_t rows;   // pending ones
    bool complete;  // the last of them is in it
    std::vector<int32_t> guessed = {};
    bool drafted = false;  // they are the draft's
    // Rows with logits to draw from.
    size_t draws() const { return complete ? 1 + guessed.size() : 0; }
  };
  // What a pass gives: of each row that is drawn from, in the parts' order.
  struct Drawn {
    std::vector<Sampled> tokens;
    std::vector<std::vector<float>> logits;  // where they are wanted
  };

  bool admit(const Engine::Turn& turn);
  bool waits_for_another(const Entry& entry) const;
  void encode(const Engine::Access& model, const Cancellation& cancel);
  std::vector<Part> plan(const Engine::Turn& turn, const std::atomic<bool>* abort);
  int64_t guess(const Engine::Turn& turn, std::vector<Part>& parts, int64_t room);
  int64_t draft(const Engine::Turn& turn, std::vector<Part>& parts, int64_t room, const std::atomic<bool>* abort);
  size_t worth_drafting(Entry& entry, double cost, size_t room);
  bool add_part(const Engine::Turn& turn, Entry& entry, int64_t rows, std::vector<Part>& parts);
  bool make_room(const Engine::Turn& turn, Entry& entry, int64_t rows, std::vector<Part>& parts);
  void compute(const Engine::Access& model, const std::vector<Part>& parts, const Cancellation& cancel);
  Drawn pass(const Engine::Access& model, const std::vector<Part>& parts, const Cancellation& cancel);
  void take(const Part& part, Drawn& drawn, size_t first);
  bool accept(Entry& entry, Sampled sampled, std::vector<float> logits);
  void judge(Entry& entry, const Part& part, size_t right);
  void fail(Entry& entry, const Error& error);
  void detach(Entry& entry);
  void end(Entry& entry);
  Event event_of(const Entry& entry, Finish finish) const;

  std::shared_ptr<Engine> engine_;
  KvPool pool_;
  Pace pace_;
  const std::optional<double> row_cost_;
  std::unique_ptr<DraftModel> draft_;  // or none
  PictureQueue pictures_;
  Entries requests_;
  Entries ended_;  // in this turn
  std::vector<Event> events_;
  SchedulerCounts counts_;
  bool stalled_ = false;
};

}  // namespace ivl
