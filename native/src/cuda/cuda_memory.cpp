// Memory, copies and weights of the CUDA backend.
#include <cstring>
#include <vector>

#include "backend/int4_weights.h"
#include "backend/int8_weights.h"
#include "cuda/cuda_backend.h"
#include "host/processor.h"

namespace ivl::cuda {
namespace {

template <class T>
constexpr DType kType = DType::BF16;
template <>
constexpr DType kType<gpu::f16> = DType::F16;

int64_t elements(const HostTensor& tensor) {
  int64_t size = 1;
  for (const int64_t dim : tensor.shape) size *= dim;
  return size;
}

}  // namespace

template <class T>
DType CudaBackend<T>::activation_type() const {
  return kType<T>;
}

template <class T>
std::string CudaBackend<T>::description() const {
  return cat("cuda:", device_.ordinal(), ": ", device_.name(), ", ", name_of(kType<T>));
}

template <class T>
void CudaBackend<T>::to_host(float* out, const Matrix& in) {
  const auto cols = static_cast<size_t>(in.cols);
  const auto rows = static_cast<size_t>(in.rows);
  const size_t pitch = static_cast<size_t>(in.stride) * size_of(in.dtype);
  if (in.dtype == DType::F32) {
    device_.download_rows(out, cols * sizeof(float), in.data, pitch, cols * sizeof(float), rows);
    return;
  }
  std::vector<uint16_t> stored(rows * cols);
  device_.download_rows(stored.data(), cols * 2, in.data, pitch, cols * 2, rows);
  for (size_t i = 0; i < stored.size(); ++i) out[i] = load_f32(stored.data(), in.dtype, i);
}

template <class T>
void CudaBackend<T>::from_host(const Matrix& out, const float* in) {
  const auto cols = static_cast<size_t>(out.cols);
  const auto rows = static_cast<size_t>(out.rows);
  const size_t pitch = static_cast<size_t>(out.stride) * size_of(out.dtype);
  if (out.dtype == DType::F32) {
    device_.upload_rows(out.data, pitch, in, cols * sizeof(float), cols * sizeof(float), rows);
    return;
  }
  std::vector<uint16_t> stored(rows * cols);
  for (size_t i = 0; i < stored.size(); ++i) store_f32(stored.data(), out.dtype, i, in[i]);
  device_.upload_rows(out.data, pitch, stored.data(), cols * 2, cols * 2, rows);
}

template <class T>
void CudaBackend<T>::copy(const Matrix& out, const Matrix& in) {
  require(out.rows == in.rows && out.cols == in.cols && out.dtype == in.dtype, "copy: equal shapes and types");
  const size_t size = size_of(in.dtype);
  device_.move_rows(out.data, static_cast<size_t>(out.stride) * size, in.data, static_cast<size_t>(in.stride) * size,
                    static_cast<size_t>(in.cols) * size, static_cast<size_t>(in.rows));
}

template <class T>
void CudaBackend<T>::receive(const Matrix& out, const Matrix& in, Backend& from) {
  const auto* other = dynamic_cast<CudaBackend*>(&from);
  if (other == nullptr || other == this || in.stride != in.cols || out.stride != out.cols) {
    Backend::receive(out, in, from);
    return;
  }
  require(out.rows == in.rows && out.cols == in.cols && out.dtype == in.dtype, "receive: equal shapes and types");
  device_.receive(out.data, in.data, static_cast<size_t>(in.rows * in.cols) * size_of(in.dtype), other->device_);
}

template <class T>
void CudaBackend<T>::copy_block(void* out, const void* in, const KvShape& shape, int64_t tokens) {
  require(tokens <= kKvBlock, "copy_block: the tokens fit");
  if (tokens == 0) return;
  device_.move_rows(out, shape.head_bytes(), in, shape.head_bytes(), static_cast<size_t>(tokens) * shape.row_bytes(),
                    static_cast<size_t>(2 * shape.layers * shape.kv_heads));
}

template <class T>
Staging& CudaBackend<T>::staging() {
  if (staging_ == nullptr) staging_ = std::make_unique<Staging>(device_);
  return *staging_;
}

template <class T>
void CudaBackend<T>::upload_converted(T* to, const HostTensor& source, int64_t cols, int64_t padded) {
  if (source.data == nullptr) return;
  const auto fill = [&source](void* piece, size_t first, size_t count) {
    if (source.dtype == kType<T>) {
      std::memcpy(piece, static_cast<const T*>(source.data) + first, count * sizeof(T));
      return;
    }
    for (size_t i = 0; i < count; ++i) {
      store_f32(piece, kType<T>, i, load_f32(source.data, source.dtype, first + i));
    }
  };
  staging().upload(to, static_cast<size_t>(padded) * sizeof(T), static_cast<size_t>(elements(source) / cols),
                   static_cast<size_t>(cols), sizeof(T), fill);
}

template <class T>
std::unique_ptr<VectorWeights> CudaBackend<T>::vector(const HostTensor& source, DType as) {
  require(as == kType<T>, "vector: the backend's type");
  auto weights = std::make_unique<CudaVector>();
  weights->size = elements(source);
  weights->values = allocate(static_cast<size_t>(weights->size) * sizeof(T));
  upload_converted(static_cast<T*>(weights->values.data()), source, weights->size, weights->size);
  return weights;
}

template <class T>
void CudaBackend<T>::allocate_rows(CudaLinear& weights, const LinearSource& like, int64_t count) {
  require(!like.weights.empty(), "linear: at least one weight");
  weights.in_features = elements(like.weights[0]) / like.weights[0].shape[0];
  weights.padded_in = padded_to_8(weights.in_features);
  for (const HostTensor& part : like.weights) weights.out_features += count * part.shape[0];
  const size_t row_bytes = like.format == WeightFormat::Int8 ? static_cast<size_t>(int8_stride(weights.in_features))
                                                             : static_cast<size_t>(weights.padded_in) * sizeof(T);
  weights.weight = allocate(static_cast<size_t>(weights.out_features) * row_bytes);
  if (like.format == WeightFormat::Int8) weights.int8_scales = allocate(static_cast<size_t>(weights.out_features) * sizeof(float));
}

// int4_weights() of this, written out in 16 bits.
template <class T>
HostTensor CudaBackend<T>::written_out(const HostTensor& weight, const RowCodec& codec, Buffer& memory) {
  const Int4Weights weights = int4_weights(weight, kType<T>, codec, staging().pool());
  if (weight.data == nullptr) return {nullptr, kType<T>, weight.shape};
  memory = int4_written_out(weights, kType<T>, staging().pool());
  return {memory.data(), kType<T>, weight.shape};
}

// In int8 quantized on the host: to the same bits as on the CPU, and half as many bytes go over the bus.
template <class T>
void CudaBackend<T>::put_rows(CudaLinear& weights, int64_t first, const LinearSource& source) {
  const RowCodec codec = row_codec();
  const int64_t stride = int8_stride(weights.in_features);
  for (const HostTensor& part : source.weights) {
    if (source.format == WeightFormat::Int8) {
      const Int8Weights quantized = int8_weights(part, kType<T>, codec, staging().pool());
      if (quantized.values != nullptr) {
        staging().upload(static_cast<int8_t*>(weights.weight.data()) + first * stride, quantized.values,
                         static_cast<size_t>(quantized.rows * stride));
        staging().upload(static_cast<float*>(weights.int8_scales.data()) + first, quantized.scales,
                         static_cast<size_t>(quantized.rows) * sizeof(float));
      }
    } else {
      T* to = static_cast<T*>(weights.weight.data()) + first * weights.padded_in;
      Buffer wide;  // what is in int4, which a GPU keeps in 16 bits
      const HostTensor plain = source.format == WeightFormat::Int4 ? written_out(part, codec, wide) : part;
      upload_converted(to, plain, weights.in_features, weights.padded_in);
    }
    first += part.shape[0];
  }
}

template <class T>
std::unique_ptr<LinearWeights> CudaBackend<T>::linear(const LinearSource& source, DType as) {
  require_own_type(as);
  require(source.biases.empty() || source.biases.size() == source.weights.size(), "linear: a bias for each weight or none");
  auto weights = std::make_unique<CudaLinear>();
  allocate_rows(*weights, source, 1);
  put_rows(*weights, 0, source);
  if (!source.biases.empty()) {
    weights->bias = allocate(static_cast<size_t>(weights->out_features) * sizeof(T));
    T* to = static_cast<T*>(weights->bias.data());
    for (const HostTensor& part : source.biases) {
      upload_converted(to, part, part.shape[0], part.shape[0]);
      to += part.shape[0];
    }
  }
  return weights;
}

template <class T>
std::unique_ptr<TableWeights> CudaBackend<T>::table(const HostTensor& source, DType as) {
  require(as == kType<T> && source.shape.size() == 2, "table: two dimensions of the backend's type");
  auto weights = std::make_unique<CudaTable>();
  weights->rows = source.shape[0];
  weights->cols = source.shape[1];
  weights->values = allocate(static_cast<size_t>(weights->rows * weights->cols) * sizeof(T));
  upload_converted(static_cast<T*>(weights->values.data()), source, weights->cols, weights->cols);
  return weights;
}

template <class T>
void CudaBackend<T>::finish_weights() {
  staging_.reset();
  device_.wait();
}

template class CudaBackend<gpu::bf16>;
template class CudaBackend<gpu::f16>;

}  // namespace ivl::cuda
