// How many of a draft's tokens come true, and how many are therefore worth drafting.
#pragma once

#include <algorithm>
#include <cstddef>

namespace ivl {

class Acceptance {
 public:
  // The chance that a drafted token is right where all before it were.
  double chance() const { return right_ / tried_; }

  // Of so many drafted tokens the first `right` were; nothing was learnt of those behind the first wrong one.
  void judge(size_t drafted, size_t right) {
    right_ = kMemory * right_ + static_cast<double>(right);
    tried_ = kMemory * tried_ + static_cast<double>(std::min(drafted, right + 1));
  }

  // As many, `most` at the most, as give the most tokens for the time, where each costs `cost` of what a token without them does; 0
  // where none pays for itself and a little more, since both are estimates.
  size_t worth(double cost, size_t most) const {
    constexpr double kMargin = 1.05;
    double tokens = 1, next = 1, best = kMargin;
    size_t count = 0;
    for (size_t drafted = 1; drafted <= most; ++drafted) {
      next *= chance();
      tokens += next;
      const double gain = tokens / (1 + static_cast<double>(drafted) * cost);
      if (gain <= best) continue;
      best = gain;
      count = drafted;
    }
    return count;
  }

 private:
  static constexpr double kMemory = 0.9;
  // As if ten had been tried: a draft is hoped to be good until it is known.
  double right_ = 7, tried_ = 10;
};

}  // namespace ivl
