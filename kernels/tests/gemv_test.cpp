#include "gemv.h"

#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

struct Shape {
  int in_features;
  int out_features;
};

// One step, less than a step, several stages with a ragged end; outputs that do not fill the last warp.
const Shape kShapes[] = {{256, 16}, {8, 1}, {2048 + 264, 37}, {7168, 18}};

template <class T>
class GemvTest : public testing::Test {
 protected:
  // A product of `rows` rows with everything it may need.
  struct Operands {
    Shape shape;
    bool paired;
    std::vector<T> in, weight, bias, norm, residual;
    Operands(const Shape& s, int rows, bool pairs)
        : shape(s), paired(pairs), in(random_values<T>(static_cast<size_t>(rows * s.in_features), 1)),
          weight(random_values<T>(static_cast<size_t>((pairs ? 2 : 1) * s.out_features * s.in_features), 2,
                                  1 / std::sqrt(s.in_features))),
          bias(random_values<T>(static_cast<size_t>((pairs ? 2 : 1) * s.out_features), 3)),
          norm(random_values<T>(static_cast<size_t>(s.in_features), 4, 0.3, 1)),
          residual(random_values<T>(static_cast<size_t>(rows * s.out_features), 5)) {}
  };

  static constexpr float kEps = 1e-5f;

  static std::vector<T> run(const Operands& o, int rows, bool biased, bool normed, gpu::GemvEpilogue epilogue,
                            std::vector<float>* logits = nullptr) {
    const DeviceArray<T> in(o.in), weight(o.weight), bias(o.bias), norm(o.norm), residual(o.residual);
    const DeviceArray<T> out(static_cast<size_t>(rows * o.shape.out_features));
    const DeviceArray<float> out_f32(static_cast<size_t>(rows * o.shape.out_features));
    gpu::Gemv<T> product;
    product.in = {in.data(), o.shape.in_features};
    product.weight = weight.data();
    product.bias = biased ? bias.data() : nullptr;
    product.norm = normed ? norm.data() : nullptr;
    product.eps = kEps;
    product.out = {out.data(), o.shape.out_features};
    if (logits != nullptr) {
      product.out_f32 = {out_f32.data(), o.shape.out_features};
    }
    product.residual = {residual.data(), o.shape.out_features};
    product.epilogue = epilogue;
    product.rows = rows;
    product.in_features = o.shape.in_features;
    product.out_features = o.shape.out_features;
    EXPECT_EQ(gpu::gemv(product, nullptr), cudaSuccess);
    EXPECT_EQ(reported(), "");
    if (logits != nullptr) {
      *logits = out_f32.read();
      return {};
    }
    return out.read();
  }

  static double rounded(double x) { return gpu::to_float(gpu::from_float<T>(static_cast<float>(x))); }

  static std::vector<double> input_row(const Operands& o, int row, bool normed) {
    std::vector<double> x;
    double squares = 0;
    for (int c = 0; c < o.shape.in_features; c++) {
      x.push_back(gpu::to_float(o.in[static_cast<size_t>(row * o.shape.in_features + c)]));
      squares += x.back() * x.back() / o.shape.in_features;
    }
    for (size_t c = 0; normed && c < x.size(); c++) {
      x[c] = rounded(rounded(x[c] / std::sqrt(squares + kEps)) * gpu::to_float(o.norm[c]));
    }
    return x;
  }

  static double dot(const Operands& o, const std::vector<double>& x, int weight_row, bool biased) {
    double sum = biased ? gpu::to_float(o.bias[static_cast<size_t>(weight_row)]) : 0;
    for (size_t c = 0; c < x.size(); c++) {
      sum += x[c] * gpu::to_float(o.weight[static_cast<size_t>(weight_row) * x.size() + c]);
    }
    return sum;
  }
};

using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(GemvTest, Types);

TYPED_TEST(GemvTest, IsTheProduct) {
  for (const Shape& shape : kShapes) {
    for (bool normed : {false, true}) {
      const typename TestFixture::Operands o(shape, 2, false);
      const auto out = this->run(o, 2, true, normed, gpu::GemvEpilogue::None);
      const auto sum = this->run(o, 2, true, normed, gpu::GemvEpilogue::Residual);
      std::vector<float> logits;
      this->run(o, 2, true, normed, gpu::GemvEpilogue::None, &logits);
      for (int row = 0; row < 2; row++) {
        const auto x = this->input_row(o, row, normed);
        for (int n = 0; n < shape.out_features; n++) {
          const auto at = static_cast<size_t>(row * shape.out_features + n);
          const double expected = this->dot(o, x, n, true);
          // A norm's element may round the other way when its f32 sum differs in the last place.
          const double slack = normed ? kRounding<TypeParam> : 2e-5;
          ASSERT_NEAR(logits[at], expected, slack);
          ASSERT_NEAR(gpu::to_float(out[at]), expected, slack + kRounding<TypeParam> * std::fabs(expected));
          const double total = expected + gpu::to_float(o.residual[at]);
          ASSERT_NEAR(gpu::to_float(sum[at]), total,
                      slack + kRounding<TypeParam> * (std::fabs(expected) + std::fabs(total)) * 1.01);
        }
      }
    }
  }
}

TYPED_TEST(GemvTest, SwiGlu) {
  for (const Shape& shape : kShapes) {
    const typename TestFixture::Operands o(shape, 1, true);
    const auto out = this->run(o, 1, false, false, gpu::GemvEpilogue::SwiGlu);
    const auto x = this->input_row(o, 0, false);
    for (int n = 0; n < shape.out_features; n++) {
      const double gate = this->dot(o, x, n, false);
      const double up = this->dot(o, x, shape.out_features + n, false);
      const double expected = gate / (1 + std::exp(-gate)) * up;
      const double bound = 4.1 * kRounding<TypeParam> * (std::fabs(expected) + 0.01) + 1e-4;
      ASSERT_NEAR(gpu::to_float(out[static_cast<size_t>(n)]), expected, bound) << n;
    }
  }
}

// Each row's bits are those it has alone.
TYPED_TEST(GemvTest, RowsDoNotDependOnEachOther) {
  const Shape shape{2312, 21};
  const typename TestFixture::Operands all(shape, gpu::kGemvRows, false);
  for (int rows = 1; rows <= gpu::kGemvRows; rows++) {
    const auto together = this->run(all, rows, true, true, gpu::GemvEpilogue::Residual);
    for (int row = 0; row < rows; row++) {
      typename TestFixture::Operands one = all;
      one.in = {all.in.begin() + row * shape.in_features, all.in.begin() + (row + 1) * shape.in_features};
      one.residual = {all.residual.begin() + row * shape.out_features,
                      all.residual.begin() + (row + 1) * shape.out_features};
      const auto alone = this->run(one, 1, true, true, gpu::GemvEpilogue::Residual);
      for (int n = 0; n < shape.out_features; n++) {
        ASSERT_EQ(together[static_cast<size_t>(row * shape.out_features + n)].bits, alone[static_cast<size_t>(n)].bits);
      }
    }
  }
}

TYPED_TEST(GemvTest, OtherNumbersOfRowsAreRefused) {
  gpu::Gemv<TypeParam> product;
  EXPECT_EQ(gpu::gemv(product, nullptr), cudaErrorInvalidValue);
  product.rows = gpu::kGemvRows + 1;
  EXPECT_EQ(gpu::gemv(product, nullptr), cudaErrorInvalidValue);
}

}  // namespace
