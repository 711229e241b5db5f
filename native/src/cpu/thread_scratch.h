// A thread's own memory for one task, which stays for the next: large pieces would come from the system anew each time, page by page.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/matrix.h"

namespace ivl::cpu {

class ThreadScratch {
 public:
  // Of this thread, all of it free: a task asks once.
  static ThreadScratch& of_task() {
    thread_local ThreadScratch scratch;
    scratch.used_ = 0;
    return scratch;
  }
  // What is in it is of an earlier task.
  float* floats(int64_t count) {
    if (used_ == blocks_.size()) blocks_.emplace_back();
    std::vector<float>& block = blocks_[used_++];
    if (block.size() < static_cast<size_t>(count)) block.resize(static_cast<size_t>(count));
    return block.data();
  }
  Matrix matrix(int64_t rows, int64_t cols) { return {floats(rows * cols), DType::F32, rows, cols, cols}; }

 private:
  std::vector<std::vector<float>> blocks_;
  size_t used_ = 0;
};

}  // namespace ivl::cpu
