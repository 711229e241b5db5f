#include "model/adapters/adapter.h"

#include <algorithm>

#include "host/next_id.h"

namespace ivl {

Adapter::Adapter() : id_(next_id()) {}

void Adapter::put_all(Backend& backend, const LoraTensors& tensors, std::span<const Param> part, std::initializer_list<Use> uses) {
  for (const Use use : uses) {
    const AdapterSource source = tensors.source(part, use);
    if (!source.downs.empty()) weights_[{part.front().part, part.front().index, use}] = backend.adapter(source);
  }
}

const AdapterWeights* Adapter::of(Part part, int64_t index, Use use) const {
  const auto found = weights_.find({part, index, use});
  return found == weights_.end() ? nullptr : found->second.get();
}

void RowAdapters::add(int64_t row, int64_t rows, std::span<const AdapterUse> uses) {
  for (const AdapterUse& use : uses) {
    const auto later = [&](const Range& range) { return range.use.adapter->id() > use.adapter->id(); };
    const auto at = std::find_if(ranges_.begin(), ranges_.end(), later);
    if (at != ranges_.begin()) {
      Range& before = *std::prev(at);
      const bool same = before.use.adapter == use.adapter && before.use.weight == use.weight;
      if (same && before.row + before.rows == row) {
        before.rows += rows;
        continue;
      }
    }
    ranges_.insert(at, {row, rows, use});
  }
}

std::vector<AdaptedRows> RowAdapters::of(Part part, int64_t index, Use use) const {
  std::vector<AdaptedRows> adapted;
  for (const Range& range : ranges_) {
    const AdapterWeights* weights = range.use.adapter->of(part, index, use);
    if (weights != nullptr) adapted.push_back({range.row, range.rows, weights, range.use.weight});
  }
  return adapted;
}

RowAdapters RowAdapters::gathered(std::span<const int32_t> rows) const {
  RowAdapters all;
  if (empty()) return all;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<AdapterUse> uses;
    for (const Range& range : ranges_) {
      if (range.row <= rows[i] && rows[i] < range.row + range.rows) uses.push_back(range.use);
    }
    all.add(static_cast<int64_t>(i), 1, uses);
  }
  return all;
}

}  // namespace ivl
