// What comes before what among the work of several streams: by a stream's own order, by events, and by what host code has
// waited for. Two pieces of work that touch the same memory, one of them to write, must be ordered; whether they are follows
// from how host code queued them, not from the turns that the streams took this time. Vector clocks, as in FastTrack (Flanagan
// and Freund, PLDI 2009): of each cell the last writer and the last readers are known, and where any two uses are not ordered, one
// such pair is found in every order of the turns.
//
// Host threads count as one: what one of them has waited for is done, whoever queues the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace simt {

// How much of each lane's work comes before something. A lane is a stream's work, in its order.
class Clock {
 public:
  uint32_t of(size_t lane) const { return lane < counts_.size() ? counts_[lane] : 0; }
  void learn(size_t lane, uint32_t count);
  void learn(const Clock& other);
  // Whether all that `other` counts is counted here.
  bool covers(const Clock& other) const;

 private:
  std::vector<uint32_t> counts_;
};

// A launch, a copy or a fill: its number, in the order they were queued. 0 is none.
using WorkId = uint32_t;

// What reports say of it.
struct WorkName {
  std::string what;
  const void* place = nullptr;  // an address in the code that queued it, or in the kernel
};

class Order {
 public:
  size_t open_lane();
  // Another stream may have the lane later, once host code knows that all of its work is done.
  void close_lane(size_t lane);

  // Work behind all that `known` counts, which then counts it too.
  WorkId add(size_t lane, Clock& known, WorkName name);

  // Host code has waited for this.
  void host_learns(const Clock& done) { host_.learn(done); }
  const Clock& host() const { return host_; }

  // From here on memory is touched by this work, which came behind all that `known` counts.
  void begin(WorkId work, const Clock& known);
  void end();

  bool comes_before_running(WorkId earlier) const;
  // Counts the running work among those of `users`. Whether all others of them come before it.
  bool add_running_to(Clock& users) const;
  // Reports that nothing orders the running work and another, one of which writes.
  void report_unordered(WorkId other, int device) const;

 private:
  struct Work {
    size_t lane;
    uint32_t count;  // its place in the lane
    WorkName name;
  };
  struct Lane {
    uint32_t works = 0;  // so far
    bool open = true;
  };

  std::vector<Work> works_{{}};  // by number
  std::vector<Lane> lanes_;
  Clock host_;
  const Clock* known_ = nullptr;
};

Order& order();

// The work that runs, 0 outside of all; every access looks at it.
inline WorkId running_work = 0;

}  // namespace simt
