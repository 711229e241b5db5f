#include "model/random_weights.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "host/host_memory.h"
#include "host/processor.h"

namespace ivl {
namespace {

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): the i-th number of a seed, from 0, by itself.
uint64_t split_mix(uint64_t seed, uint64_t i) {
  uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

constexpr size_t kTaskValues = size_t{1} << 16;

}  // namespace

RandomWeights::RandomWeights(DType type, uint64_t seed) : type_(type), seed_(seed), pool_(default_threads()) {}

HostTensor RandomWeights::tensor(const Param& param) {
  const std::vector<int64_t>& shape = param.shape;
  const auto size = static_cast<size_t>(param.elements());
  Buffer& buffer = made_[param.name];
  if (buffer.bytes() == 0) {
    buffer = allocate_host(size * size_of(type_));
    const bool norm = param.role == Role::Norm;
    const double fan_in = shape.size() > 1 ? static_cast<double>(size) / static_cast<double>(shape[0]) : 100.0;
    const float spread = static_cast<float>(std::sqrt(3.0 / fan_in));
    const uint64_t seed = seed_ ^ std::hash<std::string>{}(param.name);
    pool_.run(static_cast<int64_t>((size + kTaskValues - 1) / kTaskValues), [&](int64_t task, int) {
      const size_t begin = static_cast<size_t>(task) * kTaskValues;
      for (size_t i = begin; i < std::min(size, begin + kTaskValues); ++i) {
        const float unit = static_cast<float>(split_mix(seed, i) >> 40) * 0x1p-23f - 1.0f;
        store_f32(buffer.data(), type_, i, norm ? 1.0f + 0.1f * unit : spread * unit);
      }
    });
  }
  return {buffer.data(), type_, shape};
}

}  // namespace ivl
