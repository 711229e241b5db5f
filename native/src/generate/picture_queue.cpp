#include "generate/picture_queue.h"

#include <algorithm>

namespace ivl {

void PictureQueue::want(const std::shared_ptr<Features>& features) {
  if (features->encoded() || (current_ && current_->features == features)) return;
  if (std::find(waiting_.begin(), waiting_.end(), features) == waiting_.end()) waiting_.push_back(features);
}

std::optional<PictureQueue::Failed> PictureQueue::advance(const Engine::Access& model, Clock::time_point end,
                                                          const Cancellation& cancel) {
  if (empty()) return {};
  const std::shared_ptr<Features> features = current_ ? current_->features : waiting_.front();
  const auto give_up = [&] {
    current_.reset();
    std::erase(waiting_, features);
  };
  try {
    if (!current_) {
      current_.emplace(features,
                       model->begin_encoding(features->pixels().data(), features->pictures(), features->adapters().uses()));
      waiting_.pop_front();
    }
    InternVLChat::Encoding& encoding = current_->encoding;
    const int64_t before = encoding.done;
    do {
      if (!model->encode_part(encoding, nullptr, cancel)) continue;
      features->set(std::move(encoding.features));
      encoded_ += features->pictures();
      current_.reset();
      return {};
    } while (encoding.done == before && Clock::now() < end);
    return {};
  } catch (const Error& error) {
    if (error.status() == Status::Closed) throw;
    give_up();
    if (error.status() != Status::Cancelled) return Failed{features, error};
    waiting_.push_front(features);  // the turn is given up; who still wants it then, gets it
    return {};
  } catch (const std::bad_alloc&) {
    give_up();
    return Failed{features, Error(Status::OutOfMemory, "the system has no memory left for an image")};
  }
}

}  // namespace ivl
