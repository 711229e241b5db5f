// What a forward pass reports to whoever wants to see its activations.
#pragma once

#include <string>

#include "backend/backend.h"
#include "model/param.h"

namespace ivl {

class Recorder {
 public:
  virtual ~Recorder() = default;
  // `activation` is (items * rows_per_item, width). Vision parts have one item a picture. The decoder reports one
  // sequence, in pieces when its prompt is long: rows_per_item is 0 and the pieces belong one after the other.
  // It lies in the backend's memory.
  virtual void record(const std::string& name, Backend& backend, const Matrix& activation, int64_t rows_per_item) = 0;
  // What the linear layers of this use in a decoder layer multiply, in the backend's memory. Not the inputs of experts.
  virtual void record_input(Use use, Backend& backend, const Matrix& rows) {
    static_cast<void>(use), static_cast<void>(backend), static_cast<void>(rows);
  }
};

}  // namespace ivl
