// A smaller model of the same vocabulary that says beforehand what the model may say. What it drafts is checked like any guess, so it
// costs time where it is wrong and never changes an answer.
//
// Where the request draws its tokens, the draft draws, too, in the same way and with the same random numbers: what both models find
// likely then comes out of both.
//
// Not thread-safe: its scheduler uses it. It takes turns at the draft's engine within those at the model's own, so that no model may be
// its own draft, or its draft's.
#pragma once

#include <memory>
#include <span>

#include "generate/draft_sequence.h"
#include "generate/pace.h"

namespace ivl {

class DraftModel {
 public:
  // Over a cache of its own, of as many blocks as the engine's placement has planned. Beside running answers one of its passes takes a
  // part of the time that the model's own may.
  DraftModel(std::shared_ptr<Engine> engine, const Pace& pass);

  std::unique_ptr<DraftSequence> sequence(const Request& request);

  struct Wish {
    const Request* request;
    DraftSequence* sequence;  // that follows it
    size_t tokens;            // to be drafted
  };
  // Drafts for all of them together. One that has not read its request yet reads on, as far as there is time, and drafts nothing. What
  // fails gives up; no failure is anybody else's. `abort` as Scheduler::turn().
  void draft(std::span<const Wish> wishes, const std::atomic<bool>* abort);
  // How many of a sequence's drafted tokens came true.
  void judge(DraftSequence& sequence, size_t drafted, size_t right);

  // Of a pass with a token for each request; 0 as long as none was measured.
  double pass_seconds() const { return pace_.token(); }
  int64_t blocks_used() const { return pool_.used(); }
  // Requests that have lost their draft by a failure.
  int64_t failures() const { return failures_; }

 private:
  void pass(const Engine::Access& model, std::span<const Wish> wishes, const Cancellation& cancel);
  void fail(DraftSequence& sequence);

  std::shared_ptr<Engine> engine_;
  KvPool pool_;
  Pace pace_;
  Acceptance acceptance_;  // of all requests: what the next one is begun with
  int64_t failures_ = 0;
};

}  // namespace ivl
