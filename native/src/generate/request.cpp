#include "generate/request.h"

#include <algorithm>

#include "model/rope.h"

namespace ivl {

Request::Request(const Engine& engine, Prompt prompt, RequestOptions options)
    : engine_(engine),
      options_(std::move(options)),
      adapters_(options_.adapters, engine),
      sampler_(options_.sampling, std::move(prompt.stop_tokens)),
      lookup_(options_.most_guessed) {
  validate(options_.sampling, engine.config().language.vocab);
  check_owner(prompt);
  check_prompt(prompt);
  check_rules();
  const std::string key = adapters_.key();
  // The key's length stands before it, so that no salt's beginning passes for one.
  cache_root_ = cat(key.size(), '|', key, options_.salt);
  prompt_size_ = prompt.tokens.size();
  place_pictures(prompt);
  tokens_ = std::move(prompt.tokens);
  if (options_.rules == nullptr) return;
  matcher_ = std::make_unique<grammar::Matcher>(options_.rules, sampler_.stop_tokens());
  allowed_ = matcher_->allowed();
}

void Request::check_rules() const {
  if (options_.rules == nullptr) return;
  const auto tokens = static_cast<int64_t>(options_.rules->vocabulary().size());
  const int64_t vocab = engine_.config().language.vocab;
  if (tokens != vocab) {
    fail(Status::InvalidArgument, cat("the grammar's vocabulary has ", tokens, " tokens, expected the model's ", vocab));
  }
  if (options_.guided) fail(Status::InvalidArgument, "the request has a grammar and is guided, expected one of the two");
  if (options_.sampling.min_new_tokens > 0) {
    fail(Status::InvalidArgument, cat("min_new_tokens is ", options_.sampling.min_new_tokens,
                                      ", expected 0 beside a grammar, which says where the answer ends"));
  }
}

// Another model's pictures may have other shapes, and never mean the same.
void Request::check_owner(const Prompt& prompt) const {
  for (size_t i = 0; i < prompt.features.size(); ++i) {
    if (prompt.features[i]->engine() != &engine_) {
      fail(Status::InvalidArgument, cat("features ", i, " were encoded by another model, expected the request's own"));
    }
    if (prompt.features[i]->adapter_key() != adapters_.seeing().key()) {
      fail(Status::InvalidArgument,
           cat("features ", i, " were made for other adapters of the vision tower or the projector than the ",
               "request's, expected the same"));
    }
  }
  if (options_.recording != nullptr) engine_.claim(*options_.recording);
}

int64_t Request::most_positions() const {
  return std::min<int64_t>(engine_.config().language.context,
                           static_cast<int64_t>(prompt_size_) + options_.sampling.max_new_tokens);
}

// What may come from a cache.
std::span<const PositionKey> Request::cached_keys() const {
  return std::span(keys_).first(options_.recording != nullptr ? 0 : keys_.size() - 1);
}

int64_t Request::wanted_blocks(KvPool& pool) const {
  return blocks_for(tokens()) - KvSequence::shared(pool, cache_root_, cached_keys());
}

int64_t Request::common_with(const Request& other) const {
  if (cache_root_ != other.cache_root_) return 0;
  return std::mismatch(keys_.begin(), keys_.end(), other.keys_.begin(), other.keys_.end()).first - keys_.begin();
}

void Request::attach(const Engine::Turn& turn, KvPool& pool) {
  cache_.emplace(pool, cache_root_);
  const int64_t held = cache_->attach(turn, cached_keys());
  if (!reused_) reused_ = held;
}

int64_t Request::ready() const {
  const int64_t past = cache_->length();
  for (const PictureRun& run : pictures_) {
    if (run.begin + run.rows > past && !run.features->encoded()) return std::max<int64_t>(0, run.begin - past);
  }
  return waits_for_mask() ? pending() - 1 : pending();
}

Draw Request::draw(std::span<const int32_t> guessed, std::vector<int32_t>& answer) const {
  std::span<const int32_t> behind = std::span(tokens_).subspan(prompt_size_);
  if (!guessed.empty()) {
    answer.assign(behind.begin(), behind.end());
    answer.insert(answer.end(), guessed.begin(), guessed.end());
    behind = answer;
  }
  Draw draw = sampler_.next(behind);
  draw.allowed = allowed_;
  return draw;
}

std::vector<std::shared_ptr<Features>> Request::awaited() const {
  std::vector<std::shared_ptr<Features>> awaited;
  for (const PictureRun& run : pictures_) {
    if (run.begin + run.rows > cache_->length() && !run.features->encoded()) awaited.push_back(run.features);
  }
  return awaited;
}

void Request::check_prompt(const Prompt& prompt) const {
  const LanguageConfig& language = engine_.config().language;
  const auto count = static_cast<int64_t>(prompt.tokens.size());
  if (count == 0) fail(Status::InvalidArgument, "the prompt has no tokens");
  if (count >= language.context) {
    fail(Status::ContextLength,
         cat("the prompt has ", count, " tokens, but the context holds ", language.context, " and the answer needs at least one"));
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
    const int64_t each = engine_.config().tokens_per_image();
    fail(Status::InvalidArgument,
         cat("the prompt has placeholders for ", places, " image tokens, but the images have ", rows, " (", each, " an image)"));
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
    const std::shared_ptr<Features>& at = prompt.features[features];
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
  const bool far = turns_long(engine_.config().language.rope, static_cast<int64_t>(prompt_size_));
  keys_.push_back(far ? turned_long(key) : key);
}

void Request::append_text(std::vector<int32_t>& out, int64_t begin, int64_t end) const {
  for (auto at = static_cast<size_t>(begin); at < static_cast<size_t>(end); ++at) {
    if (!is_picture(keys_[at])) out.push_back(tokens_[at]);
  }
}

size_t Request::most_guessed() const {
  if (options_.guided || matcher_ != nullptr || options_.recording != nullptr) return 0;
  const int64_t room = most_positions() - tokens() - 1;  // the last token's own row is never needed
  return static_cast<size_t>(std::clamp<int64_t>(room, 0, options_.most_guessed));
}

std::vector<int32_t> Request::guess(double row_cost) {
  const size_t most = most_guessed();
  if (most == 0) return {};
  std::vector<int32_t> guessed = lookup_.guess(tokens_, row_cost);
  guessed.resize(std::min(guessed.size(), most));
  return guessed;
}

void Request::append_to(std::vector<int32_t>& ids, std::vector<Splice>& splices, std::vector<SequenceSpan>& spans, int64_t rows,
                        std::span<const int32_t> guessed) const {
  const auto row = static_cast<int64_t>(ids.size());
  const int64_t past = cache_->length();
  ids.insert(ids.end(), tokens_.begin() + past, tokens_.begin() + past + rows);
  ids.insert(ids.end(), guessed.begin(), guessed.end());
  const auto all = rows + static_cast<int64_t>(guessed.size());
  spans.push_back({row, all, past, cache_->tables(), static_cast<int64_t>(prompt_size_), adapters_.uses()});
  for (const PictureRun& run : pictures_) {
    const int64_t begin = std::max(run.begin, past);
    const int64_t end = std::min(run.begin + run.rows, past + rows);
    if (begin >= end) continue;
    const Matrix features = run.features->matrix().row_range(run.from + begin - run.begin, end - begin);
    splices.push_back({row + begin - past, features});
  }
}

void Request::advance(int64_t rows) {
  const auto past = static_cast<size_t>(cache_->length());
  cache_->extend(std::span<const PositionKey>(keys_).subspan(past, static_cast<size_t>(rows)));
}

Finish Request::accept(const Sampled& sampled) {
  allowed_.reset();
  tokens_.push_back(sampled.token);
  add_key(token_key(sampled.token));
  if (is_stop(sampled.token)) return Finish::Stop;
  const auto generated = static_cast<int64_t>(tokens_.size() - prompt_size_);
  const bool full = generated >= options_.sampling.max_new_tokens || tokens() >= engine_.config().language.context;
  if (full) return Finish::Length;
  if (matcher_ != nullptr) {
    matcher_->accept(sampled.token);
    allowed_ = matcher_->allowed();
  }
  return Finish::None;
}

bool Request::is_stop(int32_t token) const {
  const std::vector<int32_t>& stops = sampler_.stop_tokens();
  return std::find(stops.begin(), stops.end(), token) != stops.end();
}

}  // namespace ivl
