#include "adapters.h"

#include "gemm.h"
#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

// An adapter's share in a layer, on the device.
template <class T>
struct Share {
  int pairs, rank, in_features, outputs;
  std::vector<T> down, up;
  std::vector<float> scales;
  std::vector<int> pair_of;
  DeviceArray<T> device_down, device_up;
  DeviceArray<float> device_scales;
  DeviceArray<int> device_pair_of;

  // Outputs take their pairs in turns, and some none.
  Share(int pairs_, int rank_, int in, int out, uint64_t seed)
      : pairs(pairs_),
        rank(rank_),
        in_features(in),
        outputs(out),
        down(random_values<T>(static_cast<size_t>(pairs * rank * in), seed, 1 / std::sqrt(in))),
        up(random_values<T>(static_cast<size_t>(out * rank), seed + 1)),
        scales(static_cast<size_t>(pairs * rank), 1.5f),
        pair_of(pairs_of(out, pairs)),
        device_down(down),
        device_up(up),
        device_scales(scales),
        device_pair_of(pair_of) {}

  static std::vector<int> pairs_of(int outputs, int pairs) {
    std::vector<int> all;
    for (int i = 0; i < outputs; i++) all.push_back(i % (pairs + 1) - 1);
    return all;
  }
  gpu::AddedRows<T> of(int64_t row, int64_t rows, float weight, int64_t first) const {
    return {row,   rows, device_down.data(), device_scales.data(),  weight,
            pairs, rank, device_up.data(),   device_pair_of.data(), first};
  }
  double u(const T* x, int at, float weight) const {
    double sum = 0;
    for (int k = 0; k < in_features; k++) {
      sum += static_cast<double>(gpu::to_float(x[k])) * gpu::to_float(down[static_cast<size_t>(at * in_features + k)]);
    }
    return sum * static_cast<double>(scales[static_cast<size_t>(at)] * weight);
  }
  double added(const T* x, int output, float weight) const {
    const int pair = pair_of[static_cast<size_t>(output)];
    double sum = 0;
    for (int i = 0; pair >= 0 && i < rank; i++) {
      sum += u(x, pair * rank + i, weight) * gpu::to_float(up[static_cast<size_t>(output * rank + i)]);
    }
    return sum;
  }
};

template <class T>
class AdaptersTest : public testing::Test {};
using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(AdaptersTest, Types);

// Entries of different sizes, in one launch, for a product of few rows and of some.
TYPED_TEST(AdaptersTest, AddToTheSumsOfTheirRows) {
  using T = TypeParam;
  constexpr int kIn = 2120, kOut = 44;
  for (const int rows : {5, 30}) {
    const std::vector<T> in = random_values<T>(static_cast<size_t>(rows * kIn), 1),
                         weight = random_values<T>(kOut * kIn, 2, 1 / std::sqrt(kIn));
    const Share<T> one(3, 16, kIn, kOut, 3), other(1, 8, kIn, kOut, 5);
    const DeviceArray<T> device_in(in), device_weight(weight);
    const int last = rows - 2;
    const DeviceArray<gpu::AddedRows<T>> entries(
        std::vector<gpu::AddedRows<T>>{one.of(1, last, 0.5f, 0), other.of(2, 2, -1, last * 48)});
    const DeviceArray<float> u(static_cast<size_t>(last * 48 + 2 * 8)), out(static_cast<size_t>(rows * kOut));
    const gpu::Added<T> added{entries.data(), 2, u.data()};
    ASSERT_EQ(gpu::low_rank<T>({{device_in.data(), kIn}, added, last, 48, kIn}, nullptr), cudaSuccess);
    gpu::Gemm<T> product{{device_in.data(), kIn}, device_weight.data(), {}, rows, kIn, kOut};
    product.epilogue.out_f32 = {out.data(), kOut};
    product.epilogue.added = added;
    ASSERT_EQ(gpu::gemm(product, nullptr), cudaSuccess);
    ASSERT_EQ(reported(), "");
    const std::vector<float> got = out.read(), got_u = u.read();
    for (int i = 0; i < last * 48; i++) {
      ASSERT_NEAR(got_u[static_cast<size_t>(i)], one.u(in.data() + (1 + i / 48) * kIn, i % 48, 0.5f), 1e-4) << i;
    }
    for (int row = 0; row < rows; row++) {
      const T* x = in.data() + row * kIn;
      for (int column = 0; column < kOut; column++) {
        double expected = 0;
        for (int k = 0; k < kIn; k++) {
          expected += static_cast<double>(gpu::to_float(x[k])) * gpu::to_float(weight[static_cast<size_t>(column * kIn + k)]);
        }
        if (1 <= row && row <= last) expected += one.added(x, column, 0.5f);
        if (row == 2 || row == 3) expected += other.added(x, column, -1);
        ASSERT_NEAR(got[static_cast<size_t>(row * kOut + column)], expected, 2e-4) << row << ", " << column;
      }
    }
  }
}

}  // namespace
