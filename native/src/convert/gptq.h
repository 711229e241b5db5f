// Weights in int4 that lose little in a layer's results for the inputs that it has: GPTQ (Frantar et al., arXiv:2210.17323) onto the
// levels of backend/int4.h.
//
// A row w becomes q so that (w - q) H (w - q)^T is small, where H is the sum of x x^T over inputs x. With H = L^T L that is the square
// of (w - q) L^T, whose k-th number has to do with the first k inputs only. So inputs are rounded one after the other, each to
// make its own number small beside the errors e = w - q of those before it:
//
//   q[k] = the level nearest to w[k] + (sum over i < k of e[i] L[k][i]) / L[k][k].
//
// This is GPTQ without an inverse. Inputs that are large come first, as its "act order" has them: those behind make up for them. The
// scales are those that lose least when each input's square counts, and come before.
#pragma once

#include <vector>

#include "backend/int4_weights.h"
#include "convert/gram.h"

namespace ivl {

class Gptq {
 public:
  // For the layers that have these inputs. Error(NotFinite) if one of them is not finite; the message begins with `where`.
  Gptq(Backend& backend, ThreadPool& pool, Gram gram, const std::string& where);

  // Of a plain weight (rows, inputs), as int4_weights() makes them. Takes the weight's size in f32.
  Int4Weights weights(const HostTensor& weight, DType as, const RowCodec& codec) const;

  const std::vector<int64_t>& order() const { return order_; }
  // Of each input, for the search of the scales.
  const std::vector<float>& importance() const { return importance_; }

 private:
  struct Block;
  void order_inputs(const Gram& gram, const std::string& where);
  Matrix factor() const { return factor_.matrix(DType::F32, inputs(), inputs()); }
  int64_t inputs() const { return static_cast<int64_t>(order_.size()); }
  void round_rows(const Int4Rows& rows, const Matrix& weights, const Block& block, const Matrix& pulls) const;
  void round_row(const Int4Rows& row, float* weights, const Block& block, float* pulls) const;

  Backend& backend_;
  ThreadPool& pool_;
  std::vector<int64_t> order_;
  std::vector<float> importance_;
  Buffer factor_;  // L, of inputs in this order
};

}  // namespace ivl
