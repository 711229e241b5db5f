// Products, norms, attention and what is done row by row.
#include "cuda/cuda_backend.h"

#include <cmath>
#include <utility>

#include "backend/int8.h"
#include "head_norm.h"
#include "norm.h"
#include "rows.h"

namespace ivl::cuda {
namespace {

static_assert(gpu::kOutlier == kInt8Outlier && gpu::kMostOutliers == kMostOutliers, "int8 means the same everywhere");

gpu::Activation activation_of(Activation activation) {
  switch (activation) {
    case Activation::None: return gpu::Activation::None;
    case Activation::Gelu: return gpu::Activation::Gelu;
    case Activation::SwiGlu: return gpu::Activation::SwiGlu;
  }
  return gpu::Activation::None;
}

template <class T>
const T* values_of(const VectorWeights* weights) {
  return weights == nullptr ? nullptr : static_cast<const T*>(static_cast<const CudaVector*>(weights)->values.data());
}

// The layer that the rows are written for, if it takes them in int8.
const CudaLinear* int8_reader(const Output& out) {
  const auto* layer = static_cast<const CudaLinear*>(out.reader);
  return layer != nullptr && layer->int8_scales.data() != nullptr && layer->padded_in == out.rows.cols ? layer : nullptr;
}

// Where a layer's keys and values lie in a block of a cache, in elements.
struct BlockLayout {
  int64_t head;
  int64_t values;  // from the keys of a layer to its values
  int64_t layer;

