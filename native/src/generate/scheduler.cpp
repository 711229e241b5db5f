#include "generate/scheduler.h"

#include <algorithm>

namespace ivl {
namespace {

// More would only make a pass longer that is bound by its products already.
constexpr int64_t kMostRunning = kChunkRows / 2;

double seconds_between(std::chrono::steady_clock::time_point begin, std::chrono::steady_clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace

Scheduler::Scheduler(std::shared_ptr<Engine> engine, const SchedulerOptions& options)
    : engine_(std::move(engine)),
      pool_(engine_, options.kv_blocks),
      pace_(options.pass_seconds, options.rows_beside),
      row_cost_(options.row_cost) {}

void Scheduler::set_draft(std::shared_ptr<Engine> draft) { draft_ = std::make_unique<DraftModel>(std::move(draft), pace_); }

void Scheduler::add(int64_t id, std::unique_ptr<Request> request) {
  stalled_ = false;
  const int32_t priority = request->options().priority;
  const auto later = [&](const Entry& entry) { return entry.request->options().priority < priority; };
  requests_.insert(std::find_if(requests_.begin(), requests_.end(), later), {id, std::move(request), Clock::now()});
}

void Scheduler::cancel(int64_t id) {
  stalled_ = false;
  const auto found = std::find_if(requests_.begin(), requests_.end(), [&](const Entry& entry) { return entry.id == id; });
  if (found == requests_.end()) return;  // it has ended
  events_.push_back(event_of(*found, Finish::Cancelled));
  requests_.erase(found);
}

void Scheduler::allow(int64_t id, TokenMask mask) {
  stalled_ = false;
  for (Entry& entry : requests_) {
    if (entry.id == id) return entry.request->allow(std::move(mask));
  }
}

std::vector<int64_t> Scheduler::requests() const {
  std::vector<int64_t> ids;
  for (const Entry& entry : requests_) ids.push_back(entry.id);
  return ids;
}

std::vector<Event> Scheduler::turn(const std::atomic<bool>* abort) {
  const Cancellation cancel = engine_->cancellation(abort);
  const Engine::Access model(*engine_);
  const bool admitted = admit(model);
  const bool encodes = !pictures_.empty();
  encode(model, cancel);
  const std::vector<Part> parts = plan(model, abort);
  compute(model, parts, cancel);
  ended_.clear();
  stalled_ = !admitted && !encodes && parts.empty() && events_.empty();
  return std::exchange(events_, {});
}

std::vector<Event> Scheduler::fail_all(const Error& error) {
  while (!requests_.empty()) fail(requests_.front(), error);
  ended_.clear();
  pictures_.keep([](const Features&) { return false; });
  return std::exchange(events_, {});
}

// In their order, as long as there are blocks for the rows they have now: who waits is not overtaken. Whether there was one.
bool Scheduler::admit(const Engine::Turn& turn) {
  int64_t running = 0;
  bool admitted = false;
  bool alone = std::any_of(requests_.begin(), requests_.end(), [](const Entry& e) { return e.request->attached() && e.alone(); });
  for (auto at = requests_.begin(); at != requests_.end() && running < kMostRunning && !alone; ++at) {
    if (!at->request->attached()) {
      if (at->alone() && running > 0) return admitted;
      if (waits_for_another(*at)) continue;
      if (at->request->wanted_blocks(pool_) > pool_.available() && running > 0) return admitted;
      at->request->attach(turn, pool_);
      admitted = true;
      if (!at->begun) {
        at->begun = Clock::now();
        counts_.prompt_tokens += at->request->tokens();
        counts_.reused_tokens += at->request->reused();
      }
      for (const std::shared_ptr<Features>& features : at->request->awaited()) pictures_.want(features);
    }
    ++running;
    alone = at->alone();
  }
  return admitted;
}

// Whether a request that runs is about to compute what this one begins with, too.
bool Scheduler::waits_for_another(const Entry& entry) const {
  constexpr int64_t kWorthIt = 32;  // positions; for fewer nobody waits
  return !entry.alone() && std::any_of(requests_.begin(), requests_.end(), [&](const Entry& other) {
    if (!other.request->attached() || other.alone() || other.request->pending() == 1) return false;
    return entry.request->common_with(*other.request) - other.request->computed() >= kWorthIt;
  });
}

// A slice of the pictures that are waited for.
void Scheduler::encode(const Engine::Access& model, const Cancellation& cancel) {
  if (!pictures_.empty()) {
    std::vector<const Features*> wanted;
    for (const Entry& entry : requests_) {
      if (!entry.request->attached()) continue;
      for (const std::shared_ptr<Features>& features : entry.request->awaited()) wanted.push_back(features.get());
    }
    pictures_.keep([&](const Features& features) { return std::find(wanted.begin(), wanted.end(), &features) != wanted.end(); });
  }
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(pace_.budget()));
  if (const auto failed = pictures_.advance(model, end, cancel)) {
    for (auto at = requests_.begin(); at != requests_.end();) {
      Entry& entry = *at++;
      if (!entry.request->attached()) continue;
      const auto awaited = entry.request->awaited();
      if (std::find(awaited.begin(), awaited.end(), failed->features) != awaited.end()) fail(entry, failed->error);
    }
  }
  for (Entry& entry : requests_) {
    if (entry.begun && !entry.seen && entry.request->attached() && entry.request->awaited().empty()) entry.seen = Clock::now();
  }
}

// The rows of the next pass: those of running answers, then prompts as far as there is time.
std::vector<Scheduler::Part> Scheduler::plan(const Engine::Turn& turn, const std::atomic<bool>* abort) {
  std::vector<Part> parts;
  const auto each = [&](const auto& body) {
    for (auto at = requests_.begin(); at != requests_.end();) {
      Entry& entry = *at++;  // which may end here
      if (entry.request->attached()) body(entry);
    }
  };
  each([&](Entry& entry) {
    if (entry.request->pending() > 1 || entry.request->ready() == 0) return;
    if (static_cast<int64_t>(parts.size()) < kChunkRows) add_part(turn, entry, 1, parts);
  });
  int64_t room = kChunkRows - static_cast<int64_t>(parts.size());
  if (!parts.empty()) room = pace_.rows_beside(room);
  room -= guess(turn, parts, room);
  room -= draft(turn, parts, room, abort);
  each([&](Entry& entry) {
    if (entry.request->pending() == 1 || room == 0) return;
    const int64_t rows = std::min(entry.request->ready(), room);
    if (rows > 0 && add_part(turn, entry, rows, parts)) room -= rows;
  });
  return parts;
}

// Adds guesses to the parts with a token each, at most `room` rows; says how many. Nobody gives up blocks for them.
int64_t Scheduler::guess(const Engine::Turn& turn, std::vector<Part>& parts, int64_t room) {
  int64_t rows = 0;
  for (Part& part : parts) {
    std::vector<int32_t> guessed =
        part.entry->request->guess(row_cost_.value_or(pace_.row_cost()) * static_cast<double>(parts.size()));
    guessed.resize(std::min(guessed.size(), static_cast<size_t>(room - rows)));
    if (guessed.empty() || !part.entry->request->reserve(turn, 1 + static_cast<int64_t>(guessed.size()))) continue;
    rows += static_cast<int64_t>(guessed.size());
    part.guessed = std::move(guessed);
  }
  return rows;
}

// The same of the draft, for the parts that have none yet.
int64_t Scheduler::draft(const Engine::Turn& turn, std::vector<Part>& parts, int64_t room, const std::atomic<bool>* abort) {
  // Now and then a pass goes without, or nobody would know what it saves.
  if (draft_ == nullptr || (!row_cost_ && pace_.stale())) return 0;
  const auto answers = static_cast<double>(parts.size());
  const double cost = row_cost_ ? *row_cost_ * answers : pace_.row_cost() * answers + draft_->pass_seconds() / pace_.token();
  std::vector<DraftModel::Wish> wishes;
  std::vector<Part*> wishing;
  for (Part& part : parts) {
    if (!part.guessed.empty()) continue;
    const size_t count = worth_drafting(*part.entry, cost, static_cast<size_t>(room));
    if (count == 0 || !part.entry->request->reserve(turn, 1 + static_cast<int64_t>(count))) continue;
    room -= static_cast<int64_t>(count);
    wishes.push_back({part.entry->request.get(), part.entry->draft.get(), count});
    wishing.push_back(&part);
  }
  if (wishes.empty()) return 0;
  draft_->draft(wishes, abort);
  int64_t rows = 0;
  for (Part* part : wishing) {
    part->guessed = part->entry->draft->drafted();
    part->drafted = true;
    rows += static_cast<int64_t>(part->guessed.size());
  }
  return rows;
}

// Tokens, at most `room`.
size_t Scheduler::worth_drafting(Entry& entry, double cost, size_t room) {
  const size_t most = std::min(room, entry.request->most_guessed());
  if (most == 0) return 0;
  if (entry.draft == nullptr) entry.draft = draft_->sequence(*entry.request);
  entry.draft->follow(*entry.request);
  return entry.draft->worth(cost, most);
}

bool Scheduler::add_part(const Engine::Turn& turn, Entry& entry, int64_t rows, std::vector<Part>& parts) {
  if (!make_room(turn, entry, rows, parts)) return false;
  parts.push_back({&entry, rows, rows == entry.request->pending()});
  return true;
}

// Blocks for the entry's next rows, from those that came later if need be. False: it gave its own back, or has failed.
bool Scheduler::make_room(const Engine::Turn& turn, Entry& entry, int64_t rows, std::vector<Part>& parts) {
  while (!entry.request->reserve(turn, rows)) {
    const auto attached = [](const Entry& other) { return other.request->attached(); };
    Entry& last = *std::find_if(requests_.rbegin(), requests_.rend(), attached);
    const bool only = std::count_if(requests_.begin(), requests_.end(), attached) == 1;
    if (only) {
      fail(entry, Error(Status::OutOfMemory,
                        cat("the KV cache has ", pool_.most(), " blocks of ", kKvBlock,
                            " tokens, and no memory for the more that a request of ", entry.request->tokens(), " tokens needs")));
      return false;
    }
    std::erase_if(parts, [&](const Part& part) { return part.entry == &last; });
    detach(last);
    ++counts_.preemptions;
    if (&last == &entry) return false;
  }
  return true;
}

void Scheduler::compute(const Engine::Access& model, const std::vector<Part>& parts, const Cancellation& cancel) {
  if (parts.empty()) return;
  const auto begin = Clock::now();
  Drawn drawn;
  const auto fail_parts = [&](const Error& error) {
    for (const Part& part : parts) fail(*part.entry, error);
  };
  try {
    drawn = pass(model, parts, cancel);
  } catch (const Error& error) {
    if (error.status() == Status::Closed) throw;
    if (error.status() == Status::Cancelled) return;  // given up by all of them
    return fail_parts(error);
  } catch (const std::bad_alloc&) {
    return fail_parts(Error(Status::OutOfMemory, "the system has no memory left for a pass of the model"));
  }
  size_t first = 0;
  int64_t more_rows = 0;  // than a token each
  for (const Part& part : parts) {
    take(part, drawn, first);
    first += part.draws();
    more_rows += part.rows - 1 + static_cast<int64_t>(part.guessed.size());
  }
  ++counts_.passes;
  pace_.took(more_rows, seconds_between(begin, Clock::now()));
}

Scheduler::Drawn Scheduler::pass(const Engine::Access& model, const std::vector<Part>& parts, const Cancellation& cancel) {
  std::vector<int32_t> ids, logit_rows;
  std::vector<Splice> splices;
  std::vector<SequenceSpan> spans;
  std::vector<Draw> draws;
  std::list<std::vector<int32_t>> answers;  // which the draws look at
  Recording* recording = nullptr;
  for (const Part& part : parts) {
    const Request& request = *part.entry->request;
    const size_t begin = ids.size();
    request.append_to(ids, splices, spans, part.rows, part.guessed);
    recording = request.options().recording.get();  // who has one is alone
    for (size_t row = recording != nullptr ? begin : ids.size() - part.draws(); row < ids.size(); ++row) {
      logit_rows.push_back(static_cast<int32_t>(row));
    }
    for (size_t i = 0; i < part.draws(); ++i) {
      draws.push_back(request.draw(std::span(part.guessed).first(i), answers.emplace_back()));
    }
  }
  require(static_cast<int64_t>(ids.size()) <= kChunkRows, "a pass has the rows of a chunk at most");
  const Logits all = model->decode({ids, splices, spans, logit_rows}, recording, cancel);
  if (draws.empty()) return {};
  // Before them come those rows that a recording alone asked for.
  const auto count = static_cast<int64_t>(draws.size());
  const Matrix rows = all.matrix.row_range(all.matrix.rows - count, count);
  Drawn drawn;
  drawn.logits.resize(draws.size());
  int64_t row = 0;
  for (const Part& part : parts) {
    for (size_t i = 0; i < part.draws(); ++i, ++row) {
      if (!part.entry->request->options().logits) continue;
      std::vector<float>& logits = drawn.logits[static_cast<size_t>(row)];
      logits.resize(static_cast<size_t>(rows.cols));
      all.backend->to_host(logits.data(), rows.row_range(row, 1));
    }
  }
  drawn.tokens = all.backend->sample(rows, draws);
  return drawn;
}

// The part's rows are computed. Behind a guess that came true, the next row is what would have been computed next.
void Scheduler::take(const Part& part, Drawn& drawn, size_t first) {
  Entry& entry = *part.entry;
  entry.request->advance(part.rows);
  if (!part.complete) return;
  size_t right = 0;
  for (;; ++right) {
    Sampled& sampled = drawn.tokens[first + right];
    const int32_t token = sampled.token;
    if (!accept(entry, std::move(sampled), std::move(drawn.logits[first + right]))) break;
    if (right == part.guessed.size() || token != part.guessed[right]) break;
    entry.request->advance(1);
  }
  judge(entry, part, right);
}

void Scheduler::judge(Entry& entry, const Part& part, size_t right) {
  if (part.guessed.empty()) return;
  if (part.drafted) {
    if (entry.draft != nullptr) draft_->judge(*entry.draft, part.guessed.size(), right);
  } else {
    entry.request->judge(part.guessed.size(), right);
  }
  (part.drafted ? counts_.drafted_tokens : counts_.guessed_tokens) += static_cast<int64_t>(part.guessed.size());
  (part.drafted ? counts_.right_drafted_tokens : counts_.right_tokens) += static_cast<int64_t>(right);
}

// Whether the request goes on.
bool Scheduler::accept(Entry& entry, Sampled sampled, std::vector<float> logits) {
  if (sampled.failure) {
    fail(entry, *sampled.failure);
    return false;
  }
  Finish finish = Finish::None;
  try {
    finish = entry.request->accept(sampled);
  } catch (const Error& error) {
    fail(entry, error);
    return false;
  } catch (const std::bad_alloc&) {
    fail(entry, Error(Status::OutOfMemory, "the system has no memory left for what may come next"));
    return false;
  }
  ++counts_.new_tokens;
  Event event = event_of(entry, finish);
  event.token = sampled.token;
  event.logprob = sampled.logprob;
  event.top = std::move(sampled.top);
  event.logits = std::move(logits);
  const bool goes_on = event.finish == Finish::None;
  const bool first = entry.request->tokens() == entry.request->prompt_tokens() + 1;
  event.urgent = first || !goes_on || entry.request->options().guided;  // a guided request goes on once its token was looked at
  events_.push_back(std::move(event));
  if (!goes_on) end(entry);
  return goes_on;
}

void Scheduler::fail(Entry& entry, const Error& error) {
  Event event = event_of(entry, Finish::Failed);
  event.failure = error;
  events_.push_back(std::move(event));
  end(entry);
}

// Its blocks are the pools' again at once.
void Scheduler::detach(Entry& entry) {
  entry.request->detach();
  entry.draft.reset();
}

// Pointers to it stay good until the turn's end.
void Scheduler::end(Entry& entry) {
  detach(entry);
  const auto at = std::find_if(requests_.begin(), requests_.end(), [&](const Entry& other) { return &other == &entry; });
  ended_.splice(ended_.end(), requests_, at);
}

Event Scheduler::event_of(const Entry& entry, Finish finish) const {
  Event event;
  event.request = entry.id;
  event.finish = finish;
  event.reused = entry.request->reused();
  if (entry.begun) event.queue_seconds = seconds_between(entry.added, *entry.begun);
  if (entry.begun && entry.seen) event.picture_seconds = seconds_between(*entry.begun, *entry.seen);
  return event;
}

SchedulerCounts Scheduler::counts() const {
  SchedulerCounts counts = counts_;
  for (const Entry& entry : requests_) ++(entry.request->attached() ? counts.running : counts.waiting);
  counts.blocks_used = pool_.used();
  counts.blocks = pool_.most();
  counts.pictures = pictures_.encoded();
  if (draft_ != nullptr) {
    counts.draft_blocks_used = draft_->blocks_used();
    counts.draft_failures = draft_->failures();
  }
  return counts;
}

}  // namespace ivl
