#include "head_norm.h"

#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

struct Shape {
  int rows;
  int heads;
  int kv_heads;
  int head_dim;
};

// Of Qwen3 (128), of every other size that attention has, of lanes without a part (96), of a block that is not full.
const Shape kShapes[] = {{3, 4, 2, 128}, {5, 3, 1, 64}, {1, 2, 2, 32}, {2, 2, 1, 96}, {2, 1, 1, 256}, {7, 16, 8, 128}};

template <class T>
class HeadNormTest : public testing::Test {
 protected:
  static constexpr float kEps = 1e-6f;
  static constexpr int kLayer = 1, kCapacity = 12;

  static int position(int row) { return (row * 5 + 2) % kCapacity; }

  // What it makes of the rows, and of two layers of a cache that begin as 77.
  struct Result {
    std::vector<T> out, cache;
  };

  struct Operands {
    explicit Operands(const Shape& s)
        : qkv(random_values<T>(static_cast<size_t>(s.rows * (s.heads + 2 * s.kv_heads) * s.head_dim), 1, 3)),
          q_weight(random_values<T>(static_cast<size_t>(s.head_dim), 2, 0.3, 1)),
          k_weight(random_values<T>(static_cast<size_t>(s.head_dim), 3, 0.3, 1)),
          table(static_cast<size_t>(kCapacity * s.head_dim)) {
      for (size_t i = 0; i < table.size(); i++) table[i] = std::sin(static_cast<float>(i));
    }
    std::vector<T> qkv, q_weight, k_weight;
    std::vector<float> table;
  };

  // Rows [first, first + count) of the operands.
  static Result run(const Shape& s, const Operands& o, int first, int count) {
    const int width = (s.heads + 2 * s.kv_heads) * s.head_dim;
    const auto begin = o.qkv.begin() + static_cast<std::ptrdiff_t>(first) * width;
    const DeviceArray<T> qkv(std::vector<T>(begin, begin + static_cast<std::ptrdiff_t>(count) * width));
    const DeviceArray<T> q_weight(o.q_weight), k_weight(o.k_weight);
    const DeviceArray<float> table(o.table);
    const int64_t head_stride = kCapacity * s.head_dim, layer_stride = 2 * s.kv_heads * head_stride;
    const DeviceArray<T> cache(to_storage<T>(std::vector<double>(static_cast<size_t>(2 * layer_stride), 77)));
    std::vector<gpu::CacheSlot<T>> slots;
    for (int row = first; row < first + count; row++) {
      T* key = cache.data() + position(row) * s.head_dim;
      slots.push_back({key, key + s.kv_heads * head_stride, head_stride, layer_stride, position(row)});
    }
    const DeviceArray<gpu::CacheSlot<T>> device_slots(slots);
    const gpu::RopeTarget<T> rope{device_slots.data(), table.data(), s.heads, s.kv_heads, s.head_dim, kLayer};
    EXPECT_EQ(gpu::normalize_and_turn<T>({{qkv.data(), width}, q_weight.data(), k_weight.data(), kEps, rope, count}, nullptr),
              cudaSuccess);
    EXPECT_EQ(reported(), "");
    return {qkv.read(), cache.read()};
  }

  // A head as it must come out, in float64.
  static std::vector<double> expected_head(const Shape& s, const Operands& o, int row, int head) {
    const auto d = static_cast<size_t>(s.head_dim);
    const size_t first = (static_cast<size_t>(row) * static_cast<size_t>(s.heads + 2 * s.kv_heads) + static_cast<size_t>(head)) * d;
    std::vector<double> x = exact(
        std::vector<T>(o.qkv.begin() + static_cast<std::ptrdiff_t>(first), o.qkv.begin() + static_cast<std::ptrdiff_t>(first + d)));
    if (head >= s.heads + s.kv_heads) return x;
    double squares = 0;
    for (const double value : x) squares += value * value / static_cast<double>(d);
    const std::vector<double> weight = exact(head < s.heads ? o.q_weight : o.k_weight);
    for (size_t i = 0; i < d; i++) x[i] *= weight[i] / std::sqrt(squares + static_cast<double>(kEps));
    const float* angles = o.table.data() + static_cast<size_t>(position(row)) * d;
    std::vector<double> turned(d);
    for (size_t i = 0; i < d; i++) {
      const double partner = i < d / 2 ? -x[i + d / 2] : x[i - d / 2];
      turned[i] = x[i] * static_cast<double>(angles[i % (d / 2)]) + partner * static_cast<double>(angles[d / 2 + i % (d / 2)]);
    }
    return turned;
  }
};

using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(HeadNormTest, Types);

TYPED_TEST(HeadNormTest, NormalizesTurnsAndStores) {
  for (const Shape& s : kShapes) {
    SCOPED_TRACE("head size " + std::to_string(s.head_dim));
    const typename TestFixture::Operands operands(s);
    const auto got = this->run(s, operands, 0, s.rows);
    const std::vector<double> out = exact(got.out), cache = exact(got.cache);
    const int all = s.heads + 2 * s.kv_heads;
    size_t in_cache = 0;
    for (int row = 0; row < s.rows; row++) {
      for (int head = 0; head < all; head++) {
        const std::vector<double> expected = this->expected_head(s, operands, row, head);
        const int place = this->kLayer * 2 * s.kv_heads + head - s.heads;  // of the heads in the cache
        for (int i = 0; i < s.head_dim; i++) {
          const size_t at = head < s.heads ? static_cast<size_t>((row * all + head) * s.head_dim + i)
                                           : static_cast<size_t>((place * this->kCapacity + this->position(row)) * s.head_dim + i);
          // Two roundings of each of the pair, and one of the result.
          const double bound = kRounding<TypeParam> * 9;
          ASSERT_NEAR((head < s.heads ? out : cache)[at], expected[static_cast<size_t>(i)], bound)
              << row << ", " << head << ", " << i;
          in_cache += head >= s.heads;
        }
      }
    }
    EXPECT_EQ(static_cast<size_t>(std::count(cache.begin(), cache.end(), 77.0)), cache.size() - in_cache);
  }
}

TYPED_TEST(HeadNormTest, ARowIsTheSameBitsInEveryCompany) {
  const Shape s{9, 4, 2, 64};
  const typename TestFixture::Operands operands(s);
  const auto together = this->run(s, operands, 0, s.rows);
  const size_t width = together.out.size() / static_cast<size_t>(s.rows);
  for (const int row : {0, 4, 8}) {
    const auto alone = this->run(s, operands, row, 1);
    for (size_t i = 0; i < static_cast<size_t>(s.heads * s.head_dim); i++) {
      ASSERT_EQ(alone.out[i].bits, together.out[static_cast<size_t>(row) * width + i].bits) << row << ", " << i;
    }
  }
}

}  // namespace
