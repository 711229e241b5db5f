#include "backend/backend.h"

#include <chrono>

namespace ivl {
namespace {

// Bytes of a row of `inputs` values, and of what belongs to it.
struct RowBytes {
  int64_t values, scales;
};

RowBytes row_bytes(const HostTensor& tensor, int64_t inputs) {
  switch (tensor.format()) {
    case WeightFormat::Plain: return {inputs * static_cast<int64_t>(size_of(tensor.dtype)), 0};
    case WeightFormat::Int8: return {inputs, static_cast<int64_t>(sizeof(float))};
    case WeightFormat::Int4: return {int4_stride(inputs), int4_groups(inputs, tensor.quantization.group) * kInt4ScaleBytes};
  }
  return {};
}

}  // namespace

HostTensor HostTensor::row_range(int64_t begin, int64_t count) const {
  HostTensor part = *this;
  part.shape[0] = count;
  if (data == nullptr) return part;
  int64_t inputs = 1;
  for (size_t i = 1; i < shape.size(); ++i) inputs *= shape[i];
  const RowBytes bytes = row_bytes(*this, inputs);
  part.data = static_cast<const char*>(data) + begin * bytes.values;
  Quantization& q = part.quantization;
  if (q.scales != nullptr) q.scales = static_cast<const char*>(q.scales) + begin * bytes.scales;
  if (q.sums != nullptr) q.sums += begin;
  if (q.zeros != nullptr) q.zeros += begin * int4_groups(inputs, q.group);
  return part;
}

void Backend::receive(const Matrix& out, const Matrix& in, Backend& from) {
  if (&from == this) {
    copy(out, in);
    return;
  }
  std::vector<float> values(static_cast<size_t>(in.rows * in.cols));
  from.to_host(values.data(), in);
  from_host(out, values.data());
}

void Backend::pixel_shuffle_norm(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor,
                                 bool swap_back, const NormWeights& weights) {
  pixel_shuffle(out, in, pictures, grid, factor, swap_back);
  norm(out, out, weights);
}

double Backend::timed(const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace ivl
