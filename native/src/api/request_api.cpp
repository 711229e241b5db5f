// Requests, and what comes of them.
#include <algorithm>

#include "api/adapters.h"
#include "api/barrier.h"
#include "api/convert.h"
#include "api/handles.h"

using namespace ivl;
using namespace ivl::api;

namespace {

template <class T>
std::vector<T> copied(const T* data, int64_t count, const char* name) {
  if (count < 0) fail(Status::InvalidArgument, cat("the count of ", name, " is ", count));
  if (count == 0) return {};
  const T* begin = &given(data, name);
  return {begin, begin + count};
}

Prompt prompt_of(const ivl_request& request, const ivl_features* const* features, int64_t feature_count) {
  Prompt prompt;
  prompt.tokens = copied(request.tokens, request.token_count, "tokens");
  prompt.image_token = request.image_token;
  for (const ivl_features* each : copied(features, feature_count, "features")) {
    prompt.features.push_back(given(each, "one of the features").features);
  }
  prompt.stop_tokens = copied(request.stop_tokens, request.stop_token_count, "stop_tokens");
  return prompt;
}

RequestOptions options_of(const ivl_request& request) {
  RequestOptions options;
  options.sampling = sampling_from(request.sampling);
  const std::vector<int32_t> tokens = copied(request.bias_tokens, request.bias_count, "bias_tokens");
  const std::vector<float> logits = copied(request.bias_logits, request.bias_count, "bias_logits");
  for (size_t i = 0; i < tokens.size(); ++i) options.sampling.logit_bias.push_back({tokens[i], logits[i]});
  if (request.most_guessed < 0) fail(Status::InvalidArgument, cat("most_guessed is ", request.most_guessed, ", expected >= 0"));
  options.most_guessed = request.most_guessed;
  options.guided = request.guided != 0;
  if (request.grammar != nullptr) options.rules = request.grammar->rules;
  if (request.recording != nullptr) options.recording = request.recording->recording;
  options.adapters = choices_of(request.adapters);
  if (request.salt != nullptr) options.salt = request.salt;
  options.priority = request.priority;
  options.logits = request.logits != 0;
  return options;
}

const Event& event_at(const ivl_events* events, int64_t index) {
  const std::vector<Event>& all = given(events, "events").events;
  if (index < 0 || index >= static_cast<int64_t>(all.size())) {
    fail(Status::InvalidArgument, cat("there is no event ", index, " of ", all.size()));
  }
  return all[static_cast<size_t>(index)];
}

}  // namespace

extern "C" {

ivl_status ivl_cancellation_create(ivl_cancellation** out) {
  return guarded([&] { hand_over(out, [&] { return new ivl_cancellation{std::make_shared<std::atomic<bool>>(false)}; }); });
}

void ivl_cancel(ivl_cancellation* cancellation) {
  if (cancellation != nullptr) cancellation->flag->store(true);
}

void ivl_cancellation_free(ivl_cancellation* cancellation) { delete cancellation; }

void ivl_request_init(ivl_request* request) {
  if (request == nullptr) return;
  *request = {};
  request->image_token = -1;
  request->sampling.top_p = 1;
  request->sampling.repetition_penalty = 1;
  request->sampling.max_new_tokens = 1024;
}

ivl_status ivl_submit(ivl_model* model, const ivl_request* request, const ivl_features* const* features, int64_t feature_count,
                      int64_t* id) {
  return guarded([&] {
    given(id, "id");
    const ivl_request& asked = given(request, "request");
    *id = given(model, "model").requests->submit(prompt_of(asked, features, feature_count), options_of(asked));
  });
}

ivl_status ivl_cancel_request(ivl_model* model, int64_t id) {
  return guarded([&] { given(model, "model").requests->cancel(id); });
}

ivl_status ivl_allow(ivl_model* model, int64_t id, const uint32_t* words, int64_t count) {
  return guarded([&] {
    auto mask = std::make_shared<const std::vector<uint32_t>>(copied(words, count, "words"));
    given(model, "model").requests->allow(id, std::move(mask));
  });
}

ivl_status ivl_events_create(ivl_events** out) {
  return guarded([&] { hand_over(out, [&] { return new ivl_events; }); });
}

ivl_status ivl_poll(ivl_model* model, int32_t timeout_ms, ivl_events* events) {
  return guarded([&] {
    constexpr size_t kMost = 1024;
    std::vector<Event>& taken = given(events, "events").events;
    taken.clear();
    taken = given(model, "model").requests->poll(std::chrono::milliseconds(std::max(0, timeout_ms)), kMost);
  });
}

int64_t ivl_events_count(const ivl_events* events) { return events == nullptr ? 0 : static_cast<int64_t>(events->events.size()); }

ivl_status ivl_events_get(const ivl_events* events, int64_t index, ivl_event* out) {
  return guarded([&] {
    const Event& event = event_at(events, index);
    given(out, "out") = {event.request, event.token,         event.logprob,         finish_to(event.finish),
                         event.reused,  event.queue_seconds, event.picture_seconds, static_cast<int64_t>(event.top.size())};
  });
}

ivl_status ivl_events_top(const ivl_events* events, int64_t index, int32_t* tokens, float* logprobs, int64_t capacity,
                          int64_t* count) {
  return guarded([&] {
    const std::vector<TokenLogprob>& top = event_at(events, index).top;
    given(count, "count") = std::min(static_cast<int64_t>(top.size()), std::max<int64_t>(0, capacity));
    for (int64_t i = 0; i < *count; ++i) {
      (&given(tokens, "tokens"))[i] = top[static_cast<size_t>(i)].token;
      (&given(logprobs, "logprobs"))[i] = top[static_cast<size_t>(i)].logprob;
    }
  });
}

ivl_status ivl_events_failure(const ivl_events* events, int64_t index) {
  return guarded([&] {
    if (const std::optional<Error>& failure = event_at(events, index).failure) throw Error(*failure);
  });
}

ivl_status ivl_events_logits(const ivl_events* events, int64_t index, float* out, int64_t capacity) {
  return guarded([&] {
    const std::vector<float>& logits = event_at(events, index).logits;
    if (logits.empty()) fail(Status::InvalidArgument, cat("event ", index, " has no logits; a request that asks for them has"));
    check_room(out, capacity, static_cast<int64_t>(logits.size()), "logits");
    std::copy(logits.begin(), logits.end(), out);
  });
}

void ivl_events_free(ivl_events* events) { delete events; }

ivl_status ivl_model_counts(const ivl_model* model, ivl_counts* out) {
  return guarded([&] {
    const RequestService& requests = *given(model, "model").requests;
    const SchedulerCounts counts = requests.counts();
    given(out, "out") = {counts.running,
                         counts.waiting,
                         counts.blocks_used,
                         counts.blocks,
                         counts.prompt_tokens,
                         counts.reused_tokens,
                         counts.new_tokens,
                         counts.pictures,
                         requests.feature_hits(),
                         counts.preemptions,
                         counts.passes,
                         counts.guessed_tokens,
                         counts.right_tokens,
                         counts.drafted_tokens,
                         counts.right_drafted_tokens,
                         counts.draft_blocks_used,
                         counts.draft_failures};
  });
}

}  // extern "C"
