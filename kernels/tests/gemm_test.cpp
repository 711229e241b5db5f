#include "gemm.h"

#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;
using gpu::Activation;

struct Shape {
  int rows;
  int in_features;
  int out_features;
};

// Each height of tile with and without a ragged end; less than a step, several stages; outputs that fill no tile, and
// widths that are no multiple of 4.
const Shape kShapes[] = {{1, 8, 1},      {1, 7168, 40},  {7, 264, 37},
                         {16, 512, 64},  {17, 64, 128},  {64, 200, 75},
                         {65, 1032, 24}, {130, 96, 260}, {gpu::kSomeRows + 6, 72, 140}};

template <class T>
struct Operands {
  Shape shape;
  int weight_rows;
  std::vector<T> in, weight, bias, scale, residual;

  Operands(const Shape& s, Activation activation)
      : shape(s),
        weight_rows((activation == Activation::SwiGlu ? 2 : 1) * s.out_features),
        in(random_values<T>(static_cast<size_t>(s.rows * s.in_features), 1)),
        weight(random_values<T>(static_cast<size_t>(weight_rows * s.in_features), 2, 1 / std::sqrt(s.in_features))),
        bias(random_values<T>(static_cast<size_t>(weight_rows), 3)),
        scale(random_values<T>(static_cast<size_t>(s.out_features), 4)),
        residual(random_values<T>(static_cast<size_t>(s.rows * s.out_features), 5)) {}
};

// What of the epilogue is asked for.
struct Wanted {
  Activation activation = Activation::None;
  bool bias = false;
  bool scale = false;
  bool residual = false;
};

template <class T>
class GemmTest : public testing::Test {
 protected:
  static gpu::Gemm<T> product_of(const Operands<T>& o, const T* in, const T* weight) {
    gpu::Gemm<T> product;
    product.in = {in, o.shape.in_features};
    product.weight = weight;
    product.rows = o.shape.rows;
    product.in_features = o.shape.in_features;
    product.out_features = o.shape.out_features;
    return product;
  }

  static std::vector<T> run(const Operands<T>& o, const Wanted& wanted) {
    const DeviceArray<T> in(o.in), weight(o.weight), bias(o.bias), scale(o.scale);
    const DeviceArray<T> out(o.residual);  // the residual is added in place, as the model does
    gpu::Gemm<T> product = product_of(o, in.data(), weight.data());
    product.epilogue.activation = wanted.activation;
    product.epilogue.bias = wanted.bias ? bias.data() : nullptr;
    product.epilogue.scale = wanted.scale ? scale.data() : nullptr;
    product.epilogue.residual = {wanted.residual ? out.data() : nullptr, o.shape.out_features};
    product.epilogue.out = {out.data(), o.shape.out_features};
    EXPECT_EQ(gpu::gemm(product, nullptr), cudaSuccess);
    EXPECT_EQ(reported(), "");
    return out.read();
  }

  static std::vector<float> logits(const Operands<T>& o) {
    const DeviceArray<T> in(o.in), weight(o.weight);
    const DeviceArray<float> out(static_cast<size_t>(o.shape.rows * o.shape.out_features));
    gpu::Gemm<T> product = product_of(o, in.data(), weight.data());
    product.epilogue.out_f32 = {out.data(), o.shape.out_features};
    EXPECT_EQ(gpu::gemm(product, nullptr), cudaSuccess);
    EXPECT_EQ(reported(), "");
    return out.read();
  }

  static double sum(const Operands<T>& o, int row, int weight_row, const Wanted& wanted) {
    double sum = wanted.bias ? gpu::to_float(o.bias[static_cast<size_t>(weight_row)]) : 0;
    for (int k = 0; k < o.shape.in_features; k++) {
      sum += static_cast<double>(gpu::to_float(o.in[static_cast<size_t>(row * o.shape.in_features + k)])) *
             gpu::to_float(o.weight[static_cast<size_t>(weight_row * o.shape.in_features + k)]);
    }
    return sum;
  }

  static double expected(const Operands<T>& o, int row, int column, const Wanted& wanted) {
    double x = sum(o, row, column, wanted);
    if (wanted.activation == Activation::Gelu) {
      x = 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    } else if (wanted.activation == Activation::SwiGlu) {
      x = x / (1 + std::exp(-x)) * sum(o, row, column + o.shape.out_features, wanted);
    }
    if (wanted.scale) {
      x *= gpu::to_float(o.scale[static_cast<size_t>(column)]);
    }
    return wanted.residual ? x + gpu::to_float(o.residual[static_cast<size_t>(row * o.shape.out_features + column)]) : x;
  }

