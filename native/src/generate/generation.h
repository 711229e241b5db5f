// Requests that are computed together, a token each step.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "generate/request.h"

namespace ivl {

class Generation {
 public:
  struct Token {
    int32_t request;
    int32_t token;  // -1 if the request ended without one
    float logprob;
    Finish finish;
  };

  // `cancelled` may be null. Once it is true, steps fail with Error(Cancelled) and every request is over.
  Generation(std::shared_ptr<Engine> engine, std::shared_ptr<const std::atomic<bool>> cancelled)
      : engine_(std::move(engine)), cancelled_(std::move(cancelled)) {}

  // See Request. Returns the request's number.
  int32_t add(std::shared_ptr<Sequence> sequence, Prompt prompt, const Sampling& sampling,
              std::shared_ptr<Recording> recording);
  // One token for every unfinished request. Rows of different requests share each pass over the weights; a request's
  // rows are the same bits as if it were alone, which is what makes its tokens the same.
  std::vector<Token> step();
  void end(int32_t request);

  int64_t unfinished() const;
  std::vector<TokenLogprob> top_logprobs(int32_t request) const;
  // Behind the request's last token, brought to the host now: (vocabulary). Empty before the first step, and once a later step
  // found the request finished.
  std::vector<float> logits(int32_t request) const;
  int64_t reused(int32_t request) const;

 private:
  struct Batch;

  Request& at(int32_t request) const;
  std::vector<int32_t> unfinished_numbers() const;
  void compute(const std::vector<int32_t>& numbers, std::vector<Token>& tokens);
  void give_up(Finish finish);

  std::shared_ptr<Engine> engine_;
  std::shared_ptr<const std::atomic<bool>> cancelled_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Request>> requests_;
};

}  // namespace ivl
