// The backend of one NVIDIA GPU. Weights, caches and activations are bf16 or f16; products, norms and softmax add up in
// f32. A row's results are the same bits in every company, as backend.h promises: each kernel says how.
#pragma once

#include <map>
#include <memory>
#include <span>

#include "adapters.h"
#include "attention.h"
#include "backend/backend.h"
#include "backend/row_codec.h"
#include "cuda/cuda_weights.h"
#include "cuda/device.h"
#include "cuda/launch_graphs.h"
#include "cuda/staging.h"
#include "gemm.h"
#include "int8.h"
#include "sampling.h"

namespace ivl::cuda {

// T is gpu::bf16 or gpu::f16.
template <class T>
class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(int ordinal) : device_(ordinal) {}

  std::string description() const override;
  DType activation_type() const override;

  Buffer allocate(size_t bytes) override { return device_.allocate(bytes); }
  void to_host(float* out, const Matrix& in) override;
  void from_host(const Matrix& out, const float* in) override;
  void copy(const Matrix& out, const Matrix& in) override;
  // From GPU to GPU without the host, where both compute in T.
  void receive(const Matrix& out, const Matrix& in, Backend& from) override;
  void copy_block(void* out, const void* in, const KvShape& shape, int64_t tokens) override;

  void repeat(const std::function<void()>& pass) override { graphs_.run(device_, pass); }
  double timed(const std::function<void()>& work) override { return device_.timed(work); }
  // Passes of repeat() that were captured, the others being replays.
  int captured_graphs() const { return graphs_.captured(); }

  // `as` must be the backend's type.
  std::unique_ptr<VectorWeights> vector(const HostTensor& source, DType as) override;
  std::unique_ptr<LinearWeights> linear(const LinearSource& source, DType as) override;
  std::unique_ptr<TableWeights> table(const HostTensor& source, DType as) override;
  std::unique_ptr<ExpertWeights> experts(int64_t count, const std::function<ExpertSource(int64_t)>& source, DType as) override;
  // In the backend's type.
  std::unique_ptr<AdapterWeights> adapter(const AdapterSource& source) override;
  void finish_weights() override;

  void norm(const Output& out, const Matrix& in, const NormWeights& weights) override;
  void matmul(const Output& out, const LayerInput& in, const Epilogue& epilogue) override;

  void patch_embed(const Matrix& out, const Matrix& pixels, const LinearWeights& weights, const PatchGeometry& geometry) override;
  void add_class_and_positions(const Matrix& out, const Matrix& patches, const VectorWeights& class_embedding,
                               const Matrix& positions, int64_t pictures) override;
  void vision_attention(const Matrix& out, const Matrix& qkv, int64_t pictures, int64_t heads, int64_t head_dim) override;
  void pixel_shuffle(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor, bool swap_back) override;
  void pixel_shuffle_norm(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor, bool swap_back,
                          const NormWeights& weights) override;

  void embed(const Matrix& out, const TableWeights& table, std::span<const int32_t> ids, std::span<const Splice> splices) override;
  void project_qkv(const Matrix& qkv, const LayerInput& in, const HeadNorms& norms, const Matrix& rope, std::span<const Span> spans,
                   int64_t heads, const KvShape& shape, int64_t layer) override;
  void cached_attention(const Output& out, const Matrix& qkv, std::span<const Span> spans, int64_t heads, const KvShape& shape,
                        int64_t layer) override;
  void route(const Matrix& routes, const Matrix& in, const LinearWeights& router, bool normalizes) override;
  void mix_experts(const Matrix& x, const Matrix& in, const Matrix& routes, const ExpertWeights& experts) override;
  void gather_rows(const Matrix& out, const Matrix& in, std::span<const int32_t> rows) override;
  std::vector<Sampled> sample(const Matrix& logits, std::span<const Draw> draws) override;

