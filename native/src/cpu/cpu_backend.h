// The backend that is always there. Activations are f32, on their way into a product bf16 if asked; weights stay in their stored
// type, used where the checkpoint is mapped unless another type was asked for.
#pragma once

#include <algorithm>

#include "backend/gradients.h"
#include "cpu/isa/kernel_table.h"
#include "cpu/product_tasks.h"
#include "host/affinity.h"
#include "host/thread_pool.h"

namespace ivl::cpu {

struct CpuOptions {
  // As threads_from() takes them.
  int threads = 0;
  std::string affinity = "none";
  // Products round the activations that they multiply with bf16 weights to bf16 first, and attention rounds what it multiplies: the
  // vision tower's, and the decoder's where its cache is in bf16. Sums stay f32.
  bool bf16_activations = false;
  // Null: chosen_isa(). Tests hand in variants of their own.
  const KernelTable* kernels = nullptr;
};

// Memory for a product's input, rounded or packed.
struct FactorRows {
  char* rows;
  DType type;
  int64_t row_bytes;

  // The rows from `at` on, of a product of few rows or of many.
  Factor factor(int64_t at, bool few) const {
    const auto unit = static_cast<int64_t>(few ? size_of(type) : sizeof(float));
    return {rows + at * row_bytes, type, row_bytes / unit, row_bytes, !few};
  }
};

// Memory for a product's input in int8.
struct Int8Rows {
  uint8_t* values;
  int64_t stride;
  float* scales;
  Int8Outlier* outliers;
  int32_t* outlier_counts;

  Int8Activation row(int64_t at) const {
    return {values + at * stride, scales + at, outliers + at * kMostOutliers, outlier_counts + at};
  }
  Int8Activations from(int64_t at) const {
    return {values + at * stride, stride, scales + at, outliers + at * kMostOutliers, outlier_counts + at};
  }
};

class CpuBackend final : public Backend {
 public:
  // Error(InvalidArgument) if the options' threads and affinity, or INTERNVL4J_CPU_ISA, cannot be followed.
  explicit CpuBackend(const CpuOptions& options = {});

  std::string description() const override;
  DType activation_type() const override { return DType::F32; }
  int threads() const { return pool_.threads(); }
  const KernelTable& kernels() const { return kernels_; }
  ThreadPool& pool() { return pool_; }
  bool bf16_activations() const { return bf16_activations_; }
  Gradients* gradients() override;

  Buffer allocate(size_t bytes) override;
  // Rows a large power of two apart would share their places in the first-level cache, six of them and the weights' too: they are
  // kept a cache line further apart.
  int64_t row_stride(int64_t cols, DType type) const override {
    constexpr int64_t kLine = 64, kSharedPlaces = 1024;
    const auto size = static_cast<int64_t>(size_of(type));
    return cols * size % kSharedPlaces == 0 ? cols + kLine / size : cols;
  }
  void to_host(float* out, const Matrix& in) override;
  void from_host(const Matrix& out, const float* in) override;
  void copy(const Matrix& out, const Matrix& in) override;
  void copy_block(void* out, const void* in, const KvShape& shape, int64_t tokens) override;

  std::unique_ptr<VectorWeights> vector(const HostTensor& source, DType as) override;
  std::unique_ptr<LinearWeights> linear(const LinearSource& source, DType as) override;
  std::unique_ptr<TableWeights> table(const HostTensor& source, DType as) override;
  std::unique_ptr<ExpertWeights> experts(int64_t count, const std::function<ExpertSource(int64_t)>& source, DType as) override;
  std::unique_ptr<AdapterWeights> adapter(const AdapterSource& source) override;

  void norm(const Output& out, const Matrix& in, const NormWeights& weights) override;
  void matmul(const Output& out, const LayerInput& in, const Epilogue& epilogue) override;

  // The inputs of each patch, as Gradients::unfold_patches has them.
  void unfold(const Matrix& out, const Matrix& pixels, const PatchGeometry& geometry);
  void patch_embed(const Matrix& out, const Matrix& pixels, const LinearWeights& weights, const PatchGeometry& geometry) override;
  void add_class_and_positions(const Matrix& out, const Matrix& patches, const VectorWeights& class_embedding,
                               const Matrix& positions, int64_t pictures) override;
  void vision_attention(const Matrix& out, const Matrix& qkv, int64_t pictures, int64_t heads, int64_t head_dim) override;
  void pixel_shuffle(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor, bool swap_back) override;

