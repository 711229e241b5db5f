#include "generate/request.h"

#include <algorithm>

#include "model/rope.h"

namespace ivl {

Request::Request(std::shared_ptr<Engine> engine, std::shared_ptr<Sequence> sequence, Prompt prompt,
                 const Sampling& sampling, std::shared_ptr<Recording> recording)
    : engine_(std::move(engine)), sampling_(sampling), sampler_(sampling), recording_(std::move(recording)) {
  validate(sampling);
  check_owner(sequence.get(), prompt);
  check_prompt(prompt);
  prompt_size_ = prompt.tokens.size();
  place_pictures(prompt);
  features_ = std::move(prompt.features);
  stop_tokens_ = std::move(prompt.stop_tokens);
  tokens_ = std::move(prompt.tokens);

  if (sequence == nullptr) sequence = std::make_shared<Sequence>(engine_);
  if (!sequence->take()) fail(Status::InvalidArgument, "the sequence already serves an unfinished request");
  sequence_ = std::move(sequence);
  try {
    // The last token is always computed: its logits are what the answer begins from.
    const int64_t most = static_cast<int64_t>(prompt_size_) - 1;
    reused_ = recording_ != nullptr ? 0 : std::min(sequence_->common_prefix(keys_), most);
    sequence_->truncate(reused_);
    const int64_t wanted = static_cast<int64_t>(prompt_size_) + sampling_.max_new_tokens;
    sequence_->reserve(std::min<int64_t>(engine_->config().language.context, wanted));
  } catch (...) {
    sequence_->release();
    throw;
  }
}

// Another model's cache and pictures may have other shapes, and never mean the same.
void Request::check_owner(const Sequence* sequence, const Prompt& prompt) const {
  if (sequence != nullptr && sequence->engine() != engine_.get()) {
    fail(Status::InvalidArgument, "the sequence belongs to another model, expected one of the generation's own");
  }
  for (size_t i = 0; i < prompt.features.size(); ++i) {
    if (prompt.features[i]->engine() != engine_.get()) {
      fail(Status::InvalidArgument, cat("features ", i, " were encoded by another model, expected the generation's own"));
    }
  }
  if (recording_ != nullptr) engine_->claim(*recording_);
}

void Request::check_prompt(const Prompt& prompt) const {
  const LanguageConfig& language = engine_->config().language;
  const auto count = static_cast<int64_t>(prompt.tokens.size());
  if (count == 0) fail(Status::InvalidArgument, "the prompt has no tokens");
  if (count >= language.context) {
    fail(Status::ContextLength, cat("the prompt has ", count, " tokens, but the context holds ", language.context,
                                    " and the answer needs at least one"));
  }
  for (size_t i = 0; i < prompt.tokens.size(); ++i) {
    const int32_t token = prompt.tokens[i];
    if (token < 0 || token >= language.vocab) {
      fail(Status::InvalidArgument, cat("token ", token, " at position ", i, " is not in the vocabulary of ", language.vocab));
    }
  }
  int64_t rows = 0;
  for (const auto& features : prompt.features) rows += features->rows();
  const auto places = std::count(prompt.tokens.begin(), prompt.tokens.end(), prompt.image_token);
  if (rows != places) {
    const int64_t each = engine_->config().tokens_per_image();
    fail(Status::InvalidArgument, cat("the prompt has placeholders for ", places, " image tokens, but the images have ", rows,
                                      " (", each, " an image)"));
  }
}

void Request::place_pictures(const Prompt& prompt) {
  size_t features = 0;
  int64_t from = 0;
  for (size_t i = 0; i < prompt.tokens.size(); ++i) {
    if (prompt.tokens[i] != prompt.image_token || prompt.features.empty()) {
      add_key(token_key(prompt.tokens[i]));
      continue;
    }
    while (from == prompt.features[features]->rows()) {
      ++features;
      from = 0;
    }
    const Features* at = prompt.features[features].get();
    const auto position = static_cast<int64_t>(i);
    const bool continues = !pictures_.empty() && pictures_.back().features == at &&
                           pictures_.back().begin + pictures_.back().rows == position &&
                           pictures_.back().from + pictures_.back().rows == from;
    if (continues) {
      ++pictures_.back().rows;
    } else {
      pictures_.push_back({position, 1, from, at});
    }
    add_key(picture_key(at->id(), from));
    ++from;
  }
}

void Request::add_key(PositionKey key) {
  const bool far = turns_long(engine_->config().language.rope, static_cast<int64_t>(prompt_size_));
  keys_.push_back(far ? turned_long(key) : key);
}

void Request::append_to(std::vector<int32_t>& ids, std::vector<Splice>& splices,
                        std::vector<SequenceSpan>& spans, int64_t row, int64_t rows) const {
  const int64_t past = sequence_->length();
  ids.insert(ids.end(), tokens_.begin() + past, tokens_.begin() + past + rows);
  spans.push_back({row, rows, past, sequence_->caches(), static_cast<int64_t>(prompt_size_)});
  for (const PictureRun& run : pictures_) {
    const int64_t begin = std::max(run.begin, past);
    const int64_t end = std::min(run.begin + run.rows, past + rows);
    if (begin >= end) continue;
    const Matrix features = run.features->matrix().row_range(run.from + begin - run.begin, end - begin);
    splices.push_back({row + begin - past, features});
  }
}

void Request::advance(int64_t rows) {
  const auto past = static_cast<size_t>(sequence_->length());
  sequence_->extend(std::span(keys_).subspan(past, static_cast<size_t>(rows)));
}

void Request::accept(Sampled sampled, Logits logits) {
  sampled_ = std::move(sampled);
  logits_ = std::move(logits);
  if (sampled_.failure) return end(Finish::Failed);
  tokens_.push_back(sampled_.token);
  add_key(token_key(sampled_.token));
  const auto generated = static_cast<int64_t>(tokens_.size() - prompt_size_);
  if (is_stop(sampled_.token)) {
    end(Finish::Stop);
  } else if (generated >= sampling_.max_new_tokens ||
             static_cast<int64_t>(tokens_.size()) >= engine_->config().language.context) {
    end(Finish::Length);
  }
}

bool Request::is_stop(int32_t token) const {
  return std::find(stop_tokens_.begin(), stop_tokens_.end(), token) != stop_tokens_.end();
}

void Request::fail_with(const Error& failure) {
  sampled_ = {-1, 0, {}, failure};
  end(Finish::Failed);
}

void Request::end(Finish finish) {
  if (finish_ == Finish::None) finish_ = finish;
  if (sequence_ == nullptr) return;
  sequence_->release();
  sequence_.reset();
  features_.clear();
}

}  // namespace ivl
