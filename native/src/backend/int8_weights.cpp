#include "backend/int8_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "backend/rounded_rows.h"
#include "host/host_memory.h"

namespace ivl {
namespace {

// Where values, scales and sums go in memory of our own.
struct Places {
  int8_t* values;
  float* scales;
  int32_t* sums;
};

Places allocate(Int8Weights& out) {
  const auto rows = static_cast<size_t>(out.rows);
  out.owned = allocate_host(rows * (static_cast<size_t>(out.stride) + sizeof(float) + sizeof(int32_t)));
  auto* values = static_cast<int8_t*>(out.owned.data());
  auto* scales = reinterpret_cast<float*>(values + out.rows * out.stride);
  auto* sums = reinterpret_cast<int32_t*>(scales + out.rows);
  out.values = values;
  out.scales = scales;
  out.sums = sums;
  return {values, scales, sums};
}

void quantize(Int8Weights& out, const HostTensor& weight, DType as, const RowCodec& codec, ThreadPool& pool) {
  const Places to = allocate(out);
  each_rounded_row(weight, as, codec, pool, [&](int64_t row, const float* in) {
    codec.int8(to.values + row * out.stride, to.scales + row, to.sums + row, in, weight.shape[1], out.stride);
  });
}

// Already quantized, but its rows lie without padding.
void pad(Int8Weights& out, const HostTensor& weight) {
  const auto inputs = static_cast<size_t>(weight.shape[1]);
  const Places to = allocate(out);
  for (int64_t row = 0; row < out.rows; ++row) {
    std::memcpy(to.values + row * out.stride, static_cast<const char*>(weight.data) + static_cast<size_t>(row) * inputs, inputs);
    std::memset(to.values + row * out.stride + inputs, 0, static_cast<size_t>(out.stride) - inputs);
  }
  std::copy_n(static_cast<const float*>(weight.quantization.scales), out.rows, to.scales);
  std::copy_n(weight.quantization.sums, out.rows, to.sums);
}

// In bytes nobody would see them any more: every value of the row would pass for a number.
void require_finite(const Int8Weights& weights, const HostTensor& from) {
  const float* end = weights.scales + weights.rows;
  const float* bad = std::find_if_not(weights.scales, end, [](float scale) { return std::isfinite(scale); });
  if (bad == end) return;
  const bool stored = from.format() == WeightFormat::Int8;
  fail(Status::Checkpoint, cat(from.where.empty() ? "int8" : from.where, ": ", stored ? "the scale of row " : "row ",
                               bad - weights.scales, stored ? " is not finite" : " holds NaN or infinity",
                               ", which int8 would hide; `info --check` lists the damaged tensors"));
}

}  // namespace

Int8Weights int8_weights(const HostTensor& weight, DType as, const RowCodec& codec, ThreadPool& pool) {
  if (weight.shape[1] > kInt8MostInputs) {
    fail(Status::Unsupported, cat("int8: a layer has ", weight.shape[1], " inputs, expected at most ", kInt8MostInputs));
  }
  Int8Weights out;
  out.rows = weight.shape[0];
  out.stride = int8_stride(weight.shape[1]);
  if (weight.format() != WeightFormat::Int8) {
    quantize(out, weight, as, codec, pool);
  } else if (out.stride == weight.shape[1]) {
    out.values = static_cast<const int8_t*>(weight.data);
    out.scales = static_cast<const float*>(weight.quantization.scales);
    out.sums = weight.quantization.sums;
  } else {
    pad(out, weight);
  }
  if (weight.data != nullptr) require_finite(out, weight);
  return out;
}

}  // namespace ivl
