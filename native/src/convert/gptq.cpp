#include "convert/gptq.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "backend/rounded_rows.h"
#include "convert/triangle.h"
#include "tensor/error.h"

namespace ivl {
namespace {

constexpr int64_t kRoundedInputs = 128;  // inputs that are rounded between two products

// How far each input's square is raised before H is factored: inputs that never differ from others' sums would be trusted to make up
// for anything. Of its own square, since a few inputs are much larger than the others.
constexpr float kDamping = 0.1f;
// Of the mean square, the least that an input counts in the search of the scales.
constexpr float kLeastImportance = 1e-4f;

// As cpu/isa/int4_quantize.inl has it: how many of the middles between levels x is not below.
int nearest_level(float x) {
  int q = 0;
  for (int i = 1; i < 16; ++i) {
    const float middle = 0.5f * static_cast<float>(kInt4Levels[i - 1] + kInt4Levels[i]);
    q += x < middle ? 0 : 1;
  }
  return q;
}

void put(uint8_t* values, int64_t input, int q) {
  const Int4Place place = int4_place(input);
  uint8_t& byte = values[place.byte];
  byte = static_cast<uint8_t>((byte & ~(15 << place.shift)) | q << place.shift);
}

}  // namespace

// Inputs [begin, begin + count) in the order, and how they pull at each other.
struct Gptq::Block {
  int64_t begin, count;
  std::vector<float> before;      // (count, begin): L's rows up to the block
  std::vector<float> among;       // (count, count): [i][k] is L[k][i]
  std::vector<float> reciprocal;  // of L[k][k]

  Block(const Matrix& factor, int64_t first, int64_t size)
      : begin(first),
        count(size),
        before(static_cast<size_t>(size * first)),
        among(static_cast<size_t>(size * size)),
        reciprocal(static_cast<size_t>(size)) {
    for (int64_t k = 0; k < count; ++k) {
      const float* l = static_cast<const float*>(factor.data) + (begin + k) * factor.stride;
      std::copy(l, l + begin, before.begin() + k * begin);
      for (int64_t i = 0; i < k; ++i) among[static_cast<size_t>(i * count + k)] = l[begin + i];
      reciprocal[static_cast<size_t>(k)] = 1.0f / l[begin + k];
    }
  }
};

Gptq::Gptq(Backend& backend, ThreadPool& pool, Gram gram, const std::string& where) : backend_(backend), pool_(pool) {
  order_inputs(gram, where);
  const auto size = static_cast<size_t>(inputs());
  factor_ = backend_.allocate(size * size * sizeof(float));
  pool_.run(inputs(), [&](int64_t row, int) {
    float* to = static_cast<float*>(factor_.data()) + row * inputs();
    const int64_t input = order_[static_cast<size_t>(row)];
    for (int64_t i = 0; i <= row; ++i) to[i] = gram.at(input, order_[static_cast<size_t>(i)]);
    to[row] = to[row] > 0 ? to[row] * (1 + kDamping) : 1;
  });
  { const Gram done = std::move(gram); }
  factor_triangle(backend_, pool_, factor());
}

void Gptq::order_inputs(const Gram& gram, const std::string& where) {
  double sum = 0;
  for (int64_t i = 0; i < gram.inputs(); ++i) {
    importance_.push_back(gram.at(i, i));
    sum += static_cast<double>(importance_.back());
  }
  if (!std::isfinite(sum)) {
    fail(Status::NotFinite, cat(where, ": inputs that are not finite, expected numbers; `info --check` lists damaged tensors"));
  }
  order_.resize(importance_.size());
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(),
                   [&](int64_t a, int64_t b) { return importance_[static_cast<size_t>(a)] > importance_[static_cast<size_t>(b)]; });
  const float mean = static_cast<float>(sum / static_cast<double>(importance_.size()));
  for (float& importance : importance_) importance = mean > 0 ? importance / mean + kLeastImportance : 1;
}

Int4Weights Gptq::weights(const HostTensor& weight, DType as, const RowCodec& codec) const {
  require(weight.shape[1] == inputs(), "gptq: a layer with these inputs");
  Int4Weights out = int4_weights(weight, as, codec, pool_, importance_.data());
  // The weights in their order; once rounded, their errors.
  const Buffer memory = backend_.allocate(static_cast<size_t>(out.count * inputs()) * sizeof(float));
  const Matrix errors = memory.matrix(DType::F32, out.count, inputs());
  each_rounded_row(weight, as, codec, pool_, [&](int64_t row, const float* in) {
    float* to = static_cast<float*>(errors.data) + row * inputs();
    for (const int64_t input : order_) *to++ = in[input];
  });
  const Buffer sums = backend_.allocate(static_cast<size_t>(out.count * kRoundedInputs) * sizeof(float));
  for (int64_t begin = 0; begin < inputs(); begin += kRoundedInputs) {
    const Block block(factor(), begin, std::min(kRoundedInputs, inputs() - begin));
    const Matrix pulls = sums.matrix(DType::F32, out.count, block.count);
    std::fill_n(static_cast<float*>(pulls.data), out.count * block.count, 0.0f);
    if (begin > 0) add_product(backend_, pulls, errors.col_range(0, begin), block.before.data());
    round_rows(out.rows, errors.col_range(begin, block.count), block, pulls);
  }
  return out;
}

void Gptq::round_rows(const Int4Rows& rows, const Matrix& weights, const Block& block, const Matrix& pulls) const {
  constexpr int64_t kPiece = 16;
  pool_.run((pulls.rows + kPiece - 1) / kPiece, [&](int64_t piece, int) {
    for (int64_t row = piece * kPiece; row < std::min(pulls.rows, (piece + 1) * kPiece); ++row) {
      round_row(rows.from(row), static_cast<float*>(weights.data) + row * weights.stride, block,
                static_cast<float*>(pulls.data) + row * pulls.stride);
    }
  });
}

void Gptq::round_row(const Int4Rows& row, float* weights, const Block& block, float* pulls) const {
  auto* values = const_cast<uint8_t*>(row.values);  // of weights(), which owns them
  for (int64_t i = 0; i < block.count; ++i) {
    const auto at = static_cast<size_t>(i);
    const int64_t input = order_[static_cast<size_t>(block.begin + i)];
    const float scale = load_f32(row.scales, row.type, static_cast<size_t>(input / row.group));
    const float wanted = weights[i] + pulls[i] * block.reciprocal[at];
    const int q = nearest_level(scale == 0.0f ? 0.0f : wanted / scale);
    put(values, input, q);
    weights[i] -= rounded_to(row.type, static_cast<float>(kInt4Levels[q]) * scale);
    const float* among = block.among.data() + i * block.count;
    for (int64_t k = i + 1; k < block.count; ++k) pulls[k] += weights[i] * among[k];
  }
}

}  // namespace ivl
