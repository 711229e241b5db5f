#include "rope.h"

#include "tests/kernel_test.h"

namespace {

using namespace kernel_test;

template <class T>
class Rope : public testing::Test {
 protected:
  // Rows at scattered positions of one cache; what is not written stays unwritten.
  static void check(const gpu::RopeShape& shape, const std::vector<int>& positions, int padding) {
    const int d = shape.head_dim;
    const int width = (shape.heads + 2 * shape.kv_heads) * d;
    const int stride = width + padding;
    const auto rows = positions.size();
    constexpr int kContext = 64;
    std::vector<float> table(static_cast<size_t>(kContext * d));
    for (int t = 0; t < kContext; t++) {
      for (int i = 0; i < d / 2; i++) {
        const double angle = t * std::pow(5e6, -2.0 * i / d);
        table[static_cast<size_t>(t * d + i)] = static_cast<float>(std::cos(angle));
        table[static_cast<size_t>(t * d + d / 2 + i)] = static_cast<float>(std::sin(angle));
      }
    }
    const auto values = random_values<T>(rows * static_cast<size_t>(stride), 1);
    const DeviceArray<T> qkv(values);
    const DeviceArray<float> device_table(table);
    const auto cache_size = static_cast<size_t>(shape.kv_heads * shape.kv_head_stride);
    const DeviceArray<T> k(cache_size);
    const DeviceArray<T> v(cache_size);
    std::vector<gpu::CacheSlot<T>> slots;
    for (int position : positions) {
      slots.push_back({k.data() + position * d, v.data() + position * d, position});
    }
    const DeviceArray<gpu::CacheSlot<T>> device_slots(slots);
    ASSERT_EQ(gpu::rope_and_store<T>({qkv.data(), stride}, device_table.data(), device_slots.data(),
                                     static_cast<int64_t>(rows), shape, nullptr),
              cudaSuccess);
    ASSERT_EQ(reported(), "");

    const std::vector<double> before = exact(values);
    const std::vector<double> turned = exact(qkv.read());
    const std::vector<double> keys = exact(k.read());
    const std::vector<double> cached_values = exact(v.read());
    for (size_t r = 0; r < rows; r++) {
      for (int head = 0; head < shape.heads + 2 * shape.kv_heads; head++) {
        const int kv = head - shape.heads;
        for (int i = 0; i < d; i++) {
          const double* x = before.data() + r * static_cast<size_t>(stride) + head * d;
          const float* angles = table.data() + positions[r] * d;
          const int pair = i % (d / 2);
          const double sign = i < d / 2 ? -1 : 1;
          const double expected = x[i] * angles[pair] + sign * x[(i + d / 2) % d] * angles[d / 2 + pair];
          const double bound = kRounding<T> * std::fabs(expected) * 1.01 + 1e-6;
          if (kv < 0) {
            ASSERT_NEAR(turned[r * static_cast<size_t>(stride) + static_cast<size_t>(head * d + i)], expected, bound);
          } else if (kv < shape.kv_heads) {
            ASSERT_NEAR(keys[static_cast<size_t>(kv * shape.kv_head_stride + positions[r] * d + i)], expected, bound);
          } else {
            const auto at = (kv - shape.kv_heads) * shape.kv_head_stride + positions[r] * d + i;
            ASSERT_EQ(cached_values[static_cast<size_t>(at)], x[i]);
          }
        }
      }
    }
  }
};

using Types = testing::Types<gpu::bf16, gpu::f16>;
TYPED_TEST_SUITE(Rope, Types);

TYPED_TEST(Rope, QueriesTurnInPlaceKeysAndValuesGoToTheirSlots) {
  this->check({7, 1, 128, 64 * 128}, {0, 5, 63}, 0);
  this->check({4, 2, 64, 64 * 64}, {1}, 8);
  this->check({1, 1, 16, 64 * 16}, {62, 3}, 0);
  this->check({56, 8, 128, 64 * 128}, {40}, 0);
}

}  // namespace
