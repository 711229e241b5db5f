// Recorded activations: copies as f32, in the order in which they were computed.
#pragma once

#include <array>
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

 private:
  std::vector<Entry> entries_;
};

}  // namespace ivl
