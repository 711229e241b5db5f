// What adapters add to the CPU backend's products, in every kernel variant that runs here: against the double-precision reference,
// and that a row's bits depend on nothing but the row and its own adapters.
#include "backend/adapted_layer.h"
#include "cpu/variant_test.h"

namespace ivl::cpu {
namespace {

using testing::adapters_for;

class CpuAdapters : public VariantTest {};
INSTANTIATE_TEST_SUITE_P(Variants, CpuAdapters, ::testing::ValuesIn(kernel_variants()), variant_name);

const testing::AdaptedLayer kLayers[] = {{{48, 16, 16}, 64, WeightFormat::Plain, DType::F32, Activation::None},
                                         {{131, 7, 9}, 1037, WeightFormat::Plain, DType::BF16, Activation::None},
                                         {{77}, 515, WeightFormat::Plain, DType::F16, Activation::Gelu},
                                         {{101, 101}, 200, WeightFormat::Plain, DType::BF16, Activation::SwiGlu},
                                         {{150, 33, 33}, 384, WeightFormat::Int8, DType::BF16, Activation::None},
                                         {{96, 96}, 256, WeightFormat::Int4, DType::BF16, Activation::SwiGlu}};

DType kept(const testing::AdaptedLayer& layer) { return layer.format == WeightFormat::Plain ? DType::F32 : DType::BF16; }

TEST_P(CpuAdapters, AddedPairsMatchTheReference) {
  CpuBackend cpu = backend();
  for (const testing::AdaptedLayer& layer : kLayers) {
    const testing::AdaptedProduct product(layer);
    const auto weights = product.on(cpu, kept(layer)), reference = product.on(reference_, kept(layer));
    for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
      for (const testing::AdapterPairs& pairs : adapters_for(layer, type)) {
        const auto mine = cpu.adapter(pairs.source()), theirs = reference_.adapter(pairs.source());
        for (const int64_t rows : {1, 5, 37}) {
          Operand in(rows, layer.in, 3, 4), expected(rows, product.outputs()), actual(rows, product.outputs(), 5);
          const AdaptedRows by_me[] = {{0, rows, mine.get(), 0.7f}}, by_them[] = {{0, rows, theirs.get(), 0.7f}};
          product.run(reference_, *reference, expected.matrix(), in.matrix(), by_them);
          product.run(cpu, *weights, actual.matrix(), in.matrix(), by_me);
          EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance)
              << rows << " rows, in " << layer.in << ", " << name_of(layer.format) << ", pairs in " << name_of(type);
        }
      }
    }
  }
}

// Every row of the input with its adapters, alone.
Operand alone(CpuBackend& cpu, const testing::AdaptedProduct& product, const LinearWeights& weights, const Matrix& in,
              const std::vector<AdaptedRows>& adapted) {
  Operand out(in.rows, product.outputs());
  for (int64_t row = 0; row < in.rows; ++row) {
    std::vector<AdaptedRows> its;
    for (const AdaptedRows& rows : adapted) {
      if (rows.row <= row && row < rows.row + rows.rows) its.push_back({0, 1, rows.adapter, rows.weight});
    }
    product.run(cpu, weights, out.matrix().row_range(row, 1), in.row_range(row, 1), its);
  }
  return out;
}

TEST_P(CpuAdapters, ARowHasTheBitsThatItHasAloneInAnyCompany) {
  for (const bool rounds : {false, true}) {
    CpuBackend one = rounds ? rounding(1) : backend(1);
    for (const testing::AdaptedLayer& layer : kLayers) {
      const testing::AdaptedProduct product(layer);
      const auto weights = product.on(one, kept(layer));
      std::vector<std::unique_ptr<AdapterWeights>> loaded;
      const std::vector<testing::AdapterPairs> adapters = adapters_for(layer, rounds ? DType::BF16 : DType::F32);
      for (const testing::AdapterPairs& pairs : adapters) loaded.push_back(one.adapter(pairs.source()));
      for (const int64_t rows : {4, 16, 17, 61, 541}) {
        // Thirds with one adapter, with two, with none, and single rows.
        const int64_t third = rows / 3;
        const std::vector<AdaptedRows> adapted{{0, third, loaded[0].get(), 1},
                                               {third, third, loaded[0].get(), 0.5f},
                                               {third, third, loaded[1].get(), -2},
                                               {rows - 1, 1, loaded.back().get(), 1}};
        Operand in(rows, layer.in, 3, 4);
        Operand expected = alone(one, product, *weights, in.matrix(), adapted);
        for (const int threads : {1, 3}) {
          CpuBackend many = rounds ? rounding(threads) : backend(threads);
          Operand actual(rows, product.outputs(), 5);
          product.run(many, *weights, actual.matrix(), in.matrix(), adapted);
          EXPECT_TRUE(same_bits(actual.matrix(), expected.matrix()))
              << rows << " rows, in " << layer.in << ", " << name_of(layer.format) << (rounds ? ", rounded" : "");
        }
      }
    }
  }
}

TEST_P(CpuAdapters, RowsWithoutOneHaveTheBitsOfAModelWithoutAny) {
  CpuBackend cpu = backend();
  const testing::AdaptedLayer& layer = kLayers[1];
  const testing::AdaptedProduct product(layer);
  const auto weights = product.on(cpu, kept(layer));
  const std::vector<testing::AdapterPairs> pairs = adapters_for(layer, DType::F32);
  const auto adapter = cpu.adapter(pairs[0].source());
  for (const int64_t rows : {7, 40}) {
    Operand in(rows, layer.in), without(rows, product.outputs()), with(rows, product.outputs());
    product.run(cpu, *weights, without.matrix(), in.matrix(), {});
    const AdaptedRows some[] = {{2, 3, adapter.get(), 1}};
    product.run(cpu, *weights, with.matrix(), in.matrix(), some);
    EXPECT_TRUE(same_bits(with.matrix().row_range(0, 2), without.matrix().row_range(0, 2)));
    EXPECT_FALSE(same_bits(with.matrix().row_range(2, 3), without.matrix().row_range(2, 3)));
    EXPECT_TRUE(same_bits(with.matrix().row_range(5, rows - 5), without.matrix().row_range(5, rows - 5)));
  }
}

TEST(FusedCpuAdapters, AllVariantsGiveTheSameBits) {
  for (const testing::AdaptedLayer& layer : kLayers) {
    const testing::AdaptedProduct product(layer);
    const std::vector<testing::AdapterPairs> pairs = adapters_for(layer, DType::F32);
    for (const int64_t rows : {3, 29}) {
      std::optional<Operand> first;
      for (const KernelTable* table : fused_variants()) {
        CpuBackend cpu({.threads = 2, .kernels = table});
        const auto weights = product.on(cpu, kept(layer));
        const auto adapter = cpu.adapter(pairs[0].source());
        const AdaptedRows all[] = {{0, rows, adapter.get(), 1}};
        Operand in(rows, layer.in), out(rows, product.outputs());
        product.run(cpu, *weights, out.matrix(), in.matrix(), all);
        if (!first) first.emplace(out);
        EXPECT_TRUE(same_bits(out.matrix(), first->matrix())) << table->name << ", in " << layer.in;
      }
    }
  }
}

}  // namespace
}  // namespace ivl::cpu
