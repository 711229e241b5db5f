#include "generate/request_service.h"

#include <algorithm>
#include <system_error>

namespace ivl {
namespace {

const Error& closed() {
  static const Error error(Status::Closed, "the model was closed");
  return error;
}

}  // namespace

RequestService::RequestService(std::shared_ptr<Engine> engine, const ServiceOptions& options)
    : engine_(std::move(engine)),
      kv_blocks_(options.kv_blocks),
      gather_(options.gather),
      features_(options.feature_bytes),
      scheduler_(engine_, options) {}

void RequestService::set_draft(std::shared_ptr<Engine> draft) {
  const int64_t own = engine_->config().language.vocab;
  const int64_t other = draft->config().language.vocab;
  if (draft == engine_) fail(Status::InvalidArgument, "a model cannot be its own draft");
  if (own != other) fail(Status::InvalidArgument, cat("the draft has a vocabulary of ", other, ", expected the model's ", own));
  draft->check_open();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) throw Error(closed());
  if (draft_ != nullptr) fail(Status::InvalidArgument, "the model has a draft already");
  if (last_ > 0) fail(Status::InvalidArgument, "the model has had requests; a draft comes before the first");
  scheduler_.set_draft(draft);
  draft_ = std::move(draft);
}

std::shared_ptr<Features> RequestService::features(const std::string& content, std::vector<float> pixels, int64_t count,
                                                   const AdapterChoices& adapters) {
  engine_->check_open();
  return features_.get(engine_, content, std::move(pixels), count, adapters);
}

int64_t RequestService::submit(Prompt prompt, RequestOptions options) {
  auto request = std::make_unique<Request>(*engine_, std::move(prompt), std::move(options));
  if (blocks_for(request->most_positions()) > kv_blocks_) {
    fail(Status::ContextLength, cat("the prompt of ", request->tokens(), " tokens and its answer may need ",
                                    request->most_positions(), " positions of the KV cache, which holds ", kv_blocks_ * kKvBlock,
                                    ": a larger KV cache or fewer new tokens would do"));
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) throw Error(closed());
  engine_->check_open();
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { run(); });
      running_ = true;
    } catch (const std::system_error& error) {
      fail(Status::OutOfMemory, cat("the system has no thread for the requests: ", error.what()));
    }
  }
  submitted_.push_back({++last_, std::move(request)});
  wake_.notify_one();
  return last_;
}

void RequestService::cancel(int64_t request) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || request < 1 || request > last_) return;
  cancelled_.push_back(request);
  if (std::erase(in_turn_, request) > 0 && in_turn_.empty()) abort_.store(true);
  wake_.notify_one();
}

void RequestService::allow(int64_t request, TokenMask mask) {
  check_mask(mask, engine_->config().language.vocab);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || request < 1 || request > last_) return;
  allowed_.emplace_back(request, std::move(mask));
  wake_.notify_one();
}

std::vector<Event> RequestService::poll(std::chrono::milliseconds timeout, size_t most) {
  std::unique_lock<std::mutex> lock(mutex_);
  // By the clock that may be set: to wait by the steady one takes a function that glibc 2.31 has under another version.
  const auto now = std::chrono::system_clock::now();
  const auto end = now + timeout;
  const auto gathered = now + (delivered_ + gather_ - std::chrono::steady_clock::now());
  ++gathering_;
  arrive_.wait_until(lock, std::min(end, gathered), [&] { return urgent_ || over(); });
  --gathering_;
  arrive_.wait_until(lock, end, [&] { return !events_.empty() || over(); });
  if (events_.empty() && over()) throw Error(closed());
  std::vector<Event> taken;
  while (!events_.empty() && taken.size() < most) {
    taken.push_back(std::move(events_.front()));
    events_.pop_front();
  }
  urgent_ = !events_.empty();
  if (!taken.empty()) delivered_ = std::chrono::steady_clock::now();
  return taken;
}

void RequestService::close() {
  engine_->begin_closing();
  std::thread thread;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    closed_ = true;
    if (draft_ != nullptr) draft_->begin_closing();
    wake_.notify_one();
    arrive_.notify_all();
    arrive_.wait(lock, [&] { return over(); });
    std::swap(thread, thread_);
  }
  if (thread.joinable()) thread.join();
  features_.clear();
  if (draft_ != nullptr) draft_->close();
}

SchedulerCounts RequestService::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

void RequestService::run() {
  while (begin_turn()) {
    std::vector<Event> events;
    try {
      events = scheduler_.turn(&abort_);
    } catch (const Error& error) {
      events = scheduler_.fail_all(error);
    } catch (const std::exception& error) {
      events = scheduler_.fail_all(Error(Status::Internal, error.what()));
    }
    publish(std::move(events));
  }
  publish(scheduler_.fail_all(closed()));
  const std::lock_guard<std::mutex> lock(mutex_);
  running_ = false;
  arrive_.notify_all();
}

// Brings the scheduler what has come; waits if there is nothing to do. False once the service is closed.
bool RequestService::begin_turn() {
  std::unique_lock<std::mutex> lock(mutex_);
  in_turn_.clear();
  wake_.wait(lock, [&] {
    return closed_ || !submitted_.empty() || !cancelled_.empty() || !allowed_.empty() ||
           !(scheduler_.idle() || scheduler_.stalled());
  });
  for (Submitted& each : submitted_) scheduler_.add(each.id, std::move(each.request));
  submitted_.clear();
  for (const int64_t each : cancelled_) scheduler_.cancel(each);
  cancelled_.clear();
  for (auto& [id, mask] : allowed_) scheduler_.allow(id, std::move(mask));
  allowed_.clear();
  in_turn_ = scheduler_.requests();
  abort_.store(false);
  return !closed_;
}

void RequestService::publish(std::vector<Event> events) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (Event& event : events) {
    urgent_ |= event.urgent;
    events_.push_back(std::move(event));
  }
  counts_ = scheduler_.counts();
  if (urgent_ || (gathering_ == 0 && !events_.empty())) arrive_.notify_all();
}

}  // namespace ivl
