#include <algorithm>
#include <cmath>
#include <thread>

#include "host/affinity.h"
#include "host/cgroup.h"
#include "host/processor.h"

namespace ivl {

int default_threads() {
  const size_t allowed = allowed_processors().size();
  const auto processors = static_cast<double>(allowed > 0 ? allowed : std::thread::hardware_concurrency());
  return std::max(1, static_cast<int>(std::ceil(std::min(processors, cgroup_processors()))));
}

}  // namespace ivl