 private:
  static gpu::Rows<T> rows_of(const Matrix& m);
  static gpu::Rows<const T> const_rows_of(const Matrix& m) { return {rows_of(m).data, m.stride}; }
  Staging& staging();
  // The tensor in T, dense with rows of `cols` elements padded by zeros to `padded`, one part behind another.
  void upload_converted(T* to, const HostTensor& source, int64_t cols, int64_t padded);
  void require_own_type(DType as) const { require(as == activation_type(), "CUDA: weights of the backend's type"); }
  // Memory for `count` layers like this one, one over the other, without their biases; and their rows, from row `first` on.
  void allocate_rows(CudaLinear& weights, const LinearSource& like, int64_t count);
  void put_rows(CudaLinear& weights, int64_t first, const LinearSource& source);
  HostTensor written_out(const HostTensor& weight, const RowCodec& codec, Buffer& memory);
  using Adapted = std::span<const AdaptedRows>;
  void multiply(const Output& out, gpu::Rows<const T> in, const CudaLinear& weights, const Epilogue& epilogue,
                Adapted adapted = {});
  // The product for out, in 16 bits or in int8 as the weights are. The epilogue's bias is the weights', and what it adds the
  // adapters'.
  void launch_product(const Output& out, gpu::Rows<const T> in, const CudaLinear& weights, int64_t out_features,
                      gpu::Epilogue<T> epilogue, Adapted adapted, const char* what);
  // What adapters add to the layer's product, of which the part before it is queued.
  gpu::Added<T> added_to(const CudaLinear& layer, gpu::Rows<const T> in, Adapted adapted);
  // A product of rows that lie by expert.
  void multiply_by_expert(const Matrix& out, gpu::Rows<const T> in, const CudaLinear& weights, const CudaExperts& experts,
                          int64_t most_rows, Activation activation);
  // The rows in int8, queued; and the memory for it.
  gpu::QuantizedRows quantized(gpu::Rows<const T> in, int64_t rows, const CudaLinear& weights);
  gpu::QuantizedRows int8_rows(int64_t rows, const CudaLinear& weights);
  // Memory for the digests of rows that are written for a layer, null where that layer's product does without.
  gpu::Digest* digests_for(const Output& out);
  void attend(const std::vector<gpu::AttentionSpan<T>>& spans, UploadedArray<gpu::AttentionSpan<T>>& uploaded,
              const gpu::AttentionShape& shape);
  // At least so many bytes; grows in steps, so that a longer context does not mean new memory for each token.
  static void* grown(const Device& device, Buffer& buffer, size_t bytes);

  // Rows as the layer takes them that they were written for (as an Output); that layer's product is the next.
  struct Prepared {
    const LinearWeights* layer = nullptr;
    const void* rows = nullptr;
    int64_t count = 0;
    gpu::QuantizedRows quantized;
    const gpu::Digest* digests = nullptr;  // instead, of few rows that no block had as a whole
  };

  Device device_;
  std::unique_ptr<Staging> staging_;  // while weights come
  LaunchGraphs graphs_;
  UploadedArray<const T*> embedded_, gathered_;
  UploadedArray<gpu::CacheSlot<T>> slots_;
  UploadedArray<gpu::AttentionSpan<T>> vision_spans_, decoder_spans_;
  UploadedArray<const T*> kv_blocks_;
  Buffer attention_space_, patches_, low_rank_;
  std::map<const LinearWeights*, UploadedArray<gpu::AddedRows<T>>> added_;  // a pass gives each layer's one content
  UploadedArray<int> generated_;
  UploadedArray<gpu::AddedLogit> added_logits_;
  UploadedArray<uint32_t> masks_;
  UploadedArray<gpu::SamplingRow> sampling_rows_;
  Buffer sampling_space_, sampled_;
  Buffer int8_values_, int8_scales_, int8_outliers_, int8_outlier_counts_, int8_digests_;
  Buffer router_logits_, expert_offsets_, row_of_slot_, slot_of_, expert_in_, expert_inner_, expert_out_;
  Prepared prepared_;
};

}  // namespace ivl::cuda