  static void expect_right(const Operands<T>& o, const Wanted& wanted) {
    const std::vector<T> out = run(o, wanted);
    for (int row = 0; row < o.shape.rows; row++) {
      for (int column = 0; column < o.shape.out_features; column++) {
        const double x = expected(o, row, column, wanted);
        ASSERT_NEAR(gpu::to_float(out[static_cast<size_t>(row * o.shape.out_features + column)]), x,
                    kRounding<T> * std::fabs(x) * 1.01 + 1e-4)
            << o.shape.rows << " x " << o.shape.in_features << " x " << o.shape.out_features << " at " << row << ", " << column;
      }
    }
  }
};

using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(GemmTest, Types);

TYPED_TEST(GemmTest, IsTheProduct) {
  on_every_generation([] {
    for (const Shape& shape : kShapes) {
      TestFixture::expect_right(Operands<TypeParam>(shape, Activation::None), {});
    }
  });
}

TYPED_TEST(GemmTest, GoesThroughEveryEpilogue) {
  on_every_generation([] {
    for (const Wanted& wanted : {Wanted{Activation::None, true}, Wanted{Activation::Gelu, true}, Wanted{Activation::SwiGlu},
                                 Wanted{Activation::SwiGlu, true}, Wanted{Activation::None, false, false, true},
                                 Wanted{Activation::None, true, true, true}, Wanted{Activation::None, false, true}}) {
      for (const Shape& shape : {Shape{3, 72, 44}, {5, 136, 21}, {40, 72, 100}, {100, 40, 72}, {390, 40, 21}}) {
        TestFixture::expect_right(Operands<TypeParam>(shape, wanted.activation), wanted);
      }
    }
  });
}

TYPED_TEST(GemmTest, GivesLogitsInF32) {
  for (const Shape& shape : {Shape{2, 256, 1033}, {18, 64, 60}}) {
    const Operands<TypeParam> o(shape, Activation::None);
    const std::vector<float> out = this->logits(o);
    for (int i = 0; i < shape.rows * shape.out_features; i++) {
      ASSERT_NEAR(out[static_cast<size_t>(i)], this->sum(o, i / shape.out_features, i % shape.out_features, {}), 1e-4);
    }
  }
}

// The promise that batches and prompts rest on: tiles of all heights, and every place in them, give the same bits.
TYPED_TEST(GemmTest, ARowHasTheSameBitsAloneInABatchAndInAPrompt) {
  constexpr int kRows = gpu::kSomeRows + 16, kColumns = 52;
  const Operands<TypeParam> all({kRows, 328, kColumns}, Activation::SwiGlu);
  const Wanted wanted{Activation::SwiGlu, true};
  const auto part = [&](int first, int count) {
    Operands<TypeParam> some = all;
    some.shape.rows = count;
    some.in = {all.in.begin() + first * 328, all.in.begin() + (first + count) * 328};
    some.residual.resize(static_cast<size_t>(count * kColumns));
    return TestFixture::run(some, wanted);
  };
  on_every_generation([&] {
    const auto prompt = TestFixture::run(all, wanted);
    for (const auto& [row, count] : {std::pair{0, 1},
                                     {0, 300},
                                     {1, 16},
                                     {77, 33},
                                     {127, 2},
                                     {149, 80},
                                     {255, 1},
                                     {256, 16},
                                     {kRows - 1, 1},
                                     {kRows - 1, 300}}) {
      const int first = std::min(row, kRows - count);
      const auto some = part(first, count);
      for (int column = 0; column < kColumns; column++) {
        ASSERT_EQ(some[static_cast<size_t>((row - first) * kColumns + column)].bits,
                  prompt[static_cast<size_t>(row * kColumns + column)].bits)
            << "row " << row << " among " << count;
      }
    }
  });
}

