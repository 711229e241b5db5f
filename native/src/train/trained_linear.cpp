#include "train/trained_linear.h"

#include "model/adapters/adapter_source.h"

namespace ivl {
namespace {

enum PairSlot : size_t { kPairInner, kPairInnerGradient };

}  // namespace

TrainedLinear::TrainedLinear(TrainingSpace& space, const PartLoader& loader, std::span<const Param> part, Use use)
    : space_(&space), weights_(loader.linear(use)) {
  int64_t column = 0;
  for (const Param& param : part) {
    if (param.use != use || param.role != Role::Linear || param.expert >= 0) continue;
    Source source{space.parameters.find(param.name), space.parameters.find(module_of(param) + ".bias"),
                  space.parameters.pair(param), nullptr};
    if (source.pair.a != nullptr) source.a = linear(source.pair.a->tensor());
    for (const RowRange& rows : rows_in_order(param)) {
      Piece piece{sources_.size(), rows, column, nullptr};
      if (source.pair.b != nullptr) piece.b = linear(source.pair.b->tensor().row_range(rows.begin, rows.count));
      pieces_.push_back(std::move(piece));
      column += rows.count;
    }
    sources_.push_back(std::move(source));
  }
  std::vector<LoraPair> pairs;
  pairs.reserve(sources_.size());
  const AdapterSource adapter = adapter_source(part, use, [&](const Param& param) -> const LoraPair* {
    const PairOfParameters pair = space.parameters.pair(param);
    if (pair.a == nullptr) return nullptr;
    return &pairs.emplace_back(LoraPair{pair.a->tensor(), pair.b->tensor(), pair.scale});
  });
  if (!adapter.downs.empty()) adapter_ = space.backend.adapter(adapter);
}

std::unique_ptr<LinearWeights> TrainedLinear::linear(const HostTensor& tensor) const {
  return space_->backend.linear({{tensor}, {}, WeightFormat::Plain}, DType::F32);
}

void TrainedLinear::forward(const Matrix& out, const Matrix& in, const Epilogue& epilogue) const {
  const AdaptedRows adapted{0, in.rows, adapter_.get(), 1};
  const std::span<const AdaptedRows> pairs(&adapted, adapter_ == nullptr ? 0 : 1);
  space_->backend.matmul(out, {in, *weights_, pairs}, epilogue);
}

void TrainedLinear::backward(const Matrix* d_in, const Matrix& d, const Matrix& in) const {
  if (d_in != nullptr) space_->gradients.product_input(*d_in, d, *weights_, false);
  gather(d, in);
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].a != nullptr) back_through_pair(i, d_in, d, in);
  }
}

// The gradients of weights and biases that learn themselves.
void TrainedLinear::gather(const Matrix& d, const Matrix& in) const {
  for (const Piece& piece : pieces_) {
    const Source& source = sources_[piece.source];
    const Matrix rows = d.col_range(piece.column, piece.rows.count);
    if (source.weight != nullptr) {
      space_->gradients.product_weight(source.weight->gradient().row_range(piece.rows.begin, piece.rows.count), rows, in);
    }
    if (source.bias != nullptr) {
      space_->gradients.sum_rows(source.bias->gradient().col_range(piece.rows.begin, piece.rows.count), rows);
    }
  }
}

// With u = scale x A^T: dB += d^T u, du = scale d B, dA += du^T x, dx += du A.
void TrainedLinear::back_through_pair(size_t index, const Matrix* d_in, const Matrix& d, const Matrix& in) const {
  Backend& backend = space_->backend;
  Gradients& gradients = space_->gradients;
  const Source& source = sources_[index];
  const auto& [a, b, scale] = source.pair;
  const Matrix u = space_->pairs.matrix(kPairInner, in.rows, a->rows, DType::F32);
  const Matrix du = space_->pairs.matrix(kPairInnerGradient, in.rows, a->rows, DType::F32);
  backend.matmul(u, {in, *source.a}, {});
  gradients.scale(u, u, scale);
  bool first = true;
  for (const Piece& piece : pieces_) {
    if (piece.source != index) continue;
    const Matrix rows = d.col_range(piece.column, piece.rows.count);
    gradients.product_weight(b->gradient().row_range(piece.rows.begin, piece.rows.count), rows, u);
    gradients.product_input(du, rows, *piece.b, !first);
    first = false;
  }
  gradients.scale(du, du, scale);
  gradients.product_weight(a->gradient(), du, in);
  if (d_in != nullptr) gradients.product_input(*d_in, du, *source.a, true);
}

}  // namespace ivl
