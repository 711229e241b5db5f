#include "model/rope.h"

#include <cmath>

#include "tensor/error.h"

namespace ivl {
namespace {

double base_at(const Rope& rope, int64_t position, int64_t head_dim) {
  if (rope.dynamic_factor == 0 || position < rope.trained) return rope.theta;
  const double stretch = static_cast<double>(position + 1) / static_cast<double>(rope.trained);
  const auto width = static_cast<double>(head_dim);
  return rope.theta * std::pow(rope.dynamic_factor * stretch - (rope.dynamic_factor - 1), width / (width - 2));
}

// Positions that the table has by the short factors: none where no text can be longer, or there is one list.
int64_t short_rows(const Rope& rope, int64_t context) {
  return rope.longrope && rope.longrope->original < context ? rope.longrope->original : 0;
}

// One of a table's frequencies.
class Column {
 public:
  Column(const Rope& rope, int64_t head_dim, int64_t i)
      : rope_(rope), head_dim_(head_dim), i_(i), exponent_(static_cast<float>(2 * i) / static_cast<float>(head_dim)) {}

  void fill(float* table, int64_t rows, const std::vector<double>* factors) const {
    const float factor = factors == nullptr ? 1.0f : static_cast<float>((*factors)[static_cast<size_t>(i_)]);
    const float magnitude = rope_.longrope ? static_cast<float>(rope_.longrope->magnitude) : 1.0f;
    const float plain = inverse_of(rope_.theta, factor);
    for (int64_t position = 0; position < rows; ++position) {
      const double base = base_at(rope_, position, head_dim_);
      const float inverse = base == rope_.theta ? plain : inverse_of(base, factor);
      const double angle = static_cast<double>(static_cast<float>(position) * inverse);
      float* row = table + position * head_dim_;
      row[i_] = static_cast<float>(std::cos(angle)) * magnitude;
      row[head_dim_ / 2 + i_] = static_cast<float>(std::sin(angle)) * magnitude;
    }
  }

 private:
  float inverse_of(double base, float factor) const {
    return 1.0f / (factor * static_cast<float>(std::pow(base, static_cast<double>(exponent_))));
  }

  const Rope& rope_;
  int64_t head_dim_, i_;
  float exponent_;
};

}  // namespace

std::vector<float> rope_table(const Rope& rope, int64_t context, int64_t head_dim) {
  const int64_t twice = short_rows(rope, context);
  std::vector<float> table(static_cast<size_t>(rope_rows(rope, context) * head_dim));
  for (int64_t i = 0; i < head_dim / 2; ++i) {
    const Column column(rope, head_dim, i);
    const std::vector<double>* short_factors = rope.longrope ? &rope.longrope->short_factors : nullptr;
    column.fill(table.data(), twice, short_factors);
    column.fill(table.data() + twice * head_dim, context, twice == 0 ? short_factors : &rope.longrope->long_factors);
  }
  return table;
}

int64_t rope_rows(const Rope& rope, int64_t context) { return short_rows(rope, context) + context; }

bool turns_long(const Rope& rope, int64_t prompt) { return rope.longrope && prompt > rope.longrope->original; }

int64_t rope_begin(const Rope& rope, int64_t context, int64_t prompt, int64_t first, int64_t rows) {
  const int64_t twice = short_rows(rope, context);
  const bool behind = first >= twice;
  require(turns_long(rope, prompt) || behind || first + rows <= twice, "rope: rows of a prompt turn alike");
  return turns_long(rope, prompt) || behind ? twice : 0;
}

}  // namespace ivl
