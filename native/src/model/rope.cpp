#include "model/rope.h"

#include <cmath>

namespace ivl {
namespace {

double base_at(const Rope& rope, int64_t position, int64_t head_dim) {
  if (rope.dynamic_factor == 0 || position < rope.trained) return rope.theta;
  const double stretch = static_cast<double>(position + 1) / static_cast<double>(rope.trained);
  const auto width = static_cast<double>(head_dim);
  return rope.theta * std::pow(rope.dynamic_factor * stretch - (rope.dynamic_factor - 1), width / (width - 2));
}

}  // namespace

std::vector<float> rope_table(const Rope& rope, int64_t context, int64_t head_dim) {
  const int64_t half = head_dim / 2;
  std::vector<float> table(static_cast<size_t>(context * head_dim));
  for (int64_t i = 0; i < half; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(head_dim);
    const auto inverse_of = [&](double base) { return 1.0f / static_cast<float>(std::pow(base, static_cast<double>(exponent))); };
    const float plain = inverse_of(rope.theta);
    for (int64_t position = 0; position < context; ++position) {
      const double base = base_at(rope, position, head_dim);
      const float inverse = base == rope.theta ? plain : inverse_of(base);
      const double angle = static_cast<double>(static_cast<float>(position) * inverse);
      table[static_cast<size_t>(position * head_dim + i)] = static_cast<float>(std::cos(angle));
      table[static_cast<size_t>(position * head_dim + half + i)] = static_cast<float>(std::sin(angle));
    }
  }
  return table;
}

}  // namespace ivl
