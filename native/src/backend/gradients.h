// The operations that training needs beside those of backend.h: gradients, and the forward operations that keep what a gradient reads.
// A backend may lack them. src/train is written once over both interfaces.
//
// d means a gradient of the loss. Matrices are f32 in the backend's memory and may be strided; T tokens of several samples are folded
// into the rows. Where an operation adds, it says so; `out` may not overlap an input unless that is said, too.
//
// The promise: the order of every sum is fixed by the shapes alone, never by the number of threads. A step's result is the same, bit for
// bit, however many there are.
#pragma once

#include <span>

#include "backend/backend.h"

namespace ivl {

// Rows [row, row + rows) are one sample's tokens, or one picture's patches, which see each other and nobody else.
struct Sequence {
  int64_t row = 0;
  int64_t rows = 0;
};

// Of queries, keys and values that lie in the columns of one matrix: heads of queries, then kv_heads of keys, then as many of values,
// each of head_dim columns. Query head h reads kv head h / (heads / kv_heads).
struct AttentionShape {
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  bool causal = false;  // a row sees itself and its sequence's earlier rows; else all of its sequence

  int64_t columns() const { return (heads + 2 * kv_heads) * head_dim; }
};

class Gradients {
 public:
  virtual ~Gradients() = default;

  // ---- products -----------------------------------------------------------------------------------------------
  // Bytes of weights that a backend may copy at a time for it.
  static constexpr int64_t kMostCopied = int64_t{1} << 26;
  // A product's input: out (rows, in_features) = d (rows, out_features) W, over all parts of the layer. With `add` it is added to out.
  // Weights of any format count as what they mean.
  virtual void product_input(const Matrix& out, const Matrix& d, const LinearWeights& layer, bool add) = 0;
  // A product's weight: out (d.cols, in.cols) += d^T in.
  virtual void product_weight(const Matrix& out, const Matrix& d, const Matrix& in) = 0;

  // ---- sums over rows -----------------------------------------------------------------------------------------
  // A bias: out (1, cols) += the sum of d's rows.
  virtual void sum_rows(const Matrix& out, const Matrix& d) = 0;
  // A layer scale: out (1, cols) += the sum over the rows of d * in.
  virtual void sum_products(const Matrix& out, const Matrix& d, const Matrix& in) = 0;
  // A table whose row ids[i] is row i of what was looked up: out row ids[i] += d row i, in the order of i; ids below 0 are left out.
  virtual void add_to_table(const Matrix& out, std::span<const int32_t> ids, const Matrix& d) = 0;

  // ---- elementwise --------------------------------------------------------------------------------------------
  // out = 0.
  virtual void clear(const Matrix& out) = 0;
  // out = factor * in. In place is allowed.
  virtual void scale(const Matrix& out, const Matrix& in, float factor) = 0;
  // out = in * each column's factor, of (cols). In place is allowed.
  virtual void scale_columns(const Matrix& out, const Matrix& in, const VectorWeights& factors) = 0;
  // out += in.
  virtual void add(const Matrix& out, const Matrix& in) = 0;
  // out = activation(in); SwiGlu: in is gate|up, of twice the columns. As the epilogue of a product has it.
  virtual void activate(const Matrix& out, const Matrix& in, Activation activation) = 0;
  // d_in = d * activation'(in), of in's shape. d_in may be in; with Gelu it may be d.
  virtual void activate_back(const Matrix& d_in, const Matrix& in, const Matrix& d, Activation activation) = 0;

  // ---- norms --------------------------------------------------------------------------------------------------
  // Of out = norm(in) as Backend::norm has it: d_in = the gradient of in for that of out, d; with `add` it is added to d_in. d_in may be d
  // unless it is added to. d_weight and d_bias (1, cols) are added to; null: not wanted.
  virtual void norm_back(const Matrix& d_in, const Matrix& d, const Matrix& in, const NormWeights& weights, bool add,
                         const Matrix* d_weight, const Matrix* d_bias) = 0;

  // ---- attention ----------------------------------------------------------------------------------------------
  // Turns `heads` heads of head_dim columns, in place, by the rotate-half RoPE: row r of a sequence by row r - row of rope, which is as
  // Backend::project_qkv has it. Backwards: by the negative angle, which is the gradient.
  virtual void turn(const Matrix& rows, std::span<const Sequence> sequences, int64_t heads, int64_t head_dim, const Matrix& rope,
                    bool backwards) = 0;
  // The sequences lie one behind another and have all rows: so much is required of attend() and attend_back().
  // out (rows, heads * head_dim) = softmax(q k^T / sqrt(head_dim)) v, all f32. log_sums (rows, heads) receives the logarithm of each row's
  // sum of exp(score), for attend_back.
  virtual void attend(const Matrix& out, const Matrix& log_sums, const Matrix& qkv, std::span<const Sequence> sequences,
                      const AttentionShape& shape) = 0;
  // d_qkv, of qkv's shape, for d of out.
  virtual void attend_back(const Matrix& d_qkv, const Matrix& d, const Matrix& out, const Matrix& log_sums, const Matrix& qkv,
                           std::span<const Sequence> sequences, const AttentionShape& shape) = 0;

  // ---- vision tower -------------------------------------------------------------------------------------------
  // The inputs of each patch: out (pictures * grid^2, channels * patch^2) of pixels (pictures, channels * S * S), in the order in which
  // Backend::patch_embed multiplies them.
  virtual void unfold_patches(const Matrix& out, const Matrix& pixels, const PatchGeometry& geometry) = 0;
  // The gradient of Backend::pixel_shuffle's input for that of its output, d: out (pictures * (1 + grid^2), C), class tokens' rows 0.
  virtual void pixel_shuffle_back(const Matrix& out, const Matrix& d, int64_t pictures, int64_t grid, int64_t factor,
                                  bool swap_back) = 0;

  // ---- loss ---------------------------------------------------------------------------------------------------
  // Cross entropy: of each row of logits (rows, vocabulary) -log softmax(logits)[labels[i]], into losses (rows); logits become their
  // gradient, times factor: factor * (softmax - 1[label]). Labels are in range.
  virtual void cross_entropy(const Matrix& logits, std::span<const int32_t> labels, float factor, std::span<float> losses) = 0;

  // ---- optimizer ----------------------------------------------------------------------------------------------
  // The sum of squares, in f64, in an order that the size alone fixes.
  virtual double sum_of_squares(const Matrix& in) = 0;
  struct AdamW {
    double rate = 0;
    double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
    double decay = 0;           // decoupled: value -= rate * decay * value, first
    int64_t step = 1;           // from 1 on: bias correction
    float gradient_factor = 1;  // the gradient is multiplied by it first: clipping
  };
  // One step (Loshchilov and Hutter, arXiv:1711.05101) as torch.optim.AdamW computes it: of value and its moments, in place.
  virtual void adamw(const Matrix& value, const Matrix& first, const Matrix& second, const Matrix& gradient, const AdamW& step) = 0;
};

}  // namespace ivl
