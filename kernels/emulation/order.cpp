#include "emulation/order.h"

#include <algorithm>
#include <utility>

#include "emulation/report.h"

namespace simt {

Order& order() {
  static Order one;
  return one;
}

// ---- clocks --------------------------------------------------------------------------------------------------------

void Clock::learn(size_t lane, uint32_t count) {
  if (lane >= counts_.size()) counts_.resize(lane + 1);
  counts_[lane] = std::max(counts_[lane], count);
}

void Clock::learn(const Clock& other) {
  for (size_t lane = 0; lane < other.counts_.size(); lane++) learn(lane, other.counts_[lane]);
}

bool Clock::covers(const Clock& other) const {
  for (size_t lane = 0; lane < other.counts_.size(); lane++) {
    if (of(lane) < other.counts_[lane]) return false;
  }
  return true;
}

// ---- work ----------------------------------------------------------------------------------------------------------

size_t Order::open_lane() {
  for (size_t lane = 0; lane < lanes_.size(); lane++) {
    if (!lanes_[lane].open && host_.of(lane) == lanes_[lane].works) {
      lanes_[lane].open = true;
      return lane;
    }
  }
  lanes_.emplace_back();
  return lanes_.size() - 1;
}

void Order::close_lane(size_t lane) { lanes_[lane].open = false; }

WorkId Order::add(size_t lane, Clock& known, WorkName name) {
  const auto id = static_cast<WorkId>(works_.size());
  const uint32_t count = ++lanes_[lane].works;
  works_.push_back({lane, count, std::move(name)});
  known.learn(lane, count);
  return id;
}

void Order::begin(WorkId work, const Clock& known) {
  running_work = work;
  known_ = &known;
}

void Order::end() {
  running_work = 0;
  known_ = nullptr;
}

bool Order::comes_before_running(WorkId earlier) const {
  const Work& work = works_[earlier];
  return earlier == 0 || earlier == running_work || known_->of(work.lane) >= work.count;
}

bool Order::add_running_to(Clock& users) const {
  const bool all_before = known_->covers(users);
  const Work& work = works_[running_work];
  users.learn(work.lane, work.count);
  return all_before;
}

// The one that was queued later is to blame, whichever ran first. Which of a kernel's accesses met the other is chance, too.
void Order::report_unordered(WorkId other, int device) const {
  const WorkName& before = works_[std::min(running_work, other)].name;
  const WorkName& after = works_[std::max(running_work, other)].name;
  report(Fault::Order, after.place,
         after.what + " and " + before.what + " on another stream use the same memory of device " + std::to_string(device) +
             ", at least one to write, and nothing orders the two");
}

}  // namespace simt
