// Sequences and generation.
#include <algorithm>

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

Generation& of(const ivl_generation* generation) { return *given(generation, "generation").generation; }

}  // namespace

extern "C" {

ivl_status ivl_cancellation_create(ivl_cancellation** out) {
  return guarded([&] { given(out, "out") = new ivl_cancellation{std::make_shared<std::atomic<bool>>(false)}; });
}

void ivl_cancel(ivl_cancellation* cancellation) {
  if (cancellation != nullptr) cancellation->flag->store(true);
}

void ivl_cancellation_free(ivl_cancellation* cancellation) { delete cancellation; }

ivl_status ivl_sequence_create(ivl_model* model, ivl_sequence** out) {
  return guarded([&] {
    const std::shared_ptr<Engine>& engine = given(model, "model").engine;
    engine->check_open();
    given(out, "out") = new ivl_sequence{std::make_shared<Sequence>(engine)};
  });
}

int64_t ivl_sequence_length(const ivl_sequence* sequence) {
  return sequence == nullptr ? 0 : sequence->sequence->length();
}

void ivl_sequence_free(ivl_sequence* sequence) { delete sequence; }

void ivl_sampling_init(ivl_sampling* sampling) {
  if (sampling == nullptr) return;
  *sampling = {.temperature = 0,
               .top_k = 0,
               .top_p = 1,
               .repetition_penalty = 1,
               .seed = 0,
               .max_new_tokens = 1024,
               .top_logprobs = 0};
}

ivl_status ivl_generation_create(ivl_model* model, const ivl_cancellation* cancellation, ivl_generation** out) {
  return guarded([&] {
    const std::shared_ptr<Engine>& engine = given(model, "model").engine;
    engine->check_open();
    given(out, "out") = new ivl_generation{
        std::make_unique<Generation>(engine, cancellation == nullptr ? nullptr : cancellation->flag)};
  });
}

ivl_status ivl_generation_add(ivl_generation* generation, ivl_sequence* sequence, const int32_t* tokens,
                              int64_t token_count, int32_t image_token, const ivl_features* const* features,
                              int64_t feature_count, const int32_t* stop_tokens, int64_t stop_token_count,
                              const ivl_sampling* sampling, ivl_recording* recording, int32_t* request) {
  return guarded([&] {
    Prompt prompt;
    prompt.tokens = copied(tokens, token_count, "tokens");
    prompt.image_token = image_token;
    for (const ivl_features* each : copied(features, feature_count, "features")) {
      prompt.features.push_back(given(each, "one of the features").features);
    }
    prompt.stop_tokens = copied(stop_tokens, stop_token_count, "stop_tokens");
    const Sampling options = sampling_from(given(sampling, "sampling"));
    given(request, "request") =
        of(generation).add(sequence == nullptr ? nullptr : sequence->sequence, std::move(prompt), options,
                           recording == nullptr ? nullptr : recording->recording);
  });
}

ivl_status ivl_generation_step(ivl_generation* generation, ivl_token* out, int64_t capacity, int64_t* count) {
  return guarded([&] {
    given(count, "count") = 0;
    if (capacity > 0) given(out, "out");
    for (const Generation::Token& token : of(generation).step(std::max<int64_t>(0, capacity))) {
      out[(*count)++] = {token.request, token.token, token.logprob, finish_to(token.finish)};
    }
  });
}

ivl_status ivl_generation_top_logprobs(const ivl_generation* generation, int32_t request, int32_t* tokens,
                                       float* logprobs, int64_t capacity, int64_t* count) {
  return guarded([&] {
    const std::vector<TokenLogprob> top = of(generation).top_logprobs(request);
    given(count, "count") = std::min(static_cast<int64_t>(top.size()), std::max<int64_t>(0, capacity));
    for (int64_t i = 0; i < *count; ++i) {
      (&given(tokens, "tokens"))[i] = top[static_cast<size_t>(i)].token;
      (&given(logprobs, "logprobs"))[i] = top[static_cast<size_t>(i)].logprob;
    }
  });
}

ivl_status ivl_generation_failure(const ivl_generation* generation, int32_t request) {
  return guarded([&] {
    if (const std::optional<Error> failure = of(generation).failure(request)) throw Error(*failure);
  });
}

ivl_status ivl_generation_logits(const ivl_generation* generation, int32_t request, float* out, int64_t capacity) {
  return guarded([&] {
    const std::vector<float> logits = of(generation).logits(request);
    if (logits.empty()) fail(Status::InvalidArgument, cat("request ", request, " has no logits at this point"));
    check_room(out, capacity, static_cast<int64_t>(logits.size()), "logits");
    std::copy(logits.begin(), logits.end(), out);
  });
}

ivl_status ivl_generation_reused(const ivl_generation* generation, int32_t request, int64_t* out) {
  return guarded([&] { given(out, "out") = of(generation).reused(request); });
}

ivl_status ivl_generation_end(ivl_generation* generation, int32_t request) {
  return guarded([&] { of(generation).end(request); });
}

void ivl_generation_free(ivl_generation* generation) { delete generation; }

}  // extern "C"