  void embed(const Matrix& out, const TableWeights& table, std::span<const int32_t> ids, std::span<const Splice> splices) override;
  void project_qkv(const Matrix& qkv, const LayerInput& in, const HeadNorms& norms, const Matrix& rope, std::span<const Span> spans,
                   int64_t heads, const KvShape& shape, int64_t layer) override;
  // The second half of project_qkv.
  void rope_and_store(const Matrix& qkv, const Matrix& rope, std::span<const Span> spans, int64_t heads, const KvShape& shape,
                      int64_t layer, const HeadNorms& norms = {});
  void cached_attention(const Output& out, const Matrix& qkv, std::span<const Span> spans, int64_t heads, const KvShape& shape,
                        int64_t layer) override;
  void route(const Matrix& routes, const Matrix& in, const LinearWeights& router, bool normalizes) override;
  void mix_experts(const Matrix& x, const Matrix& in, const Matrix& routes, const ExpertWeights& experts) override;
  void gather_rows(const Matrix& out, const Matrix& in, std::span<const int32_t> rows) override;
  std::vector<Sampled> sample(const Matrix& logits, std::span<const Draw> draws) override;

 private:
  // Of one thread. From allocate(): a vector's memory would not begin with a cache line, and loads would straddle two.
  struct Scratch {
    Buffer sums, up, totals, packed, attention;
  };
  // A product's input in int8; grows.
  struct Quantized {
    Buffer values, scales, outliers, outlier_counts;
  };

  // The buffer's memory, of at least so many bytes; what was in it may be lost.
  void* grown(Buffer& buffer, size_t bytes);
  // Inputs of products, each valid until the next of its kind.
  Int8Rows int8_rows(int64_t rows, int64_t cols);
  Int8Activations quantized(const Matrix& in);
  DType factor_type(DType weights) const;
  FactorRows factor_rows(int64_t rows, int64_t cols, DType type);
  void put_factor(const FactorRows& to, int64_t at, const float* in, int64_t cols, bool few) const;
  Factor factor_of(const Matrix& in, DType weights);
  // Of adapters, for a product of few rows or of many. Valid until the next.
  std::vector<AddedRows> added_rows(const LayerInput& in, bool few);
  void put_added(const AddedRows& to, const AdaptedRows& of, const Matrix& u, bool few);
  void multiply_groups(const std::vector<PreparedProduct>& products);
  TaskMemory task_memory(int thread, bool few) const;
  // All heads' keys and values in tiles for pair_attention. Valid as long as a Factor.
  const float* packed_heads(const Matrix& qkv, int64_t pictures, int64_t heads, int64_t head_dim);
  int64_t cols_of_task(int64_t rows, int64_t cols) const;
  int64_t rows_of_task(int64_t rows, int64_t column_blocks) const;

  // `source` as `as`: in place if it is that already (or `as` is F32, whose widening is exact), else in `owned`.
  HostTensor keep(const HostTensor& source, DType as, Buffer& owned);
  // The weight in its format, which it may be in already.
  void put_weights(CpuLinear::Part& part, const HostTensor& weight, WeightFormat format, DType as);
  // body(row) for all rows, in pieces large enough to be worth a thread's while.
  template <class Body>
  void for_rows(int64_t rows, int64_t cols, const Body& body) {
    constexpr int64_t kElements = 1 << 14;
    const int64_t piece = std::max<int64_t>(1, kElements / std::max<int64_t>(1, cols));
    pool_.run((rows + piece - 1) / piece, [&](int64_t task, int) {
      const int64_t end = std::min(rows, (task + 1) * piece);
      for (int64_t row = task * piece; row < end; ++row) body(row);
    });
  }

  const KernelTable& kernels_;
  ThreadPool pool_;
  const bool bf16_activations_;
  std::vector<Scratch> scratch_;
  Quantized quantized_;
  Buffer router_logits_, expert_inner_, expert_out_;  // grow
  Buffer low_rank_, added_;                           // u of one adapter, and of all of a product's; grow
  std::unique_ptr<Gradients> gradients_;              // once someone asks
  Buffer factor_;                                     // a product's, or attention's keys and values: rounded or packed; grows
};

}  // namespace ivl::cpu