  explicit BlockLayout(const KvShape& shape) : head(kKvBlock * shape.head_dim), values(shape.kv_heads * head), layer(2 * values) {
    require(shape.type == KvType::BF16 || shape.type == KvType::F16, "CUDA: a cache of 16-bit numbers");
  }
};

}  // namespace

template <class T>
gpu::Rows<T> CudaBackend<T>::rows_of(const Matrix& m) {
  require(m.dtype != DType::F32 && m.stride % 8 == 0, "CUDA: rows of 16-bit numbers, aligned to 16 bytes");
  return {static_cast<T*>(m.data), m.stride};
}

template <class T>
void* CudaBackend<T>::grown(const Device& device, Buffer& buffer, size_t bytes) {
  if (buffer.bytes() < bytes) {
    buffer = Buffer();
    buffer = device.allocate(bytes + bytes / 2);
  }
  return buffer.data();
}

template <class T>
void CudaBackend<T>::norm(const Output& to, const Matrix& in, const NormWeights& weights) {
  const Matrix& out = to.rows;
  require(out.rows == in.rows && out.cols == in.cols && weights.weight->size == in.cols, "norm: equal shapes");
  const CudaLinear* reader = int8_reader(to);
  const gpu::QuantizedRows quantized = reader == nullptr ? gpu::QuantizedRows{} : int8_rows(out.rows, *reader);
  const gpu::QuantizedRows* besides = reader == nullptr ? nullptr : &quantized;
  device_.use();
  const auto cols = static_cast<int>(in.cols);
  const T* weight = values_of<T>(weights.weight.get());
  if (weights.kind == NormKind::RmsNorm) {
    check(gpu::rms_norm<T>(rows_of(out), const_rows_of(in), weight, in.rows, cols, weights.eps, device_.stream(), besides),
          "RMSNorm");
  } else {
    check(gpu::layer_norm<T>(rows_of(out), const_rows_of(in), weight, values_of<T>(weights.bias.get()), in.rows, cols, weights.eps,
                             device_.stream(), besides),
          "LayerNorm");
  }
  prepared_ = {reader, out.data, out.rows, quantized, nullptr};
}

template <class T>
gpu::QuantizedRows CudaBackend<T>::int8_rows(int64_t rows, const CudaLinear& weights) {
  const auto count = static_cast<size_t>(rows);
  const int64_t stride = int8_stride(weights.in_features);
  gpu::QuantizedRows out;
  out.values = {static_cast<int8_t*>(grown(device_, int8_values_, count * static_cast<size_t>(stride))), stride};
  out.scales = static_cast<float*>(grown(device_, int8_scales_, count * sizeof(float)));
  const size_t outliers = count * gpu::kMostOutliers * sizeof(gpu::Outlier);
  out.outliers = static_cast<gpu::Outlier*>(grown(device_, int8_outliers_, outliers));
  out.outlier_counts = static_cast<int*>(grown(device_, int8_outlier_counts_, count * sizeof(int)));
  return out;
}

template <class T>
gpu::QuantizedRows CudaBackend<T>::quantized(gpu::Rows<const T> in, int64_t rows, const CudaLinear& weights) {
  const gpu::QuantizedRows out = int8_rows(rows, weights);
  device_.use();
  check(gpu::quantize_rows<T>(out, in, rows, static_cast<int>(weights.padded_in), device_.stream()), "quantization");
  return out;
}

template <class T>
gpu::Digest* CudaBackend<T>::digests_for(const Output& to) {
  const Matrix& out = to.rows;
  const CudaLinear* reader = int8_reader(to);
  const bool whole = reader != nullptr && int8_stride(reader->in_features) == out.cols;
  if (!whole || out.dtype == DType::F32 || !gpu::can_quantize(out.rows, static_cast<int>(out.cols))) return nullptr;
  // For the widest layer that can be: one address in all layers of a pass.
  constexpr size_t kMost = gpu::kFewRows * kInt8MostInputs / gpu::kDigestColumns;
  return static_cast<gpu::Digest*>(grown(device_, int8_digests_, kMost * sizeof(gpu::Digest)));
}

template <class T>
void CudaBackend<T>::launch_product(const Output& to, gpu::Rows<const T> in, const CudaLinear& weights, int64_t out_features,
                                    gpu::Epilogue<T> epilogue, Adapted adapted, const char* what) {
  const Matrix& out = to.rows;
  epilogue.bias = static_cast<const T*>(weights.bias.data());
  epilogue.added = added_to(weights, in, adapted);
  const auto outputs = static_cast<int>(out_features);
  const void* weight = weights.weight.data();
  const Prepared prepared = std::exchange(prepared_, {});
  if (weights.int8_scales.data() == nullptr) {
    device_.use();
    const auto inputs = static_cast<int>(weights.padded_in);
    check(gpu::gemm<T>({in, static_cast<const T*>(weight), epilogue, out.rows, inputs, outputs}, device_.stream()), what);
    return;
  }
  const gpu::Int8Weights bytes{static_cast<const int8_t*>(weight), static_cast<const float*>(weights.int8_scales.data()),
                               static_cast<int>(int8_stride(weights.in_features))};
  const bool ready = prepared.layer == &weights && prepared.rows == in.data && prepared.count == out.rows;
  if (ready && prepared.digests != nullptr) {
    device_.use();
    check(gpu::quantizing_gemm<T>({in, prepared.digests, bytes, epilogue, out.rows, outputs}, device_.stream()), what);
    return;
  }
  const gpu::QuantizedRows quantized_in = ready ? prepared.quantized : quantized(in, out.rows, weights);
  gpu::Digest* digests = digests_for(to);
  device_.use();
  check(gpu::int8_gemm<T>({quantized_in, bytes, epilogue, out.rows, outputs, digests}, device_.stream()), what);
  if (digests != nullptr) prepared_ = {to.reader, out.data, out.rows, {}, digests};
}

template <class T>
void CudaBackend<T>::multiply(const Output& to, gpu::Rows<const T> in, const CudaLinear& weights, const Epilogue& epilogue,
                              Adapted adapted) {
  const Matrix& out = to.rows;
  gpu::Epilogue<T> then;
  then.activation = activation_of(epilogue.activation);
  then.scale = values_of<T>(epilogue.scale);
  if (epilogue.residual != nullptr) then.residual = const_rows_of(*epilogue.residual);
  if (out.dtype == DType::F32) {
    then.out_f32 = {static_cast<float*>(out.data), out.stride};
  } else {
    then.out = rows_of(out);
  }
  launch_product(to, in, weights, out.cols, then, adapted, "product");
}

template <class T>
void CudaBackend<T>::matmul(const Output& to, const LayerInput& from, const Epilogue& epilogue) {
  const Matrix &out = to.rows, &in = from.rows;
  const auto& weights = static_cast<const CudaLinear&>(from.layer);
  const bool gated = epilogue.activation == Activation::SwiGlu;
  require(in.cols == weights.padded_in && out.rows == in.rows, "matmul: the input fits the weights, in eights");
  require(out.cols == (gated ? weights.out_features / 2 : weights.out_features), "matmul: the output fits the weights");
  multiply(to, const_rows_of(in), weights, epilogue, from.adapted);
}

template <class T>
void CudaBackend<T>::patch_embed(const Matrix& out, const Matrix& pixels, const LinearWeights& opaque,
                                 const PatchGeometry& geometry) {
  const auto& weights = static_cast<const CudaLinear&>(opaque);
  const int64_t rows = geometry.pictures * geometry.grid() * geometry.grid();
  const size_t bytes = static_cast<size_t>(rows * weights.padded_in) * sizeof(T);
  const gpu::Rows<T> patches{static_cast<T*>(grown(device_, patches_, bytes)), weights.padded_in};
  device_.use();
  check(gpu::unfold_patches<T>(patches, const_rows_of(pixels), geometry.pictures, static_cast<int>(geometry.channels),
                               static_cast<int>(geometry.image_size), static_cast<int>(geometry.patch),
                               static_cast<int>(weights.padded_in), device_.stream()),
        "patches");
  multiply(out, {patches.data, patches.stride}, weights, {});
}

template <class T>
void CudaBackend<T>::add_class_and_positions(const Matrix& out, const Matrix& patches, const VectorWeights& class_embedding,
                                             const Matrix& positions, int64_t pictures) {
  const int64_t tokens = positions.rows;
  require(out.rows == pictures * tokens && patches.rows == pictures * (tokens - 1), "vision embeddings: tokens fit");
  device_.use();
  check(gpu::add_class_and_positions<T>(rows_of(out), const_rows_of(patches), values_of<T>(&class_embedding),
                                        const_rows_of(positions), pictures, static_cast<int>(tokens), static_cast<int>(out.cols),
                                        device_.stream()),
        "vision embeddings");
}

template <class T>
void CudaBackend<T>::pixel_shuffle(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor,
                                   bool swap_back) {
  const int64_t side = grid / factor;
  require(out.rows == pictures * side * side && out.cols == in.cols * factor * factor, "pixel shuffle: shapes fit");
  device_.use();
  check(gpu::pixel_shuffle<T>(rows_of(out), const_rows_of(in), pictures,
                              {static_cast<int>(grid), static_cast<int>(factor), swap_back}, static_cast<int>(in.cols),
                              device_.stream()),
        "pixel shuffle");
}

template <class T>
void CudaBackend<T>::pixel_shuffle_norm(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor,
                                        bool swap_back, const NormWeights& weights) {
  const int64_t side = grid / factor;
  require(out.rows == pictures * side * side && out.cols == in.cols * factor * factor, "pixel shuffle: shapes fit");
  require(weights.kind == NormKind::LayerNorm && weights.weight->size == out.cols, "pixel shuffle: a LayerNorm of its rows");
  device_.use();
  check(gpu::pixel_shuffle_norm<T>(rows_of(out), const_rows_of(in), values_of<T>(weights.weight.get()),
                                   values_of<T>(weights.bias.get()), pictures,
                                   {static_cast<int>(grid), static_cast<int>(factor), swap_back}, static_cast<int>(in.cols),
                                   weights.eps, device_.stream()),
        "pixel shuffle and LayerNorm");
}

template <class T>
void CudaBackend<T>::attend(const std::vector<gpu::AttentionSpan<T>>& spans, UploadedArray<gpu::AttentionSpan<T>>& uploaded,
                            const gpu::AttentionShape& shape) {
  int most_tokens = 0;
  int most_keys = 0;
  for (const gpu::AttentionSpan<T>& span : spans) {
    most_tokens = std::max(most_tokens, span.tokens);
    most_keys = std::max(most_keys, span.past + span.tokens);
  }
  const auto count = static_cast<int>(spans.size());
  const size_t space = gpu::attention_workspace(shape, count, most_keys) * sizeof(float);
  auto* workspace = static_cast<float*>(grown(device_, attention_space_, space));
  const gpu::AttentionSpan<T>* on_device = uploaded.on(device_, spans);
  device_.use();
  check(gpu::attention<T>(on_device, count, shape, most_tokens, most_keys, workspace, device_.stream()), "attention");
}

template <class T>
void CudaBackend<T>::vision_attention(const Matrix& out, const Matrix& qkv, int64_t pictures, int64_t heads, int64_t head_dim) {
  const int64_t width = heads * head_dim;
  require(qkv.cols == 3 * width && out.cols == width && out.rows == qkv.rows, "vision attention: shapes fit");
  const int64_t tokens = qkv.rows / pictures;
  std::vector<gpu::AttentionSpan<T>> spans;
  for (int64_t picture = 0; picture < pictures; ++picture) {
    const T* q = rows_of(qkv).data + picture * tokens * qkv.stride;
    T* to = rows_of(out).data + picture * tokens * out.stride;
    spans.push_back(
        {q, to, q + width, q + 2 * width, qkv.stride, out.stride, qkv.stride, head_dim, 0, static_cast<int>(tokens), 0});
  }
  const auto count = static_cast<int>(heads);
  attend(spans, vision_spans_,
         {count, count, static_cast<int>(head_dim), 0, false, 1.0f / std::sqrt(static_cast<float>(head_dim))});
}

template <class T>
void CudaBackend<T>::embed(const Matrix& out, const TableWeights& opaque, std::span<const int32_t> ids,
                           std::span<const Splice> splices) {
  const auto& table = static_cast<const CudaTable&>(opaque);
  require(out.rows == static_cast<int64_t>(ids.size()) && out.cols == table.cols, "embed: shapes fit");
  std::vector<const T*> from;
  for (const int32_t id : ids) {
    require(id >= 0 && id < table.rows, "embed: ids are in the vocabulary");
    from.push_back(static_cast<const T*>(table.values.data()) + id * table.cols);
  }
  for (const Splice& splice : splices) {
    const gpu::Rows<T> features = rows_of(splice.features);
    for (int64_t i = 0; i < splice.features.rows; ++i) {
      from[static_cast<size_t>(splice.row + i)] = features.data + i * features.stride;
    }
  }
  const T* const* on_device = embedded_.on(device_, std::move(from));
  device_.use();
  check(gpu::gather_rows<T>(rows_of(out), on_device, out.rows, static_cast<int>(out.cols), device_.stream()), "embeddings");
}

template <class T>
void CudaBackend<T>::project_qkv(const Matrix& qkv, const LayerInput& from, const HeadNorms& norms, const Matrix& rope,
                                 std::span<const Span> spans, int64_t heads, const KvShape& shape, int64_t layer) {
  const Matrix& in = from.rows;
  const auto& weights = static_cast<const CudaLinear&>(from.layer);
  require(qkv.cols == (heads + 2 * shape.kv_heads) * shape.head_dim && qkv.cols == weights.out_features,
          "project_qkv: q, k and v of all heads");
  require(in.cols == weights.padded_in && shape.head_dim % 16 == 0, "project_qkv: the input fits, head_dim in sixteens");
  const BlockLayout layout(shape);
  std::vector<gpu::CacheSlot<T>> slots(static_cast<size_t>(qkv.rows));
  for (const Span& span : spans) {
    const int64_t end = span.past + span.rows;
    require(end <= blocks_hold(span.blocks) && span.rope_begin + end <= rope.rows, "rope: positions fit");
    for (int64_t i = 0; i < span.rows; ++i) {
      const int64_t position = span.past + i;
      T* k = static_cast<T*>(span.blocks[static_cast<size_t>(position / kKvBlock)]) + position % kKvBlock * shape.head_dim;
      slots[static_cast<size_t>(span.row + i)] = {k, k + layout.values, layout.head, layout.layer,
                                                  static_cast<int>(span.rope_begin + position)};
    }
  }
  gpu::Epilogue<T> then;
  then.out = rows_of(qkv);
  const gpu::RopeTarget<T> turn{
      slots_.on(device_, std::move(slots)), static_cast<const float*>(rope.data), static_cast<int>(heads),
      static_cast<int>(shape.kv_heads),     static_cast<int>(shape.head_dim),     static_cast<int>(layer)};
  if (norms.q == nullptr) {
    then.activation = gpu::Activation::Rope;
    then.rope = turn;
    launch_product(qkv, const_rows_of(in), weights, qkv.cols / 2, then, from.adapted, "queries, keys and values");
    return;
  }
  launch_product(qkv, const_rows_of(in), weights, qkv.cols, then, from.adapted, "queries, keys and values");
  const gpu::HeadNorm<T> heads_of{
      then.out, values_of<T>(norms.q->weight.get()), values_of<T>(norms.k->weight.get()), norms.q->eps, turn, qkv.rows};
  check(gpu::normalize_and_turn(heads_of, device_.stream()), "norms of heads");
}

template <class T>
void CudaBackend<T>::cached_attention(const Output& to, const Matrix& qkv, std::span<const Span> spans, int64_t heads,
                                      const KvShape& shape, int64_t layer) {
  const Matrix& out = to.rows;
  const gpu::AttentionShape attention{static_cast<int>(heads),
                                      static_cast<int>(shape.kv_heads),
                                      static_cast<int>(shape.head_dim),
                                      static_cast<int>(layer),
                                      true,
                                      1.0f / std::sqrt(static_cast<float>(shape.head_dim))};
  int64_t most_rows = 0;
  for (const Span& span : spans) most_rows = std::max(most_rows, span.rows);
  const bool by_splits = gpu::works_by_splits(attention, static_cast<int>(most_rows));
  gpu::Digest* digests = by_splits ? digests_for(to) : nullptr;
  static_assert(kKvBlock == gpu::kSplit);
  const BlockLayout layout(shape);
  std::vector<const T*> blocks;
  for (const Span& span : spans) {
    const auto used = static_cast<size_t>(blocks_for(span.past + span.rows));
    for (void* block : span.blocks.first(used)) blocks.push_back(static_cast<const T*>(block));
  }
  const T* const* table = kv_blocks_.on(device_, std::move(blocks));
  std::vector<gpu::AttentionSpan<T>> work;
  for (const Span& span : spans) {
    gpu::Digest* own = digests == nullptr ? nullptr : digests + span.row * out.cols / gpu::kDigestColumns;
    work.push_back({rows_of(qkv).data + span.row * qkv.stride, rows_of(out).data + span.row * out.stride, nullptr, nullptr,
                    qkv.stride, out.stride, shape.head_dim, layout.head, layout.layer, static_cast<int>(span.rows),
                    static_cast<int>(span.past), own, table, layout.values});
    table += blocks_for(span.past + span.rows);
  }
  attend(work, decoder_spans_, attention);
  if (digests != nullptr) prepared_ = {to.reader, out.data, out.rows, {}, digests};
}

template <class T>
void CudaBackend<T>::gather_rows(const Matrix& out, const Matrix& in, std::span<const int32_t> rows) {
  require(out.rows == static_cast<int64_t>(rows.size()) && out.cols == in.cols, "gather_rows: shapes fit");
  std::vector<const T*> from;
  for (const int32_t row : rows) from.push_back(rows_of(in).data + row * in.stride);
  const T* const* on_device = gathered_.on(device_, std::move(from));
  device_.use();
  check(gpu::gather_rows<T>(rows_of(out), on_device, out.rows, static_cast<int>(out.cols), device_.stream()), "rows");
}

template class CudaBackend<gpu::bf16>;
template class CudaBackend<gpu::f16>;

}  // namespace ivl::cuda
