// Adapters on a GPU: what products of every kind add against the reference, and that a row's bits depend on nothing but the row and
// its own adapters, in replayed graphs, too.
#include "backend/adapted_layer.h"
#include "backend/reference_backend.h"
#include "cuda/cuda_backend.h"
#include "cuda/gpu_test.h"

namespace ivl {
namespace {

using testing::AdaptedLayer;
using testing::AdaptedProduct;
using testing::AdapterPairs;
using testing::adapters_for;
using testing::Operand;
using testing::same_bits;

// Inputs that are no multiple of 8 are padded, as the model pads them.
std::vector<AdaptedLayer> layers_in(DType type) {
  return {{{48, 16, 16}, 64, WeightFormat::Plain, type, Activation::None},
          {{37}, 515, WeightFormat::Plain, type, Activation::Gelu},
          {{45, 45}, 200, WeightFormat::Plain, type, Activation::SwiGlu},
          {{50, 17, 17}, 128, WeightFormat::Int8, type, Activation::None},
          {{48, 48}, 128, WeightFormat::Int4, type, Activation::SwiGlu}};
}

// A layer with adapters on a GPU.
class OnGpu {
 public:
  OnGpu(Backend& backend, const AdaptedLayer& layer)
      : backend_(backend), product_(layer), padded_((layer.in + 7) / 8 * 8), weights_(product_.on(backend, layer.type)) {
    backend.finish_weights();
    for (const AdapterPairs& pairs : adapters_for(layer, layer.type)) adapters_.push_back(backend.adapter(pairs.source()));
  }

  const AdapterWeights* adapter(size_t i) const { return adapters_[i % adapters_.size()].get(); }
  Operand run(const Matrix& in, std::span<const AdaptedRows> adapted, bool repeats = false) {
    Operand wide(in.rows, padded_, 0, 1, 0), out(in.rows, product_.outputs());
    for (int64_t row = 0; row < in.rows; ++row) {
      std::memcpy(&wide.at(row, 0), static_cast<const float*>(in.data) + row * in.stride,
                  static_cast<size_t>(in.cols) * sizeof(float));
    }
    const DType type = backend_.activation_type();
    grow(in_, static_cast<size_t>(in.rows * padded_) * size_of(type));
    grow(out_, static_cast<size_t>(in.rows * product_.outputs()) * sizeof(float));
    const Matrix from = in_.matrix(type, in.rows, padded_), to = out_.matrix(DType::F32, in.rows, product_.outputs());
    backend_.from_host(from, wide.values().data());
    const auto pass = [&] { product_.run(backend_, *weights_, to, from, adapted); };
    repeats ? backend_.repeat(pass) : pass();
    backend_.to_host(out.values().data(), to);
    return out;
  }

