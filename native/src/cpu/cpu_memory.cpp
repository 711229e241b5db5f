// Memory, copies and weights of the CPU backend.
#include <algorithm>
#include <cstring>

#include "cpu/cpu_backend.h"
#include "cpu/cpu_weights.h"
#include "cpu/kernels.h"
#include "host/host_memory.h"

namespace ivl::cpu {
namespace {

size_t elements(const std::vector<int64_t>& shape) {
  size_t size = 1;
  for (const int64_t dim : shape) size *= static_cast<size_t>(dim);
  return size;
}

}  // namespace

Buffer CpuBackend::allocate(size_t bytes) { return allocate_host(bytes); }

void CpuBackend::to_host(float* out, const Matrix& in) {
  const size_t row_bytes = static_cast<size_t>(in.stride) * size_of(in.dtype);
  for (int64_t row = 0; row < in.rows; ++row) {
    kernels_.widen(out + row * in.cols, static_cast<const char*>(in.data) + static_cast<size_t>(row) * row_bytes, in.dtype,
                   in.cols);
  }
}

void CpuBackend::from_host(const Matrix& out, const float* in) {
  const size_t row_bytes = static_cast<size_t>(out.stride) * size_of(out.dtype);
  for (int64_t row = 0; row < out.rows; ++row) {
    kernels_.narrow(static_cast<char*>(out.data) + static_cast<size_t>(row) * row_bytes, out.dtype, in + row * out.cols, out.cols);
  }
}

void CpuBackend::copy(const Matrix& out, const Matrix& in) {
  require(out.rows == in.rows && out.cols == in.cols && out.dtype == in.dtype, "copy: equal shapes and types");
  const size_t size = size_of(in.dtype);
  for (int64_t row = 0; row < in.rows; ++row) {
    std::memcpy(static_cast<char*>(out.data) + static_cast<size_t>(row * out.stride) * size,
                static_cast<const char*>(in.data) + static_cast<size_t>(row * in.stride) * size,
                static_cast<size_t>(in.cols) * size);
  }
}

void CpuBackend::copy_block(void* out, const void* in, const KvShape& shape, int64_t tokens) {
  require(tokens <= kKvBlock, "copy_block: the tokens fit");
  const auto count = static_cast<size_t>(tokens);
  const size_t scales = shape.scales_offset();
  const auto* from = static_cast<const char*>(in);
  auto* to = static_cast<char*>(out);
  const int64_t heads = 2 * shape.layers * shape.kv_heads;
  for (int64_t head = 0; head < heads; ++head, from += shape.head_bytes(), to += shape.head_bytes()) {
    std::memcpy(to, from, count * shape.row_bytes());
    std::memcpy(to + scales, from + scales, count * shape.scale_bytes());
  }
}

HostTensor CpuBackend::keep(const HostTensor& source, DType as, Buffer& owned) {
  if (source.dtype == as || as == DType::F32) return source;
  const auto size = static_cast<int64_t>(elements(source.shape));
  owned = allocate(static_cast<size_t>(size) * size_of(as));
  constexpr int64_t kPiece = 1 << 16;
  const auto* from = static_cast<const char*>(source.data);
  auto* to = static_cast<char*>(owned.data());
  pool_.run((size + kPiece - 1) / kPiece, [&](int64_t task, int) {
    std::vector<float> wide(kPiece);
    const int64_t begin = task * kPiece;
    const int64_t count = std::min(kPiece, size - begin);
    kernels_.widen(wide.data(), from + static_cast<size_t>(begin) * size_of(source.dtype), source.dtype, count);
    kernels_.narrow(to + static_cast<size_t>(begin) * size_of(as), as, wide.data(), count);
  });
  return {owned.data(), as, source.shape};
}

std::unique_ptr<VectorWeights> CpuBackend::vector(const HostTensor& source, DType as) {
  Buffer rounded;
  const HostTensor kept = keep(source, as, rounded);
  auto weights = std::make_unique<CpuVector>();
  weights->values.resize(elements(source.shape));
  weights->size = static_cast<int64_t>(weights->values.size());
  kernels_.widen(weights->values.data(), kept.data, kept.dtype, weights->size);
  return weights;
}

void CpuBackend::put_weights(CpuLinear::Part& part, const HostTensor& weight, WeightFormat format, DType as) {
  switch (format) {
    case WeightFormat::Plain: {
      const HostTensor kept = keep(weight, as, part.owned);
      part.data = kept.data;
      part.dtype = kept.dtype;
      return;
    }
    case WeightFormat::Int8: part.int8 = int8_weights(weight, as, codec_of(kernels_), pool_); return;
    case WeightFormat::Int4:
      part.int4 = int4_weights(weight, as, codec_of(kernels_), pool_);
      part.dtype = as == DType::F32 ? part.int4.rows.type : as;
      return;
  }
}

std::unique_ptr<LinearWeights> CpuBackend::linear(const LinearSource& source, DType as) {
  require(!source.weights.empty(), "linear: at least one weight");
  require(source.biases.empty() || source.biases.size() == source.weights.size(), "linear: a bias for each weight or none");
  auto weights = std::make_unique<CpuLinear>();
  weights->in_features = source.weights[0].shape[1];
  weights->format = source.format;
  for (size_t i = 0; i < source.weights.size(); ++i) {
    CpuLinear::Part part;
    require(source.weights[i].shape.size() == 2 && source.weights[i].shape[1] == weights->in_features,
            "linear: stacked weights share their input");
    part.rows = source.weights[i].shape[0];
    put_weights(part, source.weights[i], source.format, as);
    if (!source.biases.empty()) part.bias = vector(source.biases[i], as);
    weights->out_features += part.rows;
    weights->parts.push_back(std::move(part));
  }
  return weights;
}

std::unique_ptr<AdapterWeights> CpuBackend::adapter(const AdapterSource& source) {
  require(!source.downs.empty(), "adapter: at least one pair");
  LinearSource downs;
  for (const AdapterSource::Down& pair : source.downs) downs.weights.push_back(pair.weight);
  for (const AdapterSource::Up& up : source.ups) {
    require(up.down < 0 || (up.weight.shape[0] == up.rows &&
                            up.weight.shape[1] == source.downs.at(static_cast<size_t>(up.down)).weight.shape[0]),
            "adapter: A and B of a pair fit");
  }
  auto weights = std::make_unique<CpuAdapter>();
  weights->down = linear(downs, DType::F32);
  weights->source = source;
  return weights;
}

std::unique_ptr<TableWeights> CpuBackend::table(const HostTensor& source, DType as) {
  require(source.shape.size() == 2, "table: two dimensions");
  auto weights = std::make_unique<CpuTable>();
  const HostTensor kept = keep(source, as, weights->owned);
  weights->data = kept.data;
  weights->dtype = kept.dtype;
  weights->rows = source.shape[0];
  weights->cols = source.shape[1];
  return weights;
}

}  // namespace ivl::cpu
