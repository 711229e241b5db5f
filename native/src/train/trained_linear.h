// A linear layer, or several stacked, on the way there and back: the product, and the gradients of its input and of what learns of it.
#pragma once

#include <memory>
#include <vector>

#include "backend/workspace.h"
#include "model/load_weights.h"
#include "train/parameters.h"

namespace ivl {

// What all of a model's layers share.
struct TrainingSpace {
  Backend& backend;
  Gradients& gradients;
  const Parameters& parameters;
  Workspace pairs{backend};    // of the pairs' inner rows
  Workspace scratch{backend};  // of a layer's way back
};

class TrainedLinear {
 public:
  // The part's layers of this use, as PartLoader stacks them.
  TrainedLinear(TrainingSpace& space, const PartLoader& loader, std::span<const Param> part, Use use);

  int64_t out_features() const { return weights_->out_features; }
  // out = epilogue(in W^T + scale (in A^T) B^T + bias).
  void forward(const Matrix& out, const Matrix& in, const Epilogue& epilogue = {}) const;
  // d is that of the product before any activation, residual or scale. What learns gathers its gradient; d_in, unless it is null, is the
  // gradient of the input.
  void backward(const Matrix* d_in, const Matrix& d, const Matrix& in) const;

 private:
  // A tensor of the checkpoint, what of it learns, and the rows that it has among the layer's.
  struct Source {
    Parameter *weight = nullptr, *bias = nullptr;
    PairOfParameters pair;
    std::unique_ptr<LinearWeights> a;
  };
  struct Piece {
    size_t source;
    RowRange rows;                     // of the tensor
    int64_t column;                    // of the product
    std::unique_ptr<LinearWeights> b;  // these rows of B
  };
  std::unique_ptr<LinearWeights> linear(const HostTensor& tensor) const;
  void gather(const Matrix& d, const Matrix& in) const;
  void back_through_pair(size_t source, const Matrix* d_in, const Matrix& d, const Matrix& in) const;

  TrainingSpace* space_;
  std::unique_ptr<LinearWeights> weights_;
  std::vector<Source> sources_;
  std::vector<Piece> pieces_;
  std::unique_ptr<AdapterWeights> adapter_;  // the pairs as the product takes them; null: there are none
};

}  // namespace ivl
