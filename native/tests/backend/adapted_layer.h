// Layers with adapters, for tests of what a backend's products add of them.
#pragma once

#include <list>

#include "cpu/operands.h"

namespace ivl::testing {

// Pairs for a layer of these parts, each of its own rank; 0: the part has none.
class AdapterPairs {
 public:
  AdapterPairs(const std::vector<int64_t>& parts, int64_t in, const std::vector<int64_t>& ranks, DType type, uint32_t seed) {
    for (size_t i = 0; i < parts.size(); ++i) {
      if (ranks[i] == 0) {
        source_.ups.push_back({parts[i]});
        continue;
      }
      const auto down = static_cast<int64_t>(source_.downs.size());
      source_.downs.push_back({values({ranks[i], in}, type, seed + 10 * static_cast<uint32_t>(i)), 1.5f});
      source_.ups.push_back({parts[i], down, values({parts[i], ranks[i]}, type, seed + 10 * static_cast<uint32_t>(i) + 1)});
    }
  }
  const AdapterSource& source() const { return source_; }

 private:
  HostTensor values(std::vector<int64_t> shape, DType type, uint32_t seed) {
    return values_.emplace_back(std::move(shape), type, seed, 0.3f).tensor();
  }
  std::list<HostValues> values_;
  AdapterSource source_;
};

struct AdaptedLayer {
  std::vector<int64_t> parts;
  int64_t in;
  WeightFormat format;
  DType type;
  Activation activation;
};

class AdaptedProduct {
 public:
  explicit AdaptedProduct(const AdaptedLayer& layer) : layer_(layer) {
    for (size_t i = 0; i < layer.parts.size(); ++i) {
      values_.emplace_back(std::vector<int64_t>{layer.parts[i], layer.in}, layer.type, 2 + static_cast<uint32_t>(i), 0.2f);
      source_.weights.push_back(values_.back().tensor());
      biases_.emplace_back(std::vector<int64_t>{layer.parts[i]}, layer.type, 50 + static_cast<uint32_t>(i));
      source_.biases.push_back(biases_.back().tensor());
    }
    source_.format = layer.format;
  }
  int64_t outputs() const {
    if (layer_.activation == Activation::SwiGlu) return layer_.parts[0];
    int64_t sum = 0;
    for (const int64_t rows : layer_.parts) sum += rows;
    return sum;
  }
  std::unique_ptr<LinearWeights> on(Backend& backend, DType as) const { return backend.linear(source_, as); }
  void run(Backend& backend, const LinearWeights& weights, const Matrix& out, const Matrix& in,
           std::span<const AdaptedRows> adapted) const {
    backend.matmul(out, {in, weights, adapted}, {layer_.activation, nullptr, nullptr});
  }

 private:
  const AdaptedLayer& layer_;
  std::list<HostValues> values_, biases_;
  LinearSource source_;
};

// Ranks of the first, of the second part, ...
inline const std::vector<int64_t> kRanks[] = {{16, 16, 16}, {1, 3, 0}, {64, 8, 17}, {0, 33, 5}};

// Adapters of these ranks, as far as they have pairs for the layer's parts.
inline std::vector<AdapterPairs> adapters_for(const AdaptedLayer& layer, DType type) {
  std::vector<AdapterPairs> all;
  uint32_t seed = 100;
  for (const std::vector<int64_t>& ranks : kRanks) {
    if (layer.parts.size() > 1 || ranks[0] > 0) all.emplace_back(layer.parts, layer.in, ranks, type, seed += 100);
  }
  return all;
}

}  // namespace ivl::testing
