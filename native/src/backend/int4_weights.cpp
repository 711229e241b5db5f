#include "backend/int4_weights.h"

#include <array>
#include <cmath>

#include "backend/rounded_rows.h"
#include "host/host_memory.h"
#include "tensor/error.h"

namespace ivl {
namespace {

void quantize(Int4Weights& out, const HostTensor& weight, DType as, const RowCodec& codec, ThreadPool& pool,
              const float* importance) {
  out.rows.type = as == DType::F32 ? DType::BF16 : as;
  const int64_t stride = out.rows.stride(), scale_bytes = out.rows.groups() * kInt4ScaleBytes;
  out.owned = allocate_host(static_cast<size_t>(out.count * (stride + scale_bytes)));
  auto* values = static_cast<uint8_t*>(out.owned.data());
  uint8_t* scales = values + out.count * stride;
  out.rows.values = values;
  out.rows.scales = scales;
  if (weight.data == nullptr) return;
  each_rounded_row(weight, as, codec, pool, [&](int64_t row, const float* in) {
    codec.int4(values + row * stride, scales + row * scale_bytes, out.rows.type, in, importance, out.rows.inputs);
  });
}

// In bits nobody would see them any more: every value of the group would pass for a number.
void require_finite(const Int4Weights& weights, const HostTensor& from) {
  const int64_t groups = weights.rows.groups();
  for (int64_t at = 0; at < weights.count * groups; ++at) {
    if (std::isfinite(load_f32(weights.rows.scales, weights.rows.type, static_cast<size_t>(at)))) continue;
    const bool stored = from.format() == WeightFormat::Int4;
    fail(Status::Checkpoint, cat(from.where.empty() ? "int4" : from.where, ": ", stored ? "a scale of row " : "row ", at / groups,
                                 stored ? " is not finite" : " holds NaN, infinity, or a value beyond its type's scales",
                                 ", which int4 would hide; ", "`info --check` lists the damaged tensors"));
  }
}

float level_of(const Int4Rows& row, int q, int64_t group) {
  return static_cast<float>(row.zeros == nullptr ? kInt4Levels[q] : q - row.zeros[group]);
}

// A group's sixteen weights in `as`.
std::array<uint16_t, 16> table_of(const Int4Rows& row, int64_t group, DType as) {
  const float scale = load_f32(row.scales, row.type, static_cast<size_t>(group));
  std::array<uint16_t, 16> stored{}, table{};
  for (size_t q = 0; q < table.size(); ++q) {
    store_f32(stored.data(), row.type, q, level_of(row, static_cast<int>(q), group) * scale);
    store_f32(table.data(), as, q, load_f32(stored.data(), row.type, q));
  }
  return table;
}

}  // namespace

Buffer int4_written_out(const Int4Weights& weights, DType as, ThreadPool& pool) {
  require(as != DType::F32, "int4 is written out in 16 bits");
  const int64_t inputs = weights.rows.inputs;
  Buffer out = allocate_host(static_cast<size_t>(weights.count * inputs) * sizeof(uint16_t));
  pool.run(weights.count, [&](int64_t at, int) {
    const Int4Rows row = weights.rows.from(at);
    auto* to = static_cast<uint16_t*>(out.data()) + at * inputs;
    std::array<uint16_t, 16> table{};
    for (int64_t i = 0; i < inputs; ++i) {
      if (i % row.group == 0) table = table_of(row, i / row.group, as);
      const Int4Place place = int4_place(i);
      to[i] = table[static_cast<size_t>(row.values[place.byte] >> place.shift & 15)];
    }
  });
  return out;
}

float int4_weight(const Int4Rows& rows, int64_t row, int64_t input) {
  const Int4Rows at = rows.from(row);
  const Int4Place place = int4_place(input);
  const int q = at.values[place.byte] >> place.shift & 15;
  const auto group = static_cast<size_t>(input / rows.group);
  return rounded_to(rows.type, level_of(at, q, static_cast<int64_t>(group)) * load_f32(at.scales, rows.type, group));
}

Int4Weights int4_weights(const HostTensor& weight, DType as, const RowCodec& codec, ThreadPool& pool, const float* importance) {
  Int4Weights out;
  out.count = weight.shape[0];
  out.rows.inputs = weight.shape[1];
  if (weight.format() == WeightFormat::Int4) {
    out.rows = weight.int4_rows();
    out.owner = weight.owner;
  } else {
    quantize(out, weight, as, codec, pool, importance);
  }
  if (weight.data != nullptr) require_finite(out, weight);
  return out;
}

}  // namespace ivl
