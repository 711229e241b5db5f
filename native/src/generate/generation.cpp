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

// Null if it ended and was forgotten.
Request* Generation::find(int32_t request) const {
  if (request < 0 || request >= next_) {
    fail(Status::InvalidArgument, cat("request ", request, " is not one of the generation's ", next_));
  }
  const auto found = requests_.find(request);
  return found == requests_.end() ? nullptr : found->second.get();
}

int32_t Generation::add(std::shared_ptr<Sequence> sequence, Prompt prompt, const Sampling& sampling,
                        std::shared_ptr<Recording> recording) {
  const std::lock_guard<std::mutex> lock(mutex_);
  engine_->cancellation(cancelled_.get()).check();
  const auto recorded = [](const auto& each) { return !each.second->finished() && each.second->recording() != nullptr; };
  const bool busy = !unfinished().empty();
  if ((recording != nullptr && busy) || std::any_of(requests_.begin(), requests_.end(), recorded)) {
    fail(Status::InvalidArgument, "a recorded request runs alone");
  }
  requests_.emplace(next_, std::make_unique<Request>(engine_, std::move(sequence), std::move(prompt), sampling,
                                                     std::move(recording)));
  return next_++;
}

std::vector<int32_t> Generation::unfinished() const {
  std::vector<int32_t> numbers;
  for (const auto& [number, request] : requests_) {
    if (!request->finished()) numbers.push_back(number);
  }
  return numbers;
}

void Generation::forget_last_step() {
  std::erase_if(requests_, [](const auto& each) { return each.second->finished(); });
  for (const auto& each : requests_) each.second->forget_logits();
}

std::vector<Generation::Token> Generation::step(int64_t room) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<int32_t> waiting = unfinished();
  const auto needed = static_cast<int64_t>(waiting.size());
  if (needed > room) {
    fail(Status::InvalidArgument, cat("out has room for ", room, " entries, but ", needed, " are needed"));
  }
  forget_last_step();
  std::vector<Token> tokens;
  try {
    while (!waiting.empty()) {
      compute(waiting, tokens);
      const auto answered = [&](int32_t number) {
        return std::any_of(tokens.begin(), tokens.end(), [&](const Token& t) { return t.request == number; });
      };
      waiting.erase(std::remove_if(waiting.begin(), waiting.end(), answered), waiting.end());
    }
  } catch (...) {
    give_up();
    throw;
  }
  return tokens;
}

// One pass over the weights for as many rows as a chunk holds; requests whose pending rows were all in it get a token.
void Generation::compute(const std::vector<int32_t>& numbers, std::vector<Token>& tokens) {
  Batch batch;
  for (const int32_t number : numbers) {
    if (batch.rows() == kChunkRows) break;
    batch.add(number, *requests_.at(number));
  }
  Logits logits;
  std::vector<Sampled> sampled;
  const auto fail_all = [&](const Error& error) {
    for (const Batch::Part& part : batch.parts) {
      requests_.at(part.number)->fail_with(error);
      tokens.push_back({part.number, -1, 0, Finish::Failed});
    }
  };
  try {
    sampled = pass(batch, logits);
  } catch (const Error& error) {
    if (error.status() == Status::Cancelled || error.status() == Status::Closed) throw;
    return fail_all(error);
  } catch (const std::bad_alloc&) {
    return fail_all(Error(Status::OutOfMemory, "the system has no memory left for a pass of the model"));
  }
  size_t next = 0;
  for (const Batch::Part& part : batch.parts) {
    Request& request = *requests_.at(part.number);
    request.advance(part.rows);
    if (!part.complete) continue;
    request.accept(std::move(sampled[next]), logits.row_range(static_cast<int64_t>(next), 1));
    tokens.push_back({part.number, request.sampled().token, request.sampled().logprob, request.finish()});
    ++next;
  }
}

// What is drawn for each complete request, from a row of logits each.
std::vector<Sampled> Generation::pass(const Batch& batch, Logits& logits) {
  std::vector<Draw> draws;
  for (const Batch::Part& part : batch.parts) {
    if (part.complete) draws.push_back(requests_.at(part.number)->draw());
  }
  const auto answers = static_cast<int64_t>(draws.size());
  const Engine::Access model(*engine_);
  logits = model->decode({batch.ids, batch.splices, batch.spans, batch.logit_rows},
                         requests_.at(batch.parts.front().number)->recording(), engine_->cancellation(cancelled_.get()));
  // Before them come those rows that a recording alone asked for.
  logits = logits.row_range(logits.matrix.rows - answers, answers);
  if (answers == 0) return {};
  return logits.backend->sample(logits.matrix, draws);
}

void Generation::give_up() {
  for (const auto& each : requests_) each.second->end(Finish::Cancelled);
}

void Generation::end(int32_t request) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (Request* ending = find(request)) ending->end(Finish::Stop);
}

std::vector<TokenLogprob> Generation::top_logprobs(int32_t request) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Request* asked = find(request);
  return asked == nullptr ? std::vector<TokenLogprob>() : asked->top();
}

std::optional<Error> Generation::failure(int32_t request) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Request* asked = find(request);
  return asked == nullptr ? std::nullopt : asked->failure();
}

std::vector<float> Generation::logits(int32_t request) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Request* asked = find(request);
  if (asked == nullptr || asked->logits().matrix.rows == 0) return {};
  return engine_->to_host(asked->logits());
}

int64_t Generation::reused(int32_t request) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Request* asked = find(request);
  if (asked == nullptr) fail(Status::InvalidArgument, cat("request ", request, " ended before the last step and is forgotten"));
  return asked->reused();
}

size_t Generation::remembered() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return requests_.size();
}

}  // namespace ivl
