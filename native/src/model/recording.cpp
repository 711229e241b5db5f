#include "model/recording.h"

#include <algorithm>

namespace ivl {

void Recording::record(const std::string& name, Backend& backend, const Matrix& activation, int64_t rows_per_item) {
  auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
  if (entry == entries_.end()) {
    const bool pictures = rows_per_item > 0;
    entries_.push_back({name, {pictures ? 0 : 1, pictures ? rows_per_item : 0, activation.cols}, {}});
    entry = entries_.end() - 1;
  }
  require(entry->shape[2] == activation.cols, "the pieces of a recorded activation are equally wide");
  if (rows_per_item > 0) {
    entry->shape[0] += activation.rows / rows_per_item;
  } else {
    entry->shape[1] += activation.rows;
  }
  const size_t before = entry->values.size();
  entry->values.resize(before + static_cast<size_t>(activation.rows * activation.cols));
  backend.to_host(entry->values.data() + before, activation);
}

bool Recording::claim(uint64_t model) {
  uint64_t nobody = 0;
  return model_.compare_exchange_strong(nobody, model) || nobody == model;
}

}  // namespace ivl
