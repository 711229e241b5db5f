// One prompt on its way to an answer.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "generate/sampler.h"
#include "generate/sequence.h"
#include "model/recording.h"

namespace ivl {

enum class Finish { None, Stop, Length, Cancelled, Failed };

struct Prompt {
  std::vector<int32_t> tokens;
  int32_t image_token = -1;
  std::vector<std::shared_ptr<const Features>> features;  // in the order of the image tokens
  std::vector<int32_t> stop_tokens;
};

class Request {
 public:
  // Checks the prompt against the model, which must be that of all it comes with, and takes the sequence (one of its own if
  // null), reusing what it holds. With a recording nothing is reused, since the whole prompt is to be seen.
  Request(std::shared_ptr<Engine> engine, std::shared_ptr<Sequence> sequence, Prompt prompt, const Sampling& sampling,
          std::shared_ptr<Recording> recording);
  ~Request() { end(finish_ == Finish::None ? Finish::Cancelled : finish_); }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  bool finished() const { return finish_ != Finish::None; }
  Finish finish() const { return finish_; }
  int64_t reused() const { return reused_; }
  Recording* recording() const { return recording_.get(); }
  // Of the last step, (1, vocabulary); no rows before the first.
  const Logits& logits() const { return logits_; }
  const std::vector<TokenLogprob>& top() const { return sampled_.top; }
  const Sampled& sampled() const { return sampled_; }
  // Why it has no further token, if it is Finish::Failed.
  const std::optional<Error>& failure() const { return sampled_.failure; }

  // Tokens known but not yet in the cache.
  int64_t pending() const { return static_cast<int64_t>(tokens_.size()) - sequence_->length(); }
  // The next `rows` pending tokens as rows [row, row + rows) of a batch.
  void append_to(std::vector<int32_t>& ids, std::vector<Splice>& splices, std::vector<SequenceSpan>& spans,
                 int64_t row, int64_t rows) const;
  // The batch with those rows was computed.
  void advance(int64_t rows);
  // How the next token is to be drawn from the logits of the last pending row. Good until accept().
  Draw draw() { return sampler_.next(std::span(tokens_).subspan(prompt_size_)); }
  // Takes what was drawn from the logits; may finish the request. A failure does.
  void accept(Sampled sampled, Logits logits);
  // The request cannot go on.
  void fail_with(const Error& failure);
  // Gives the sequence back. Later calls change nothing.
  void end(Finish finish);
  // Before the next step: lets go of logits that only the last step's readers need.
  void forget_logits() { logits_ = {}; }

 private:
  struct PictureRun {  // positions [begin, begin + rows) of the prompt are rows [from, from + rows) of the features
    int64_t begin, rows, from;
    const Features* features;
  };

  void check_owner(const Sequence* sequence, const Prompt& prompt) const;
  void check_prompt(const Prompt& prompt) const;
  void place_pictures(const Prompt& prompt);
  void add_key(PositionKey key);
  bool is_stop(int32_t token) const;

  std::shared_ptr<Engine> engine_;
  std::shared_ptr<Sequence> sequence_;
  std::vector<std::shared_ptr<const Features>> features_;
  std::vector<int32_t> stop_tokens_;
  std::vector<int32_t> tokens_;  // prompt and answer
  std::vector<PositionKey> keys_;
  std::vector<PictureRun> pictures_;
  size_t prompt_size_ = 0;
  int64_t reused_ = 0;
  Sampling sampling_;
  Sampler sampler_;
  std::shared_ptr<Recording> recording_;
  Logits logits_;
  Sampled sampled_{-1, 0, {}, {}};
  Finish finish_ = Finish::None;
};

}  // namespace ivl
