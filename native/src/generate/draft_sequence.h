// What the draft has read of one request, and what it thinks comes next.
//
// It reads text: the request's tokens without those that pictures stand for. Drafted tokens have rows in its cache, too, but behind what
// the cache remembers: only what came true is remembered, the rest is written over.
#pragma once

#include <span>
#include <vector>

#include "generate/acceptance.h"
#include "generate/kv_sequence.h"
#include "generate/request.h"

namespace ivl {

class DraftSequence {
 public:
  // `engine` and `pool` are the draft's; `hoped` is what it is believed at first.
  DraftSequence(const Engine& engine, KvPool& pool, const Request& request, const Acceptance& hoped);

  // Reads what the request has had since, and lets go of what was drafted but for what came true.
  void follow(const Request& request);

  // How many tokens are to be drafted, at most `most`, where each costs `cost` of what a token without them does.
  size_t worth(double cost, size_t most);
  void judge(size_t drafted, size_t right);
  // It drafts no more.
  void give_up();

  // Makes room in the cache for that many drafted tokens; false if there is none, and then others have what this one had.
  bool reserve(const Engine::Turn& turn, size_t drafted);
  // Tokens that are read or drafted, but not computed. At least one.
  int64_t pending() const { return static_cast<int64_t>(text_.size() + drafted_.size()) - computed_; }
  // The next `rows` of them as the next rows of a batch.
  void append_to(std::vector<int32_t>& ids, std::vector<SequenceSpan>& spans, int64_t rows) const;
  // Those rows were computed.
  void advance(int64_t rows) { computed_ += rows; }
  // Nothing is pending: this comes next.
  void add(int32_t token) { drafted_.push_back(token); }
  const std::vector<int32_t>& drafted() const { return drafted_; }

 private:
  std::vector<PositionKey> keys(int64_t begin, int64_t end) const;

  const Engine& engine_;
  KvSequence cache_;
  std::vector<int32_t> text_;  // that the request has
  size_t prompt_ = 0;          // of it: the request's prompt
  int64_t seen_ = 0;           // tokens of the request
  std::vector<int32_t> drafted_;
  int64_t computed_ = 0;  // of text_ and then drafted_: have rows
  Acceptance acceptance_;
  int64_t silent_ = 0;  // times since the last draft that it was not worth one
  bool given_up_ = false;
};

}  // namespace ivl
