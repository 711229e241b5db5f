// How many threads a backend has, and which processors they are bound to.
#pragma once

#include <sched.h>

#include <string>
#include <vector>

namespace ivl {

struct Threads {
  int count = 1;
  std::vector<int> processors;  // of each thread; empty: wherever the system puts them
};

// The processors that the calling thread may run on (its affinity mask), ascending.
std::vector<int> allowed_processors();

// `wanted` threads (0: default_threads(), or as many as `affinity` names), bound as `affinity` says: "none" or "" not at all,
// "auto" to the allowed processors in their order, "0,2,4-7" to these. Error(InvalidArgument) names a number of threads out of
// range or for which there are too few processors, and a processor that is named twice, is not there, or is not allowed.
Threads threads_from(int wanted, const std::string& affinity);

// Binds the calling thread to a processor, and on destruction to those it had before. A processor that has been taken away
// since it was checked changes nothing.
class Bound {
 public:
  explicit Bound(int processor);
  ~Bound();
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

 private:
  cpu_set_t before_;
  bool bound_ = false;
};

}  // namespace ivl
