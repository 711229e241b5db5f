// Requests that are computed together, a token each step.
#pragma once

#include <atomic>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "generate/request.h"

namespace ivl {

class Generation {
 public:
  struct Token {
    int32_t request;
    int32_t token;  // -1 if the request failed: see failure()
    float logprob;
    Finish finish;
  };

  // `cancelled` may be null. Once it is true, steps fail with Error(Cancelled) and every request is over; so they are when a step
  // fails with Error(Closed).
  Generation(std::shared_ptr<Engine> engine, std::shared_ptr<const std::atomic<bool>> cancelled)
      : engine_(std::move(engine)), cancelled_(std::move(cancelled)) {}

  // See Request. Returns the request's number.
  int32_t add(std::shared_ptr<Sequence> sequence, Prompt prompt, const Sampling& sampling,
              std::shared_ptr<Recording> recording);
  // One token, or a failure, for every unfinished request. Rows of different requests share each pass over the weights; a
  // request's rows are the same bits as if it were alone, which is what makes its tokens the same. What is wrong with one
  // request's row ends that request; a pass that fails ends those that were in it.
  // Error(InvalidArgument), and nothing done, if there are more than `room` unfinished requests.
  std::vector<Token> step(int64_t room = std::numeric_limits<int64_t>::max());
  // Nothing if it has ended already.
  void end(int32_t request);

  // Of a request that ended all is forgotten by the next step; until then, and as long as it runs, it can be asked for.
  std::vector<TokenLogprob> top_logprobs(int32_t request) const;
  std::optional<Error> failure(int32_t request) const;
  // Behind the request's last token, brought to the host now: (vocabulary). Empty before the first step.
  std::vector<float> logits(int32_t request) const;
  // Error(InvalidArgument) once it is forgotten.
  int64_t reused(int32_t request) const;
  // Requests that are not forgotten.
  size_t remembered() const;

 private:
  struct Batch;

  Request* find(int32_t request) const;
  std::vector<int32_t> unfinished() const;
  void forget_last_step();
  void compute(const std::vector<int32_t>& numbers, std::vector<Token>& tokens);
  std::vector<Sampled> pass(const Batch& batch, Logits& logits);
  void give_up();

  std::shared_ptr<Engine> engine_;
  std::shared_ptr<const std::atomic<bool>> cancelled_;
  mutable std::mutex mutex_;
  std::map<int32_t, std::unique_ptr<Request>> requests_;  // by their numbers
  int32_t next_ = 0;
};

}  // namespace ivl
