// Pictures that requests wait for, encoded one after the other in slices between the decoder's passes.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "generate/engine.h"

namespace ivl {

class PictureQueue {
 public:
  using Clock = std::chrono::steady_clock;

  // Puts them in, if they are not there yet and not encoded.
  void want(const std::shared_ptr<Features>& features);
  // Keeps only those that `wanted` says.
  template <class Wanted>
  void keep(const Wanted& wanted) {
    std::erase_if(waiting_, [&](const auto& features) { return !wanted(*features); });
    if (current_ && !wanted(*current_->features)) current_.reset();
  }
  bool empty() const { return waiting_.empty() && !current_; }

  struct Failed {
    std::shared_ptr<const Features> features;
    Error error;
  };
  // Goes on with the first until `end`, or until some pictures are through the tower. What it fails with is those features' failure
  // alone; Error(Closed) is thrown.
  std::optional<Failed> advance(const Engine::Access& model, Clock::time_point end, const Cancellation& cancel);
  // Pictures that were encoded so far.
  int64_t encoded() const { return encoded_; }

 private:
  struct Current {
    std::shared_ptr<Features> features;
    InternVLChat::Encoding encoding;
  };

  std::deque<std::shared_ptr<Features>> waiting_;
  std::optional<Current> current_;
  int64_t encoded_ = 0;
};

}  // namespace ivl
