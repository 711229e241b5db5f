#include "model/load_weights.h"

#include <algorithm>

#include "model/weight_formats.h"

namespace ivl {
namespace {

int64_t row_elements(const HostTensor& tensor) {
  int64_t elements = 1;
  for (size_t i = 1; i < tensor.shape.size(); ++i) elements *= tensor.shape[i];
  return elements;
}

void add_in_order(std::vector<HostTensor>& to, const HostTensor& whole, const Param& param) {
  if (param.order.empty()) to.push_back(whole);
  for (const RowRange& rows : param.order) to.push_back(whole.row_range(rows.begin, rows.count));
}

}  // namespace

void PartLoader::add(LinearSource& to, const Param& param) const {
  HostTensor tensor = source_.tensor(param);
  if (param.role == Role::Vector) return add_in_order(to.biases, tensor, param);
  tensor.shape = {tensor.shape[0], row_elements(tensor)};
  const WeightFormat format = tensor.format() == WeightFormat::Plain ? format_of_plain(param, precision_) : tensor.format();
  if (!to.weights.empty() && format != to.format) {
    fail(Status::Unsupported, cat(tensor.where, ": is in ", name_of(format), " where what is multiplied together with it is in ",
                                  name_of(to.format), ", expected one format"));
  }
  to.format = format;
  add_in_order(to.weights, tensor, param);
}

void PartLoader::done_with(const Param& param) const {
  // Embeddings that are the head, too, are read on where they lie.
  if (format_of_plain(param, precision_) != WeightFormat::Plain && !param.again) source_.release(param);
}

std::unique_ptr<LinearWeights> PartLoader::linear(Use use) const {
  const auto wanted = [use](const Param& param) { return param.use == use && param.expert < 0; };
  LinearSource parts;
  for (const Param& param : params_) {
    if (wanted(param)) add(parts, param);
  }
  auto weights = backend_.linear(parts, precision_.type);
  for (const Param& param : params_) {
    if (wanted(param)) done_with(param);
  }
  return weights;
}

std::unique_ptr<ExpertWeights> PartLoader::experts(int64_t count) const {
  auto next = std::find_if(params_.begin(), params_.end(), [](const Param& param) { return param.expert >= 0; });
  std::span<const Param> before;
  const auto release = [&] {
    for (const Param& param : before) done_with(param);
  };
  auto weights = backend_.experts(
      count,
      [&](int64_t expert) {
        release();
        const auto first = next;
        ExpertSource source;
        for (; next != params_.end() && next->expert == expert; ++next)
          add(next->use == Use::Down ? source.down : source.gate_up, *next);
        before = {first, next};
        return source;
      },
      precision_.type);
  release();
  return weights;
}

NormWeights PartLoader::norm(Use use, NormKind kind, float eps) const {
  NormWeights norm;
  norm.kind = kind;
  norm.eps = eps;
  norm.weight = backend_.vector(tensor(use, Role::Norm), precision_.type);
  if (kind == NormKind::LayerNorm) norm.bias = backend_.vector(tensor(use, Role::Vector), precision_.type);
  return norm;
}

NormWeights PartLoader::norm_if_any(Use use, NormKind kind, float eps) const {
  return find(use, Role::Norm) == nullptr ? NormWeights{} : norm(use, kind, eps);
}

std::unique_ptr<VectorWeights> PartLoader::vector(Use use) const {
  return backend_.vector(tensor(use, Role::Vector), precision_.type);
}

std::unique_ptr<TableWeights> PartLoader::table(Use use) const { return backend_.table(tensor(use, Role::Table), precision_.type); }

std::vector<float> PartLoader::widened(Use use) const {
  const HostTensor stored = tensor(use, Role::Vector);
  std::vector<float> values(static_cast<size_t>(stored.shape[0] * row_elements(stored)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = load_f32(stored.data, stored.dtype, i);
  return values;
}

const Param* PartLoader::find(Use use, Role role) const {
  const auto found = std::find_if(params_.begin(), params_.end(), [&](const Param& p) { return p.use == use && p.role == role; });
  return found == params_.end() ? nullptr : &*found;
}

HostTensor PartLoader::tensor(Use use, Role role) const {
  const Param* param = find(use, role);
  require(param != nullptr, "the part has a parameter of this use");
  return source_.tensor(*param);
}

}  // namespace ivl
