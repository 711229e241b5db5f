#include "generate/generation.h"

#include <algorithm>

namespace ivl {

// What passes the decoder in one go: up to kChunkRows rows of as many requests as fit.
struct Generation::Batch {
  std::vector<int32_t> ids;
  std::vector<Splice> splices;
  std::vector<SequenceSpan> spans;
  std::vector<int32_t> logit_rows;
  struct Part {
    int32_t number;
    int64_t rows;
    bool complete;  // the request's last pending row is in it
  };
  std::vector<Part> parts;

  int64_t rows() const { return static_cast<int64_t>(ids.size()); }
  void add(int32_t number, const Request& request) {
    const int64_t begin = rows();
    const int64_t count = std::min(request.pending(), kChunkRows - begin);
    request.append_to(ids, splices, spans, begin, count);
    parts.push_back({number, count, count == request.pending()});
    if (request.recording() != nullptr) {
      for (int64_t row = begin; row < begin + count; ++row) logit_rows.push_back(static_cast<int32_t>(row));
    } else if (parts.back().complete) {
      logit_rows.push_back(static_cast<int32_t>(begin + count - 1));
    }
  }
};

Request& Generation::at(int32_t request) const {
  if (request < 0 || static_cast<size_t>(request) >= requests_.size()) {
    fail(Status::InvalidArgument, cat("request ", request, " is not one of the generation's ", requests_.size()));
  }
  return *requests_[static_cast<size_t>(request)];
}

int32_t Generation::add(std::shared_ptr<Sequence> sequence, Prompt prompt, const Sampling& sampling,
                        std::shared_ptr<Recording> recording) {
  const std::lock_guard<std::mutex> lock(mutex_);
  engine_->cancellation(cancelled_.get()).check();
  const auto recorded = [](const auto& request) { return !request->finished() && request->recording() != nullptr; };
  const bool busy = !unfinished_numbers().empty();
  if ((recording != nullptr && busy) || std::any_of(requests_.begin(), requests_.end(), recorded)) {
    fail(Status::InvalidArgument, "a recorded request runs alone");
  }
  requests_.push_back(std::make_unique<Request>(engine_, std::move(sequence), std::move(prompt), sampling,
                                                std::move(recording)));
  return static_cast<int32_t>(requests_.size() - 1);
}

std::vector<int32_t> Generation::unfinished_numbers() const {
  std::vector<int32_t> numbers;
  for (size_t i = 0; i < requests_.size(); ++i) {
    if (!requests_[i]->finished()) numbers.push_back(static_cast<int32_t>(i));
  }
  return numbers;
}

std::vector<Generation::Token> Generation::step() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& request : requests_) request->forget_last_step();
  std::vector<Token> tokens;
  try {
    std::vector<int32_t> waiting = unfinished_numbers();
    while (!waiting.empty()) {
      compute(waiting, tokens);
      const auto answered = [&](int32_t number) {
        return std::any_of(tokens.begin(), tokens.end(), [&](const Token& t) { return t.request == number; });
      };
      waiting.erase(std::remove_if(waiting.begin(), waiting.end(), answered), waiting.end());
    }
  } catch (...) {
    give_up(Finish::Cancelled);
    throw;
  }
  return tokens;
}

// One pass over the weights for as many rows as a chunk holds; requests whose pending rows were all in it get a token.
void Generation::compute(const std::vector<int32_t>& numbers, std::vector<Token>& tokens) {
  Batch batch;
  for (const int32_t number : numbers) {
    if (batch.rows() == kChunkRows) break;
    batch.add(number, at(number));
  }
  Recording* recording = at(batch.parts.front().number).recording();
  std::vector<Draw> draws;
  for (const Batch::Part& part : batch.parts) {
    if (part.complete) draws.push_back(at(part.number).draw());
  }
  // A row for each draw. Before them come those that a recording alone asked for.
  const auto answers = static_cast<int64_t>(draws.size());
  Logits logits;
  std::vector<Sampled> sampled;
  {
    const Engine::Access model(*engine_);
    logits = model->decode({batch.ids, batch.splices, batch.spans, batch.logit_rows}, recording,
                           engine_->cancellation(cancelled_.get()));
    logits = logits.row_range(logits.matrix.rows - answers, answers);
    if (answers > 0) sampled = logits.backend->sample(logits.matrix, draws);
  }
  size_t next = 0;
  for (const Batch::Part& part : batch.parts) {
    Request& request = at(part.number);
    request.advance(part.rows);
    if (!part.complete) continue;
    request.accept(std::move(sampled[next]), logits.row_range(static_cast<int64_t>(next), 1));
    tokens.push_back({part.number, request.sampled().token, request.sampled().logprob, request.finish()});
    ++next;
  }
}

void Generation::give_up(Finish finish) {
  for (const auto& request : requests_) request->end(finish);
}

void Generation::end(int32_t request) {
  const std::lock_guard<std::mutex> lock(mutex_);
  at(request).end(Finish::Stop);
}

int64_t Generation::unfinished() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<int64_t>(unfinished_numbers().size());
}

std::vector<TokenLogprob> Generation::top_logprobs(int32_t request) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return at(request).top();
}

std::vector<float> Generation::logits(int32_t request) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Logits& logits = at(request).logits();
  if (logits.matrix.rows == 0) return {};
  return engine_->to_host(logits);
}

int64_t Generation::reused(int32_t request) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return at(request).reused();
}

}  // namespace ivl