 private:
  void grow(Buffer& buffer, size_t bytes) {
    if (buffer.bytes() < bytes) buffer = backend_.allocate(bytes);
  }
  Backend& backend_;
  AdaptedProduct product_;
  int64_t padded_;
  std::unique_ptr<LinearWeights> weights_;
  std::vector<std::unique_ptr<AdapterWeights>> adapters_;
  Buffer in_, out_;
};

// Numbers that the type holds, so that every backend has the same.
Operand rows_in(DType type, int64_t rows, int64_t cols) {
  Operand operand(rows, cols, 0, 4);
  for (float& x : operand.values()) x = rounded_to(type, x);
  return operand;
}

// Thirds with one adapter, with two, with none, and a single row.
std::vector<AdaptedRows> thirds(const OnGpu& layer, int64_t rows) {
  const int64_t third = rows / 3;
  return {{0, third, layer.adapter(0), 1},
          {third, third, layer.adapter(0), 0.5f},
          {third, third, layer.adapter(1), -2},
          {rows - 1, 1, layer.adapter(2), 1}};
}

std::vector<AdaptedRows> of_row(const std::vector<AdaptedRows>& adapted, int64_t row) {
  std::vector<AdaptedRows> its;
  for (const AdaptedRows& rows : adapted) {
    if (rows.row <= row && row < rows.row + rows.rows) its.push_back({0, 1, rows.adapter, rows.weight});
  }
  return its;
}

using CudaAdapterGraphs = testing::GpuTest;
class CudaAdapters : public testing::GpuTest, public ::testing::WithParamInterface<DType> {};
INSTANTIATE_TEST_SUITE_P(Types, CudaAdapters, ::testing::Values(DType::BF16, DType::F16),
                         [](const auto& p) { return std::string(name_of(p.param)); });

TEST_P(CudaAdapters, AddedPairsMatchTheReference) {
  const auto cuda = make_gpu_backend(0, GetParam());
  testing::ReferenceBackend reference;
  for (const AdaptedLayer& layer : layers_in(GetParam())) {
    const AdaptedProduct product(layer);
    const auto weights = product.on(reference, layer.type);
    OnGpu gpu(*cuda, layer);
    size_t at = 0;
    for (const AdapterPairs& pairs : adapters_for(layer, layer.type)) {
      const auto theirs = reference.adapter(pairs.source());
      const AdapterWeights* mine = gpu.adapter(at++);
      for (const int64_t rows : {1, 21}) {
        Operand in = rows_in(layer.type, rows, layer.in), expected(rows, product.outputs());
        const AdaptedRows by_me[] = {{0, rows, mine, 0.7f}}, by_them[] = {{0, rows, theirs.get(), 0.7f}};
        product.run(reference, *weights, expected.matrix(), in.matrix(), by_them);
        Operand actual = gpu.run(in.matrix(), by_me);
        EXPECT_LT(testing::relative_error(actual.matrix(), expected.matrix()), 1e-5)
            << rows << " rows, in " << layer.in << ", " << name_of(layer.format);
      }
    }
  }
}

// Tiles of every height, on every generation that has its own.
TEST_P(CudaAdapters, ARowHasTheBitsThatItHasAloneInAnyCompany) {
  const auto cuda = make_gpu_backend(0, GetParam());
  for (const AdaptedLayer& layer : layers_in(GetParam())) {
    OnGpu gpu(*cuda, layer);
    // The tallest once for each kind of product: they take the emulation long.
    const bool many = layer.parts.size() == 3;
    for (const int64_t rows : many ? std::vector<int64_t>{5, 390} : std::vector<int64_t>{5, 61}) {
      const std::vector<AdaptedRows> adapted = thirds(gpu, rows);
      Operand in = rows_in(layer.type, rows, layer.in);
      Operand together = gpu.run(in.matrix(), adapted), without = gpu.run(in.matrix(), {});
      const int64_t none = rows - 2;
      EXPECT_TRUE(same_bits(together.matrix().row_range(none, 1), without.matrix().row_range(none, 1))) << rows << " rows";
      EXPECT_FALSE(same_bits(together.matrix().row_range(0, 1), without.matrix().row_range(0, 1))) << rows << " rows";
      for (const int64_t row : {int64_t{0}, rows / 3, rows / 3 * 2 - 1, none, rows - 1}) {
        Operand alone = gpu.run(in.matrix().row_range(row, 1), of_row(adapted, row));
        EXPECT_TRUE(same_bits(together.matrix().row_range(row, 1), alone.matrix()))
            << "row " << row << " of " << rows << ", in " << layer.in << ", " << name_of(layer.format);
      }
#if defined(GPU_EMULATED)
      simt::set_capability(8);
      Operand older = gpu.run(in.matrix(), adapted);
      simt::set_capability(9);
      EXPECT_TRUE(same_bits(together.matrix(), older.matrix())) << rows << " rows";
#endif
    }
  }
}

// Who takes which adapter, and how much of it, is no part of the graph.
TEST_F(CudaAdapterGraphs, AReplayedGraphFollowsTheRowsAdapters) {
  cuda::CudaBackend<gpu::bf16> cuda(0);
  const AdaptedLayer layer = layers_in(DType::BF16)[0];
  OnGpu gpu(cuda, layer);
  Operand in = rows_in(DType::BF16, 3, layer.in);
  const auto one = [&](size_t adapter, float weight) { return std::vector<AdaptedRows>{{0, 2, gpu.adapter(adapter), weight}}; };
  gpu.run(in.matrix(), one(2, 1), true);  // the memory that u takes has grown
  Operand first = gpu.run(in.matrix(), one(2, 1), true);
  const int captured = cuda.captured_graphs();
  Operand second = gpu.run(in.matrix(), one(2, -3), true);
  EXPECT_EQ(cuda.captured_graphs(), captured);
  EXPECT_TRUE(same_bits(first.matrix(), gpu.run(in.matrix(), one(2, 1)).matrix()));
  EXPECT_TRUE(same_bits(second.matrix(), gpu.run(in.matrix(), one(2, -3)).matrix()));
  EXPECT_FALSE(same_bits(first.matrix(), second.matrix()));
}

}  // namespace
}  // namespace ivl
