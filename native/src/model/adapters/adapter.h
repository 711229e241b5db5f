// An adapter in the memory of a model's backends, and which rows of a pass take which adapters.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "model/adapters/lora_tensors.h"

namespace ivl {

class Adapter {
 public:
  Adapter();

  // Never reused, and smaller than those of adapters that come later.
  uint64_t id() const { return id_; }
  // Puts the pairs of a part's layers where the part is.
  void put_all(Backend& backend, const LoraTensors& tensors, std::span<const Param> part, std::initializer_list<Use> uses);
  // Null if it adds nothing to that layer.
  const AdapterWeights* of(Part part, int64_t index, Use use) const;

 private:
  uint64_t id_;
  std::map<std::tuple<Part, int64_t, Use>, std::unique_ptr<AdapterWeights>> weights_;
};

// An adapter and how much of it is added. Several are added up in the order of their ids.
struct AdapterUse {
  const Adapter* adapter = nullptr;
  float weight = 1;
};

// Which rows of a pass take which adapters. What is added to a row, and in which order, depends on that row's adapters alone.
class RowAdapters {
 public:
  // Rows [row, row + rows) take these, which are in the order of their ids. Rows come in order.
  void add(int64_t row, int64_t rows, std::span<const AdapterUse> uses);
  bool empty() const { return ranges_.empty(); }
  // Of a layer; what it gives stays good as long as the adapters do.
  std::vector<AdaptedRows> of(Part part, int64_t index, Use use) const;
  // The same of a pass whose row i is this one's row rows[i].
  RowAdapters gathered(std::span<const int32_t> rows) const;

 private:
  struct Range {
    int64_t row, rows;
    AdapterUse use;
  };
  std::vector<Range> ranges_;  // by adapter, then by row
};

}  // namespace ivl
