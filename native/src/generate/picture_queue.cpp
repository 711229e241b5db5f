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
  try {
    if (!current_) {
      current_.emplace(features, model->begin_encoding(features->pixels().data(), features->pictures()));
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
    current_.reset();
    std::erase(waiting_, features);
    if (error.status() == Status::Cancelled) {  // the turn is given up; who still wants it then, gets it
      waiting_.push_front(features);
      return {};
    }
    return Failed{features, error};
  } catch (const std::bad_alloc&) {
    current_.reset();
    std::erase(waiting_, features);
    return Failed{features, Error(Status::OutOfMemory, "the system has no memory left for an image")};
  }
}

}  // namespace ivl
