// Numbers that no two objects of this process have.
#pragma once

#include <atomic>
#include <cstdint>

namespace ivl {

// 1, 2, 3, ... from any thread.
inline uint64_t next_id() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace ivl
