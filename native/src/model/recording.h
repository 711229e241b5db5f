// Recorded activations: copies as f32, in the order in which they were computed.
#pragma once

#include <array>
#include <atomic>
#include <vector>

#include "model/recorder.h"

namespace ivl {

class Recording : public Recorder {
 public:
  struct Entry {
    std::string name;
    std::array<int64_t, 3> shape;  // (pictures or 1, tokens, width)
    std::vector<float> values;
  };

  void record(const std::string& name, Backend& backend, const Matrix& activation, int64_t rows_per_item) override;
  const std::vector<Entry>& entries() const { return entries_; }

  // The first model to claim it has it: false for any other. Numbers above 0 tell models apart.
  bool claim(uint64_t model);

 private:
  std::atomic<uint64_t> model_{0};
  std::vector<Entry> entries_;
};

}  // namespace ivl
