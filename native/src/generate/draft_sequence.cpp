#include "generate/draft_sequence.h"

#include <algorithm>

#include "model/rope.h"

namespace ivl {

DraftSequence::DraftSequence(const Engine& engine, KvPool& pool, const Request& request, const Acceptance& hoped)
    : engine_(engine), cache_(pool, request.options().salt), acceptance_(hoped) {
  seen_ = request.prompt_tokens();
  request.append_text(text_, 0, seen_);
  prompt_ = text_.size();
}

void DraftSequence::follow(const Request& request) {
  const auto before = static_cast<int64_t>(text_.size());
  request.append_text(text_, seen_, request.tokens());
  seen_ = request.tokens();
  const auto news = text_.begin() + before;
  const int64_t right = std::mismatch(news, text_.end(), drafted_.begin(), drafted_.end()).first - news;
  // The last token is computed again if it must be: what comes next follows from its row.
  computed_ = std::min({computed_, before + right, std::max<int64_t>(0, static_cast<int64_t>(text_.size()) - 1)});
  drafted_.clear();
  if (computed_ > cache_.length()) cache_.extend(keys(cache_.length(), computed_));
}

size_t DraftSequence::worth(double cost, size_t most) {
  constexpr int64_t kTryAgain = 32;  // tokens after which a draft that did not pay is tried once more,
  constexpr int64_t kReadsFor = 8;   // or later, if it has much to read first
  const auto room = engine_.config().language.context - static_cast<int64_t>(text_.size());
  if (room <= 0) give_up();
  if (given_up_ || text_.empty()) return 0;
  most = std::min(most, static_cast<size_t>(room));
  const size_t count = acceptance_.worth(cost, most);
  if (count > 0) return count;
  const bool again = ++silent_ >= std::max(kTryAgain, pending() / kReadsFor);
  return again ? std::min<size_t>(1, most) : 0;
}

void DraftSequence::judge(size_t drafted, size_t right) {
  acceptance_.judge(drafted, right);
  silent_ = 0;
}

void DraftSequence::give_up() {
  given_up_ = true;
  drafted_.clear();
  computed_ = 0;
  cache_.release();
}

bool DraftSequence::reserve(const Engine::Turn& turn, size_t drafted) {
  if (cache_.blocks() == 0) computed_ = cache_.attach(turn, keys(0, static_cast<int64_t>(text_.size()) - 1));
  if (cache_.reserve(turn, static_cast<int64_t>(text_.size() + drafted) - 1)) return true;
  cache_.release();
  computed_ = 0;
  return false;
}

void DraftSequence::append_to(std::vector<int32_t>& ids, std::vector<SequenceSpan>& spans, int64_t rows) const {
  spans.push_back({static_cast<int64_t>(ids.size()), rows, computed_, cache_.tables(), static_cast<int64_t>(prompt_)});
  const auto read = static_cast<int64_t>(text_.size());
  for (int64_t at = computed_; at < computed_ + rows; ++at) {
    ids.push_back(at < read ? text_[static_cast<size_t>(at)] : drafted_[static_cast<size_t>(at - read)]);
  }
}

std::vector<PositionKey> DraftSequence::keys(int64_t begin, int64_t end) const {
  const bool far = turns_long(engine_.config().language.rope, static_cast<int64_t>(prompt_));
  std::vector<PositionKey> keys;
  for (int64_t at = begin; at < end; ++at) {
    const PositionKey key = token_key(text_[static_cast<size_t>(at)]);
    keys.push_back(far ? turned_long(key) : key);
  }
  return keys;
}

}  // namespace ivl
