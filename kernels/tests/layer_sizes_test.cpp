// The products at the sizes of InternVL-Chat-V1-2's layers. Whole results of these sizes are beyond a host in float64: outputs are
// sampled, their sums exact. Over the emulation the same test runs at a thirty-second of the sizes.
#include "gemm.h"
#include "int8.h"
#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;
using gpu::Activation;

#if defined(GPU_EMULATED)
constexpr int scaled(int size) { return (size / 32 + 15) / 16 * 16; }
const std::vector<int> kRows = {1, 2, 10, 33};
constexpr int kLogits = 64009 / 32;
#else
constexpr int scaled(int size) { return size; }
const std::vector<int> kRows = {1, 8, 64, 320, 512, 1025};
constexpr int kLogits = 64009;
#endif
constexpr int kSamples = 200;

struct Layer {
  const char* name;
  int in_features;
  int out_features;  // of the epilogue's output
  Activation activation = Activation::None;
  bool bias = false;
  bool scale = false;  // and the residual
  bool logits = false;
};

const Layer kLayers[] = {
    {"qkv", scaled(7168), scaled(9216)},
    {"o", scaled(7168), scaled(7168)},
    {"gate, up", scaled(7168), scaled(20480), Activation::SwiGlu},
    {"down", scaled(20480), scaled(7168)},
    {"lm_head", scaled(7168), kLogits, Activation::None, false, false, true},
    {"InternViT qkv", scaled(3200), scaled(9600)},
    {"InternViT proj", scaled(3200), scaled(3200), Activation::None, true, true},
    {"InternViT fc1", scaled(3200), scaled(12800), Activation::Gelu, true},
    {"InternViT fc2", scaled(12800), scaled(3200), Activation::None, true, true},
};

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): quick enough for a billion numbers.
uint64_t split_mix(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Uniform with this spread around 0.
template <class T>
std::vector<T> uniform_values(size_t count, uint64_t seed, float spread) {
  std::vector<T> values(count);
  for (T& value : values) {
    value = gpu::from_float<T>((static_cast<float>(split_mix(seed) >> 40) * 0x1p-23f - 1) * spread);
  }
  return values;
}

// The corners of a result, and places drawn from all of it.
std::vector<std::pair<int, int>> sampled_places(int rows, int cols) {
  std::vector<std::pair<int, int>> places = {{0, 0}, {0, cols - 1}, {rows - 1, 0}, {rows - 1, cols - 1}};
  uint64_t state = 11;
  while (places.size() < kSamples) {
    const int row = static_cast<int>(split_mix(state) % static_cast<uint64_t>(rows));
    places.emplace_back(row, static_cast<int>(split_mix(state) % static_cast<uint64_t>(cols)));
  }
  return places;
}

// Of a sum of so many products of order 1 in f32: a tensor core may cut off where it should round.
double sum_bound(int terms) { return 1e-4 + terms * 0x1p-25; }

template <class T>
class LayerSizes : public testing::Test {
 protected:
  // A layer's operands on the host and on the GPU. Sums are of order 1.
  struct Operands {
    const Layer& layer;
    int weight_rows;
    std::vector<T> in, weight, bias, scale, residual;
    DeviceArray<T> device_in, device_weight, device_bias, device_scale;

    explicit Operands(const Layer& l)
        : layer(l),
          weight_rows((l.activation == Activation::SwiGlu ? 2 : 1) * l.out_features),
          in(uniform_values<T>(size(kRows.back(), l.in_features), 1, 1)),
          weight(uniform_values<T>(size(weight_rows, l.in_features), 2, 3 / std::sqrt(static_cast<float>(l.in_features)))),
          bias(uniform_values<T>(static_cast<size_t>(weight_rows), 3, 1)),
          scale(uniform_values<T>(static_cast<size_t>(l.out_features), 4, 1)),
          residual(uniform_values<T>(size(kRows.back(), l.out_features), 5, 1)),
          device_in(in),
          device_weight(weight),
          device_bias(bias),
          device_scale(scale) {}

    static size_t size(int rows, int cols) { return static_cast<size_t>(rows) * static_cast<size_t>(cols); }

    double sum(int row, int weight_row) const {
      double sum = layer.bias ? gpu::to_float(bias[static_cast<size_t>(weight_row)]) : 0;
      const T* x = in.data() + size(row, layer.in_features);
      const T* w = weight.data() + size(weight_row, layer.in_features);
      for (int k = 0; k < layer.in_features; k++) sum += double(gpu::to_float(x[k])) * gpu::to_float(w[k]);
      return sum;
    }

    double expected(int row, int column) const {
      double x = sum(row, column);
      if (layer.activation == Activation::Gelu) x = 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
      if (layer.activation == Activation::SwiGlu) x = x / (1 + std::exp(-x)) * sum(row, column + layer.out_features);
      if (!layer.scale) return x;
      return x * gpu::to_float(scale[static_cast<size_t>(column)]) +
             gpu::to_float(residual[size(row, layer.out_features) + static_cast<size_t>(column)]);
    }
  };

  static gpu::Gemm<T> product_of(const Operands& o, int rows) {
    gpu::Gemm<T> product;
    product.in = {o.device_in.data(), o.layer.in_features};
    product.weight = o.device_weight.data();
    product.rows = rows;
    product.in_features = o.layer.in_features;
    product.out_features = o.layer.out_features;
    product.epilogue.activation = o.layer.activation;
    product.epilogue.bias = o.layer.bias ? o.device_bias.data() : nullptr;
    product.epilogue.scale = o.layer.scale ? o.device_scale.data() : nullptr;
    return product;
  }

  // `out` came of so many rows.
  template <class Out>
  static void expect_sampled(const Operands& o, int rows, const std::vector<Out>& out, double rounding) {
    for (const auto& [row, column] : sampled_places(rows, o.layer.out_features)) {
      const double x = o.expected(row, column);
      const double got = value_of(out[Operands::size(row, o.layer.out_features) + static_cast<size_t>(column)]);
      const double bound = rounding * std::fabs(x) * 1.01 + sum_bound(o.layer.in_features);
      ASSERT_NEAR(got, x, bound) << "row " << row << ", column " << column;
    }
  }
  static double value_of(float value) { return value; }
  static double value_of(T value) { return gpu::to_float(value); }
};

using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(LayerSizes, Types);

TYPED_TEST(LayerSizes, EveryProductOfTheModelIsItsDefinition) {
  for (const Layer& layer : kLayers) {
    SCOPED_TRACE(layer.name);
    const typename TestFixture::Operands o(layer);
    for (const int rows : kRows) {
      SCOPED_TRACE(rows);
      const size_t outputs = TestFixture::Operands::size(rows, layer.out_features);
      gpu::Gemm<TypeParam> product = this->product_of(o, rows);
      if (layer.logits) {
        const DeviceArray<float> out(outputs);
        product.epilogue.out_f32 = {out.data(), layer.out_features};
        ASSERT_EQ(gpu::gemm(product, nullptr), cudaSuccess);
        ASSERT_EQ(reported(), "");
        this->expect_sampled(o, rows, out.read(), 0);
      } else {
        const auto begin = o.residual.begin();
        const DeviceArray<TypeParam> out(std::vector<TypeParam>(begin, begin + static_cast<ptrdiff_t>(outputs)));
        product.epilogue.out = {out.data(), layer.out_features};
        if (layer.scale) product.epilogue.residual = {out.data(), layer.out_features};  // in place, as the model does
        ASSERT_EQ(gpu::gemm(product, nullptr), cudaSuccess);
        ASSERT_EQ(reported(), "");
        this->expect_sampled(o, rows, out.read(), kRounding<TypeParam>);
      }
    }
  }
}

// The decoder's layers in int8: rows quantized on the GPU, some of their values outliers, and the product of what came out.
TYPED_TEST(LayerSizes, EveryInt8ProductIsExactUpToItsScales) {
  using T = TypeParam;
  for (const Layer& layer : kLayers) {
    if (layer.activation != Activation::None || layer.bias) continue;
    SCOPED_TRACE(layer.name);
    const int k = layer.in_features, n = layer.out_features;
    const auto size = [](int rows, int cols) { return static_cast<size_t>(rows) * static_cast<size_t>(cols); };
    std::vector<T> in = uniform_values<T>(size(kRows.back(), k), 1, 1);
    for (size_t i = 5; i < in.size(); i += static_cast<size_t>(k / 3)) in[i] = gpu::from_float<T>(7.5f);
    std::vector<int8_t> weights(size(n, k));
    uint64_t state = 2;
    for (int8_t& weight : weights) weight = static_cast<int8_t>(static_cast<int>(split_mix(state) % 255) - 127);
    std::vector<float> weight_scales(static_cast<size_t>(n));
    const float least = 1 / (512 * std::sqrt(static_cast<float>(k)));  // so that results are of order 1
    for (float& scale : weight_scales) scale = least * static_cast<float>(1 + split_mix(state) % 16);
    const DeviceArray<T> device_in(in);
    const DeviceArray<int8_t> device_weights(weights), values(in.size());
    const DeviceArray<float> device_weight_scales(weight_scales), scales(static_cast<size_t>(kRows.back()));
    const DeviceArray<gpu::Outlier> outliers(size(kRows.back(), gpu::kMostOutliers));
    const DeviceArray<int> counts(static_cast<size_t>(kRows.back()));
    const gpu::QuantizedRows quantized{{values.data(), k}, scales.data(), outliers.data(), counts.data()};
    ASSERT_EQ(gpu::quantize_rows<T>(quantized, {device_in.data(), k}, kRows.back(), k, nullptr), cudaSuccess);
    ASSERT_EQ(reported(), "");
    const std::vector<int8_t> bytes = values.read();
    const std::vector<float> row_scales = scales.read();
    const std::vector<int> outlier_counts = counts.read();

    for (const int rows : kRows) {
      SCOPED_TRACE(rows);
      const DeviceArray<float> out(size(rows, n));
      gpu::Int8Gemm<T> product;
      product.in = quantized;
      product.weights = {device_weights.data(), device_weight_scales.data(), k};
      product.epilogue.out_f32 = {out.data(), n};
      product.rows = rows;
      product.out_features = n;
      ASSERT_EQ(gpu::int8_gemm(product, nullptr), cudaSuccess);
      ASSERT_EQ(reported(), "");
      const std::vector<float> got = out.read();
      for (const auto& [row, column] : sampled_places(rows, n)) {
        const int8_t* w = weights.data() + size(column, k);
        int64_t sum = 0;
        for (int c = 0; c < k; c++) sum += bytes[size(row, k) + static_cast<size_t>(c)] * w[c];
        double expected = static_cast<double>(sum) * row_scales[static_cast<size_t>(row)];
        const int count = outlier_counts[static_cast<size_t>(row)];
        const auto apart = outliers.read(size(row, gpu::kMostOutliers), static_cast<size_t>(count));
        ASSERT_GT(apart.size(), 0u);
        for (const gpu::Outlier& outlier : apart) expected += static_cast<double>(outlier.value) * w[outlier.column];
        expected *= weight_scales[static_cast<size_t>(column)];
        // f32: the scales' products, and the outliers one after the other.
        ASSERT_NEAR(got[size(row, n) + static_cast<size_t>(column)], expected, 1e-5 * std::fabs(expected) + 1e-5)
            << "row " << row << ", column " << column;
      }
    }
  }
}

}  // namespace
