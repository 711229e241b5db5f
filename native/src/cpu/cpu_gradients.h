// The CPU's operations of training. Products are the backend's own, over transposed copies; everything else goes by rows, or by columns
// where rows are summed: each sum is one task's, in the order of the rows.
#pragma once

#include "backend/gradients.h"
#include "cpu/cpu_backend.h"

namespace ivl::cpu {

class CpuGradients final : public Gradients {
 public:
  explicit CpuGradients(CpuBackend& backend) : backend_(backend), pool_(backend.pool()), kernels_(backend.kernels()) {}

  void product_input(const Matrix& out, const Matrix& d, const LinearWeights& layer, bool add) override;
  void product_weight(const Matrix& out, const Matrix& d, const Matrix& in) override;

  void sum_rows(const Matrix& out, const Matrix& d) override;
  void sum_products(const Matrix& out, const Matrix& d, const Matrix& in) override;
  void add_to_table(const Matrix& out, std::span<const int32_t> ids, const Matrix& d) override;

  void clear(const Matrix& out) override;
  void scale(const Matrix& out, const Matrix& in, float factor) override;
  void scale_columns(const Matrix& out, const Matrix& in, const VectorWeights& factors) override;
  void add(const Matrix& out, const Matrix& in) override;
  void activate(const Matrix& out, const Matrix& in, Activation activation) override;
  void activate_back(const Matrix& d_in, const Matrix& in, const Matrix& d, Activation activation) override;

  void norm_back(const Matrix& d_in, const Matrix& d, const Matrix& in, const NormWeights& weights, bool add,
                 const Matrix* d_weight, const Matrix* d_bias) override;

  void turn(const Matrix& rows, std::span<const Sequence> sequences, int64_t heads, int64_t head_dim, const Matrix& rope,
            bool backwards) override;
  void attend(const Matrix& out, const Matrix& log_sums, const Matrix& qkv, std::span<const Sequence> sequences,
              const AttentionShape& shape) override;
  void attend_back(const Matrix& d_qkv, const Matrix& d, const Matrix& out, const Matrix& log_sums, const Matrix& qkv,
                   std::span<const Sequence> sequences, const AttentionShape& shape) override;

  void unfold_patches(const Matrix& out, const Matrix& pixels, const PatchGeometry& geometry) override;
  void pixel_shuffle_back(const Matrix& out, const Matrix& d, int64_t pictures, int64_t grid, int64_t factor,
                          bool swap_back) override;

  void cross_entropy(const Matrix& logits, std::span<const int32_t> labels, float factor, std::span<float> losses) override;

  double sum_of_squares(const Matrix& in) override;
  void adamw(const Matrix& value, const Matrix& first, const Matrix& second, const Matrix& gradient, const AdamW& step) override;

 private:
  static constexpr int64_t kTogether = 64;  // rows or columns of a task

  // Memory for at least so many bytes, whose contents may be lost.
  static void* grown(Buffer& buffer, size_t bytes, CpuBackend& backend);
  void narrow_product_input(const Matrix& out, const Matrix& d, const Matrix& weights, bool add);
  void narrow_product_weight(const Matrix& out, const Matrix& d, const Matrix& in);
  template <class Body>
  void each_row(int64_t rows, const Body& body) const {
    pool_.run(rows, [&](int64_t row, int) { body(row); });
  }
  // body(first, count) for all rows, or columns, some at a time.
  template <class Body>
  void each_block(int64_t all, const Body& body) const {
    pool_.run((all + kTogether - 1) / kTogether,
              [&](int64_t task, int) { body(task * kTogether, std::min(kTogether, all - task * kTogether)); });
  }
  // Adds to out (1, cols) what add(sums, row, first, count) adds for each of the rows, in their order, to the sums of some columns.
  template <class Add>
  void sum_columns(const Matrix& out, int64_t rows, const Add& add) const {
    each_block(out.cols, [&](int64_t first, int64_t count) {
      double sums[kTogether] = {};
      for (int64_t row = 0; row < rows; ++row) add(sums, row, first, count);
      float* to = static_cast<float*>(out.data) + first;
      for (int64_t c = 0; c < count; ++c) to[c] += static_cast<float>(sums[c]);
    });
  }

  CpuBackend& backend_;
  ThreadPool& pool_;
  const KernelTable& kernels_;
  Buffer transposed_, transposed_weights_;  // grow
  Buffer attention_;                        // likewise
};

}  // namespace ivl::cpu