// Queries, keys and values of a few rows at scattered positions: each in its place, and nothing anywhere else.
TYPED_TEST(GemmTest, TurnsQueriesAndKeysAndFillsTheCache) {
  using T = TypeParam;
  for (const auto& [heads, kv_heads, d, rows] :
       {std::tuple{7, 1, 128, 3}, {4, 2, 64, 20}, {1, 1, 16, 70}, {2, 2, 32, 1}, {3, 3, 96, 20}}) {
    constexpr int kIn = 72, kContext = 80, kTurnBegin = 5, kLayers = 2, kLayer = 1;
    const int all = heads + 2 * kv_heads;
    const Operands<T> o({rows, kIn, all * d}, Activation::None);
    std::vector<float> table(static_cast<size_t>((kTurnBegin + kContext) * d));
    for (int t = 0; t < kTurnBegin + kContext; t++) {
      for (int i = 0; i < d / 2; i++) {
        const double angle = t * std::pow(5e6, -2.0 * i / d);
        table[static_cast<size_t>(t * d + i)] = static_cast<float>(std::cos(angle));
        table[static_cast<size_t>(t * d + d / 2 + i)] = static_cast<float>(std::sin(angle));
      }
    }
    const int head_stride = kContext * d, layer_stride = 2 * kv_heads * head_stride;
    const T untouched = gpu::from_float<T>(77);
    const DeviceArray<T> cache(std::vector<T>(static_cast<size_t>(kLayers * layer_stride), untouched));
    const DeviceArray<T> in(o.in), weight(o.weight), bias(o.bias);
    const DeviceArray<T> out(std::vector<T>(static_cast<size_t>(rows * all * d), untouched));
    const DeviceArray<float> device_table(table);
    std::vector<gpu::CacheSlot<T>> slots;
    const auto position = [&, n = rows](int row) { return (row * 37 + n) % kContext; };
    for (int row = 0; row < rows; row++) {
      T* k = cache.data() + position(row) * d;
      slots.push_back({k, k + kv_heads * head_stride, head_stride, layer_stride, kTurnBegin + position(row)});
    }
    const DeviceArray<gpu::CacheSlot<T>> device_slots(slots);
    gpu::Gemm<T> product = this->product_of(o, in.data(), weight.data());
    product.out_features = all * d / 2;
    product.epilogue.activation = Activation::Rope;
    product.epilogue.bias = bias.data();
    product.epilogue.out = {out.data(), all * d};
    product.epilogue.rope = {device_slots.data(), device_table.data(), heads, kv_heads, d, kLayer};
    ASSERT_EQ(gpu::gemm(product, nullptr), cudaSuccess);
    EXPECT_EQ(reported(), "");

    std::vector<double> expected_out(out.size(), 77), expected_cache(cache.size(), 77);
    for (int row = 0; row < rows; row++) {
      for (int head = 0; head < all; head++) {
        for (int i = 0; i < d; i++) {
          double x = this->sum(o, row, head * d + i, {Activation::None, true});
          if (head < heads + kv_heads) {
            const float* angles = table.data() + (kTurnBegin + position(row)) * d;
            const double partner = this->sum(o, row, head * d + (i + d / 2) % d, {Activation::None, true});
            x = x * angles[i % (d / 2)] + (i < d / 2 ? -1 : 1) * partner * angles[d / 2 + i % (d / 2)];
          }
          const int place = head - heads;  // keys, then values, lie head by head
          (head < heads
               ? expected_out[static_cast<size_t>((row * all + head) * d + i)]
               : expected_cache[static_cast<size_t>(kLayer * layer_stride + place * head_stride + position(row) * d + i)]) = x;
        }
      }
    }
    const std::vector<double> got_out = exact(out.read()), got_cache = exact(cache.read());
    for (size_t i = 0; i < got_out.size(); i++) {
      ASSERT_NEAR(got_out[i], expected_out[i], kRounding<T> * std::fabs(expected_out[i]) * 1.01 + 1e-4) << i;
    }
    for (size_t i = 0; i < got_cache.size(); i++) {
      ASSERT_NEAR(got_cache[i], expected_cache[i], kRounding<T> * std::fabs(expected_cache[i]) * 1.01 + 1e-4) << i;
    }
  }
}

// Rows of zeros stay zeros, and infinities and NaN come out where they went in, in no neighbour.
TYPED_TEST(GemmTest, KeepsExtremesInTheirRow) {
  Operands<TypeParam> o({20, 64, 32}, Activation::None);
  for (size_t k = 0; k < 64; k++) {
    o.in[k] = gpu::from_float<TypeParam>(0);
  }
  o.in[2 * 64 + 5] = gpu::from_float<TypeParam>(INFINITY);
  o.in[3 * 64 + 9] = gpu::from_float<TypeParam>(NAN);
  const auto out = this->run(o, {});
  for (int row = 0; row < 20; row++) {
    for (int column = 0; column < 32; column++) {
      const float x = gpu::to_float(out[static_cast<size_t>(row * 32 + column)]);
      ASSERT_EQ(std::isfinite(x), row != 2 && row != 3) << "row " << row;
      ASSERT_TRUE(row != 0 || x == 0);
    }
  }
}

}  // namespace
