// Every operation of the CPU backend, in every kernel variant that runs here, against the double-precision reference; and
// the promise of backend.h that a row's bits depend on nothing but that row.
#include "cpu/cpu_backend.h"

#include "cpu/int8_weights.h"

#include <sys/mman.h>
#include <unistd.h>

#include "backend/reference_backend.h"
#include "cpu/operands.h"
#include "cpu/variants.h"

namespace ivl::cpu {
namespace {

using testing::HostValues;
using testing::Operand;
using testing::ReferenceBackend;
using testing::relative_error;
using testing::same_bits;

constexpr double kTolerance = 2e-6;  // f32 sums in another order than the reference's doubles

class CpuOperations : public ::testing::TestWithParam<const KernelTable*> {
 protected:
  CpuBackend backend(int threads = 2) const { return CpuBackend({.threads = threads, .kernels = GetParam()}); }
  ReferenceBackend reference_;
};

std::string variant_name(const ::testing::TestParamInfo<const KernelTable*>& info) {
  std::string name = info.param->name;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(Variants, CpuOperations, ::testing::ValuesIn(kernel_variants()), variant_name);

struct Product {
  int64_t m, n, k;
};
const Product kProducts[] = {{1, 1, 1},     {1, 5, 7},      {1, 130, 1100}, {2, 9, 16},    {3, 3, 31},    {4, 49, 513},
                             {5, 97, 2050}, {8, 64, 1024},  {67, 50, 515},  {100, 96, 64}, {130, 7, 1537}, {200, 101, 40}};

TEST_P(CpuOperations, ProductsMatchTheReferenceInEveryWeightType) {
  CpuBackend cpu = backend();
  for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
    for (const Product& p : kProducts) {
      HostValues weight({p.n, p.k}, type, 2);
      HostValues bias({p.n}, type, 3);
      const LinearSource source{{weight.tensor()}, {bias.tensor()}};
      Operand in(p.m, p.k, 3, 4);
      Operand expected(p.m, p.n);
      Operand actual(p.m, p.n, 5);
      reference_.matmul(expected.matrix(), in.matrix(), *reference_.linear(source, type), {});
      cpu.matmul(actual.matrix(), in.matrix(), *cpu.linear(source, type), {});
      EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance)
          << p.m << "x" << p.n << "x" << p.k << " " << name_of(type);
    }
  }
}

CpuBackend rounding(const KernelTable* kernels, int threads = 2) {
  return CpuBackend({.threads = threads, .bf16_activations = true, .kernels = kernels});
}

TEST_P(CpuOperations, ProductsOfRoundedActivationsMatchTheReference) {
  CpuBackend cpu = rounding(GetParam());
  for (const Product& p : kProducts) {
    HostValues weight({p.n, p.k}, DType::BF16, 2), bias({p.n}, DType::BF16, 3);
    const LinearSource source{{weight.tensor()}, {bias.tensor()}};
    Operand in(p.m, p.k, 3, 4), rounded = in, expected(p.m, p.n), actual(p.m, p.n, 5);
    for (float& x : rounded.values()) {
      uint16_t bits = 0;
      store_f32(&bits, DType::BF16, 0, x);
      x = load_f32(&bits, DType::BF16, 0);
    }
    reference_.matmul(expected.matrix(), rounded.matrix(), *reference_.linear(source, DType::BF16), {});
    cpu.matmul(actual.matrix(), in.matrix(), *cpu.linear(source, DType::BF16), {});
    EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance) << p.m << "x" << p.n << "x" << p.k;
  }
}

TEST_P(CpuOperations, OnlyWhatIsMultipliedWithBf16IsRounded) {
  CpuBackend exact = backend(), cpu = rounding(GetParam());
  for (const auto& [type, int8] : std::vector<std::pair<DType, bool>>{{DType::F32, false}, {DType::F16, false}, {DType::BF16, true}}) {
    HostValues weight({33, 100}, type, 2);
    const LinearSource source{{weight.tensor()}, {}, int8};
    Operand in(5, 100), expected(5, 33), actual(5, 33);
    exact.matmul(expected.matrix(), in.matrix(), *exact.linear(source, type), {});
    cpu.matmul(actual.matrix(), in.matrix(), *cpu.linear(source, type), {});
    EXPECT_TRUE(same_bits(actual.matrix(), expected.matrix())) << name_of(type);
  }
}

// Activations with outliers in different columns of each row, and one row with more than are kept apart.
Operand with_outliers(int64_t rows, int64_t cols, uint32_t seed) {
  Operand in(rows, cols, 3, seed);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < row % 4; ++i) in.at(row, (row * 31 + i * 57) % cols) = i % 2 == 0 ? 40.0f : -7.5f;
  }
  for (int64_t col = 0; rows > 2 && col < cols; ++col) in.at(2, col) *= 9;
  return in;
}

TEST_P(CpuOperations, ProductsInInt8MatchTheReference) {
  CpuBackend cpu = backend();
  for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
    for (const Product& p : kProducts) {
      HostValues weight({p.n, p.k}, type, 2), bias({p.n}, type, 3);
      const LinearSource source{{weight.tensor()}, {bias.tensor()}, true};
      Operand in = with_outliers(p.m, p.k, 4);
      Operand expected(p.m, p.n), actual(p.m, p.n, 5);
      reference_.matmul(expected.matrix(), in.matrix(), *reference_.linear(source, DType::BF16), {});
      cpu.matmul(actual.matrix(), in.matrix(), *cpu.linear(source, DType::BF16), {});
      EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance)
          << p.m << "x" << p.n << "x" << p.k << " " << name_of(type);
    }
  }
}

TEST_P(CpuOperations, ARowOfAnInt8ProductHasTheSameBitsInAnyCompany) {
  CpuBackend one = backend(1);
  for (const int64_t k : {40, 515, 9000}) {
    HostValues gate({101, k}, DType::BF16, 2), up({101, k}, DType::BF16, 3);
    const auto weights = one.linear({{gate.tensor(), up.tensor()}, {}, true}, DType::BF16);
    const Epilogue swiglu{Activation::SwiGlu, nullptr, nullptr};
    Operand in = with_outliers(203, k, 5);
    Operand alone(203, 101);
    for (int64_t row = 0; row < 203; ++row) {
      one.matmul(alone.matrix().row_range(row, 1), in.matrix().row_range(row, 1), *weights, swiglu);
    }
    for (const int threads : {1, 3}) {
      CpuBackend many = backend(threads);
      for (const int64_t rows : {2, 5, 67, 203}) {
        Operand together(rows, 101);
        many.matmul(together.matrix(), in.matrix().row_range(0, rows), *weights, swiglu);
        EXPECT_TRUE(same_bits(together.matrix(), alone.matrix().row_range(0, rows))) << rows << " rows, k " << k;
      }
    }
  }
}

TEST_P(CpuOperations, ExtremeInt8ProductsAreExactAndFinite) {
  CpuBackend cpu = backend();
  // Every product as large as it can be: the sum in int32 must hold kInt8MostInputs of them.
  HostValues weight({3, kInt8MostInputs}, DType::F32, 1, 0);
  const auto constant = [&](float value) {
    std::vector<float> values(static_cast<size_t>(3 * kInt8MostInputs), value);
    return values;
  };
  for (const float sign : {1.0f, -1.0f}) {
    const std::vector<float> ones = constant(sign);
    const HostTensor tensor{ones.data(), DType::F32, {3, kInt8MostInputs}};
    Operand in(1, kInt8MostInputs), out(1, 3);
    for (float& x : in.values()) x = 5.0f;
    cpu.matmul(out.matrix(), in.matrix(), *cpu.linear({{tensor}, {}, true}, DType::F32), {});
    for (const float y : out.values()) EXPECT_NEAR(y, sign * 5.0f * static_cast<float>(kInt8MostInputs), 0.1f);
    for (float& x : in.values()) x = 0;
    cpu.matmul(out.matrix(), in.matrix(), *cpu.linear({{tensor}, {}, true}, DType::F32), {});
    for (const float y : out.values()) EXPECT_EQ(y, 0.0f);
  }
  const HostTensor wide{nullptr, DType::F32, {1, kInt8MostInputs + 1}};
  EXPECT_THROW(cpu.linear({{wide}, {}, true}, DType::F32), Error);
  // A weight of zeros has scale zero.
  Operand in(1, kInt8MostInputs), out(1, 3);
  cpu.matmul(out.matrix(), in.matrix(), *cpu.linear({{weight.tensor()}, {}, true}, DType::F32), {});
  for (const float y : out.values()) EXPECT_EQ(y, 0.0f);
}

TEST_P(CpuOperations, NaNReachesItsRowOfAnInt8ProductAndNoOther) {
  CpuBackend cpu = backend();
  HostValues weight({20, 600}, DType::BF16, 1);
  Operand in(9, 600), out(9, 20);
  in.at(4, 599) = std::nanf("");
  cpu.matmul(out.matrix(), in.matrix(), *cpu.linear({{weight.tensor()}, {}, true}, DType::BF16), {});
  for (int64_t row = 0; row < 9; ++row) {
    for (int64_t col = 0; col < 20; ++col) EXPECT_EQ(std::isnan(out.at(row, col)), row == 4);
  }
}

TEST_P(CpuOperations, WeightsThatAreInt8AlreadyGiveTheSameBits) {
  CpuBackend cpu = backend();
  ThreadPool pool(1);
  for (const int64_t k : {64, 100}) {
    HostValues weight({7, k}, DType::BF16, 1);
    const Int8Weights made = int8_weights(weight.tensor(), DType::BF16, *GetParam(), pool);
    std::vector<int8_t> dense;
    for (int64_t row = 0; row < 7; ++row) {
      dense.insert(dense.end(), made.values + row * made.stride, made.values + row * made.stride + k);
    }
    const HostTensor stored{dense.data(), DType::BF16, {7, k}, made.scales, made.sums};
    Operand in(3, k), expected(3, 7), actual(3, 7);
    cpu.matmul(expected.matrix(), in.matrix(), *cpu.linear({{weight.tensor()}, {}, true}, DType::BF16), {});
    cpu.matmul(actual.matrix(), in.matrix(), *cpu.linear({{stored}, {}, true}, DType::BF16), {});
    EXPECT_TRUE(same_bits(actual.matrix(), expected.matrix()));
  }
}

TEST_P(CpuOperations, EpiloguesMatchTheReference) {
  CpuBackend cpu = backend();
  for (const int64_t n : {1, 8, 47, 96, 150}) {
    const int64_t m = 5;
    const int64_t k = 40;
    HostValues gate({n, k}, DType::BF16, 1), up({n, k}, DType::BF16, 2), gate_bias({n}, DType::BF16, 3),
        up_bias({n}, DType::BF16, 4), scale({n}, DType::F32, 5);
    const LinearSource one{{gate.tensor()}, {gate_bias.tensor()}};
    const LinearSource two{{gate.tensor(), up.tensor()}, {gate_bias.tensor(), up_bias.tensor()}};
    const auto cpu_scale = cpu.vector(scale.tensor(), DType::F32);
    const auto reference_scale = reference_.vector(scale.tensor(), DType::F32);
    for (const Activation activation : {Activation::None, Activation::Gelu, Activation::SwiGlu}) {
      const LinearSource& source = activation == Activation::SwiGlu ? two : one;
      Operand in(m, k, 0, 6);
      Operand expected(m, n, 0, 7);
      Operand actual(m, n, 0, 7);  // also the residual, in place
      const Matrix expected_matrix = expected.matrix();
      const Matrix actual_matrix = actual.matrix();
      reference_.matmul(expected_matrix, in.matrix(), *reference_.linear(source, DType::BF16),
                        {activation, reference_scale.get(), &expected_matrix});
      cpu.matmul(actual_matrix, in.matrix(), *cpu.linear(source, DType::BF16),
                 {activation, cpu_scale.get(), &actual_matrix});
      EXPECT_LT(relative_error(actual_matrix, expected_matrix), kTolerance) << n << " " << static_cast<int>(activation);
    }
  }
}

TEST_P(CpuOperations, StackedWeightsOfUnequalSizesMatchTheReference) {
  CpuBackend cpu = backend();
  HostValues q({70, 33}, DType::F16, 1), k({10, 33}, DType::F16, 2), v({10, 33}, DType::F16, 3);
  const LinearSource source{{q.tensor(), k.tensor(), v.tensor()}, {}};
  Operand in(6, 33), expected(6, 90), actual(6, 90);
  reference_.matmul(expected.matrix(), in.matrix(), *reference_.linear(source, DType::F16), {});
  cpu.matmul(actual.matrix(), in.matrix(), *cpu.linear(source, DType::F16), {});
  EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance);
}

TEST_P(CpuOperations, WeightsAreConvertedWhenAnotherTypeIsWanted) {
  CpuBackend cpu = backend();
  for (const DType stored : {DType::F32, DType::BF16, DType::F16}) {
    for (const DType wanted : {DType::F32, DType::BF16, DType::F16}) {
      HostValues weight({20, 100}, stored, 1);
      const LinearSource source{{weight.tensor()}, {}};
      Operand in(3, 100), expected(3, 20), actual(3, 20);
      reference_.matmul(expected.matrix(), in.matrix(), *reference_.linear(source, wanted), {});
      cpu.matmul(actual.matrix(), in.matrix(), *cpu.linear(source, wanted), {});
      EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance) << name_of(stored) << name_of(wanted);
    }
  }
}

TEST_P(CpuOperations, NormsMatchTheReference) {
  CpuBackend cpu = backend();
  for (const int64_t n : {1, 7, 16, 65, 256, 1000}) {
    for (const NormKind kind : {NormKind::RmsNorm, NormKind::LayerNorm}) {
      HostValues weight({n}, DType::BF16, 1), bias({n}, DType::BF16, 2);
      const auto make = [&](Backend& b) {
        NormWeights w{kind, 1e-5f, b.vector(weight.tensor(), DType::BF16), nullptr};
        if (kind == NormKind::LayerNorm) w.bias = b.vector(bias.tensor(), DType::BF16);
        return w;
      };
      Operand in(3, n, 9, 3), expected(3, n), actual(3, n, 2);
      reference_.norm(expected.matrix(), in.matrix(), make(reference_));
      cpu.norm(actual.matrix(), in.matrix(), make(cpu));
      EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), n == 1 ? 1e-4 : kTolerance) << n;
    }
  }
}

TEST_P(CpuOperations, ANormInPlaceTouchesItsColumnsOnly) {
  CpuBackend cpu = backend();
  HostValues weight({24}, DType::F32, 1);
  const NormWeights norm{NormKind::RmsNorm, 1e-6f, cpu.vector(weight.tensor(), DType::F32), nullptr};
  Operand qkv(4, 72), before(4, 72);
  const Matrix k = qkv.matrix().col_range(24, 24);
  cpu.norm(k, k, norm);
  EXPECT_TRUE(same_bits(qkv.matrix().col_range(0, 24), before.matrix().col_range(0, 24)));
  EXPECT_FALSE(same_bits(k, before.matrix().col_range(24, 24)));
  EXPECT_TRUE(same_bits(qkv.matrix().col_range(48, 24), before.matrix().col_range(48, 24)));
}

TEST_P(CpuOperations, VisionAttentionMatchesTheReference) {
  CpuBackend cpu = backend();
  for (const auto& [pictures, tokens, heads, head_dim] :
       std::vector<std::array<int64_t, 4>>{{1, 1, 1, 8}, {2, 17, 2, 24}, {1, 65, 2, 128}, {3, 50, 3, 64}, {1, 257, 1, 40}}) {
    const int64_t width = heads * head_dim;
    Operand qkv(pictures * tokens, 3 * width, 0, 1, 2), expected(pictures * tokens, width), actual(pictures * tokens, width);
    reference_.vision_attention(expected.matrix(), qkv.matrix(), pictures, heads, head_dim);
    cpu.vision_attention(actual.matrix(), qkv.matrix(), pictures, heads, head_dim);
    EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance) << tokens << " " << head_dim;
  }
}

// A sequence's cache filled at random behind `past` tokens.
KvCache filled_cache(Backend& backend, const KvShape& shape, int64_t capacity) {
  KvCache cache;
  cache.capacity = capacity;
  const int64_t heads = 2 * shape.layers * shape.kv_heads;
  cache.memory = backend.allocate(static_cast<size_t>(capacity) * shape.bytes_per_token());
  Operand values(heads * capacity, shape.head_dim, 0, 11);
  if (shape.type != KvType::Int8) {
    backend.from_host(cache.memory.matrix(float_type_of(shape.type), heads * capacity, shape.head_dim), values.values().data());
    return cache;
  }
  const KernelTable& kernels = kernels_of(Isa::Plain);
  auto* rows = static_cast<int8_t*>(cache.memory.data());
  for (int64_t head = 0; head < heads; ++head, rows += capacity * (shape.head_dim + 4)) {
    auto* scales = reinterpret_cast<float*>(rows + capacity * shape.head_dim);
    for (int64_t t = 0; t < capacity; ++t) {
      kernels.narrow_to_int8(rows + t * shape.head_dim, scales + t, &values.at(head * capacity + t, 0), shape.head_dim);
    }
  }
  return cache;
}

constexpr KvType kKvTypes[] = {KvType::F32, KvType::BF16, KvType::F16, KvType::Int8};

// A row of a cache as f32.
std::vector<float> cached_row(const KvCache& cache, const KvShape& shape, int64_t head, int64_t token) {
  const auto capacity = static_cast<size_t>(cache.capacity);
  const char* rows = static_cast<const char*>(cache.memory.data()) +
                     static_cast<size_t>(head) * capacity * (shape.row_bytes() + shape.scale_bytes());
  const char* row = rows + static_cast<size_t>(token) * shape.row_bytes();
  std::vector<float> values(static_cast<size_t>(shape.head_dim));
  const float scale =
      shape.type == KvType::Int8 ? load_f32(rows + capacity * shape.row_bytes(), DType::F32, static_cast<size_t>(token)) : 1;
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = shape.type == KvType::Int8 ? scale * static_cast<float>(static_cast<signed char>(row[i]))
                                           : load_f32(row, float_type_of(shape.type), i);
  }
  return values;
}

// The largest difference of two caches' numbers, relative to the largest number of their row.
float cache_error(const KvCache& a, const KvCache& b, const KvShape& shape) {
  float error = 0;
  for (int64_t head = 0; head < 2 * shape.layers * shape.kv_heads; ++head) {
    for (int64_t token = 0; token < a.capacity; ++token) {
      const std::vector<float> x = cached_row(a, shape, head, token), y = cached_row(b, shape, head, token);
      float largest = 1e-30f, difference = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        largest = std::max(largest, std::fabs(y[i]));
        difference = std::max(difference, std::fabs(x[i] - y[i]));
      }
      error = std::max(error, difference / largest);
    }
  }
  return error;
}

// From one number of the type to the next, and a little, relative to the largest of a row.
float rounding_of(KvType type) {
  switch (type) {
    case KvType::F32: return 3e-6f;
    case KvType::BF16: return 1.01f / 128;
    case KvType::F16: return 1.01f / 1024;
    case KvType::Int8: return 1.01f / 127;
  }
  return 0;
}

struct CachedCase {
  int64_t heads, kv_heads, head_dim, past, rows;
};
const CachedCase kCachedCases[] = {{1, 1, 8, 0, 1},     {2, 1, 128, 0, 70},  {7, 1, 64, 1, 3},    {8, 1, 64, 63, 5},
                                   {56, 8, 16, 64, 2},  {14, 2, 24, 255, 1}, {4, 4, 32, 130, 65}, {60, 1, 8, 5, 4},
                                   {2, 1, 128, 4094, 2}};

TEST_P(CpuOperations, CachedAttentionMatchesTheReferenceInEveryCacheType) {
  CpuBackend cpu = backend();
  for (const KvType type : kKvTypes) {
    for (const CachedCase& c : kCachedCases) {
      const KvShape shape{2, c.kv_heads, c.head_dim, type};
      KvCache expected_cache = filled_cache(reference_, shape, c.past + c.rows + 3);
      KvCache actual_cache = filled_cache(cpu, shape, c.past + c.rows + 3);
      const int64_t width = (c.heads + 2 * c.kv_heads) * c.head_dim;
      Operand rope(c.past + c.rows, c.head_dim, 0, 5);
      Operand expected_qkv(c.rows, width, 0, 7, 2), actual_qkv(c.rows, width, 0, 7, 2);
      Operand expected(c.rows, c.heads * c.head_dim), actual(c.rows, c.heads * c.head_dim);
      const Span expected_span{0, c.rows, c.past, &expected_cache};
      const Span actual_span{0, c.rows, c.past, &actual_cache};
      reference_.rope_and_store(expected_qkv.matrix(), rope.matrix(), {&expected_span, 1}, c.heads, shape, 1);
      cpu.rope_and_store(actual_qkv.matrix(), rope.matrix(), {&actual_span, 1}, c.heads, shape, 1);
      EXPECT_LT(relative_error(actual_qkv.matrix(), expected_qkv.matrix()), kTolerance);
      // A stored value on the edge between two of a narrow type's may be rounded either way. What is attended to is the same.
      ASSERT_EQ(expected_cache.memory.bytes(), actual_cache.memory.bytes());
      EXPECT_LT(cache_error(actual_cache, expected_cache, shape), rounding_of(type)) << name_of(type);
      std::memcpy(expected_cache.memory.data(), actual_cache.memory.data(), actual_cache.memory.bytes());
      reference_.cached_attention(expected.matrix(), expected_qkv.matrix(), {&expected_span, 1}, c.heads, shape, 1);
      cpu.cached_attention(actual.matrix(), actual_qkv.matrix(), {&actual_span, 1}, c.heads, shape, 1);
      EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), 3e-6)
          << c.heads << "/" << c.kv_heads << " x " << c.head_dim << " past " << c.past << " " << name_of(type);
    }
  }
}

TEST_P(CpuOperations, GatherEmbedShuffleAndPositionsAreExact) {
  CpuBackend cpu = backend();
  for (const bool swap_back : {false, true}) {
    for (const int64_t factor : {1, 2, 3}) {
      const int64_t grid = 6;
      const int64_t side = grid / factor;
      Operand in(2 * (grid * grid + 1), 10), expected(2 * side * side, 10 * factor * factor),
          actual(2 * side * side, 10 * factor * factor, 0, 9);
      reference_.pixel_shuffle(expected.matrix(), in.matrix(), 2, grid, factor, swap_back);
      cpu.pixel_shuffle(actual.matrix(), in.matrix(), 2, grid, factor, swap_back);
      EXPECT_TRUE(same_bits(actual.matrix(), expected.matrix())) << factor << swap_back;
    }
  }
  HostValues table({9, 19}, DType::BF16, 1), class_embedding({19}, DType::F16, 2);
  Operand features(2, 19, 4, 3), expected(4, 19), actual(4, 19, 1, 9), patches(6, 19), positions(4, 19);
  const std::vector<int32_t> ids{8, 0, 0, 3};
  const Splice splice{1, features.matrix()};
  reference_.embed(expected.matrix(), *reference_.table(table.tensor(), DType::BF16), ids, {&splice, 1});
  cpu.embed(actual.matrix(), *cpu.table(table.tensor(), DType::BF16), ids, {&splice, 1});
  EXPECT_TRUE(same_bits(actual.matrix(), expected.matrix()));
  const std::vector<int32_t> rows{3, 3, 1};
  Operand picked(3, 19), expected_picked(3, 19);
  cpu.gather_rows(picked.matrix(), actual.matrix(), rows);
  reference_.gather_rows(expected_picked.matrix(), expected.matrix(), rows);
  EXPECT_TRUE(same_bits(picked.matrix(), expected_picked.matrix()));
  Operand embedded(8, 19), expected_embedded(8, 19);
  cpu.add_class_and_positions(embedded.matrix(), patches.matrix(), *cpu.vector(class_embedding.tensor(), DType::F16),
                              positions.matrix(), 2);
  reference_.add_class_and_positions(expected_embedded.matrix(), patches.matrix(),
                                     *reference_.vector(class_embedding.tensor(), DType::F16), positions.matrix(), 2);
  EXPECT_TRUE(same_bits(embedded.matrix(), expected_embedded.matrix()));
}

TEST_P(CpuOperations, PatchEmbeddingIsTheConvolution) {
  CpuBackend cpu = backend();
  const PatchGeometry geometry{2, 3, 28, 14};
  HostValues weight({10, 3 * 14 * 14}, DType::BF16, 1), bias({10}, DType::BF16, 2);
  const LinearSource source{{weight.tensor()}, {bias.tensor()}};
  Operand pixels(2, 3 * 28 * 28), expected(8, 10), actual(8, 10);
  reference_.patch_embed(expected.matrix(), pixels.matrix(), *reference_.linear(source, DType::BF16), geometry);
  cpu.patch_embed(actual.matrix(), pixels.matrix(), *cpu.linear(source, DType::BF16), geometry);
  EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), kTolerance);
}

TEST_P(CpuOperations, NoRowsAreNoWork) {
  CpuBackend cpu = backend();
  HostValues weight({4, 8}, DType::F32, 1);
  Matrix nothing{nullptr, DType::F32, 0, 8, 8};
  cpu.matmul({nullptr, DType::F32, 0, 4, 4}, nothing, *cpu.linear({{weight.tensor()}, {}}, DType::F32), {});
  cpu.gather_rows(nothing, nothing, {});
}

// ---- the promise ------------------------------------------------------------------------------------------------------

void expect_the_same_bits_in_any_company(const KernelTable* kernels, DType type, bool rounds, int64_t k) {
  const auto backend = [&](int threads) {
    return CpuBackend({.threads = threads, .bf16_activations = rounds, .kernels = kernels});
  };
  CpuBackend one = backend(1);
  HostValues weight({101, k}, type, 2);
  const auto weights = one.linear({{weight.tensor()}, {}}, type);
  Operand in(203, k), alone(203, 101);
  for (int64_t row = 0; row < 203; ++row) {
    one.matmul(alone.matrix().row_range(row, 1), in.matrix().row_range(row, 1), *weights, {});
  }
  for (const int threads : {1, 2, 3}) {
    CpuBackend many = backend(threads);
    for (const int64_t rows : {2, 3, 8, 67, 203}) {
      Operand together(rows, 101);
      many.matmul(together.matrix(), in.matrix().row_range(0, rows), *weights, {});
      EXPECT_TRUE(same_bits(together.matrix(), alone.matrix().row_range(0, rows)))
          << rows << " rows, " << threads << " threads, k " << k << " " << name_of(type) << (rounds ? " rounded" : "");
    }
  }
}

TEST_P(CpuOperations, ARowOfAProductHasTheSameBitsInAnyCompany) {
  for (const int64_t k : {40, 515, 2100}) {
    for (const DType type : {DType::F32, DType::BF16, DType::F16}) expect_the_same_bits_in_any_company(GetParam(), type, false, k);
    expect_the_same_bits_in_any_company(GetParam(), DType::BF16, true, k);
  }
}

TEST_P(CpuOperations, WideningWeightsFirstChangesNoBits) {
  CpuBackend first({.threads = 2, .kernels = GetParam(), .widen_first = true});
  CpuBackend meanwhile({.threads = 2, .kernels = GetParam(), .widen_first = false});
  for (const DType type : {DType::BF16, DType::F16}) {
    for (const int64_t k : {40, 515, 2100}) {
      HostValues gate({103, k}, type, 2), up({103, k}, type, 3);
      const auto weights = first.linear({{gate.tensor(), up.tensor()}, {}}, type);
      Operand in(67, k, 3), expected(67, 103), actual(67, 103);
      const Epilogue swiglu{Activation::SwiGlu, nullptr, nullptr};
      meanwhile.matmul(expected.matrix(), in.matrix(), *weights, swiglu);
      first.matmul(actual.matrix(), in.matrix(), *weights, swiglu);
      EXPECT_TRUE(same_bits(actual.matrix(), expected.matrix())) << name_of(type) << ", k " << k;
    }
  }
}

TEST_P(CpuOperations, RowsOfScratchMatricesDoNotShareTheirPlacesInTheCache) {
  const CpuBackend cpu = backend();
  for (const int64_t cols : {1, 100, 1024, 2048, 5888, 7168, 20480}) {
    const int64_t stride = cpu.row_stride(cols, DType::F32);
    EXPECT_GE(stride, cols);
    EXPECT_LE(stride, cols + 16);
    EXPECT_NE(stride * 4 % 1024, 0) << cols;
  }
}

void expect_the_same_attention_however_a_prompt_is_cut(CpuBackend& one, CpuBackend& two, KvType type) {
  for (const auto& [heads, kv_heads, head_dim] : std::vector<std::array<int64_t, 3>>{{2, 1, 128}, {7, 1, 24}, {6, 2, 64}}) {
    const KvShape shape{1, kv_heads, head_dim, type};
    const int64_t tokens = 150;
    const int64_t width = (heads + 2 * kv_heads) * head_dim;
    Operand rope(tokens, head_dim, 0, 5), whole_qkv(tokens, width, 0, 7), cut_qkv(tokens, width, 0, 7);
    Operand whole(tokens, heads * head_dim), cut(tokens, heads * head_dim);
    KvCache whole_cache = filled_cache(one, shape, tokens);
    KvCache cut_cache = filled_cache(two, shape, tokens + 9);
    const Span all{0, tokens, 0, &whole_cache};
    one.rope_and_store(whole_qkv.matrix(), rope.matrix(), {&all, 1}, heads, shape, 0);
    one.cached_attention(whole.matrix(), whole_qkv.matrix(), {&all, 1}, heads, shape, 0);
    int64_t past = 0;
    for (const int64_t rows : {1, 62, 1, 3, 64, 19}) {
      if (past > 60) {  // the conversation has grown out of its cache
        KvCache larger = filled_cache(two, shape, cut_cache.capacity + 7);
        two.copy_cache(larger, cut_cache, shape, past);
        cut_cache = std::move(larger);
      }
      const Span piece{past, rows, past, &cut_cache};
      two.rope_and_store(cut_qkv.matrix(), rope.matrix(), {&piece, 1}, heads, shape, 0);
      two.cached_attention(cut.matrix(), cut_qkv.matrix(), {&piece, 1}, heads, shape, 0);
      past += rows;
    }
    EXPECT_TRUE(same_bits(cut.matrix(), whole.matrix())) << heads << "/" << kv_heads << " x " << head_dim << " " << name_of(type);
  }
}

TEST_P(CpuOperations, AttentionHasTheSameBitsHoweverAPromptIsCut) {
  CpuBackend one = backend(1);
  CpuBackend two = backend(2);
  for (const KvType type : kKvTypes) expect_the_same_attention_however_a_prompt_is_cut(one, two, type);
}

TEST_P(CpuOperations, ARowOfTheInt8CacheRoundsToNearestEvenAndKeepsWhatIsNotFinite) {
  const KernelTable& kernels = *GetParam();
  std::vector<int8_t> bytes(24);
  float scale = 0;
  std::vector<float> row(24, 0.0f);
  kernels.narrow_to_int8(bytes.data(), &scale, row.data(), 24);
  EXPECT_EQ(scale, 0.0f);
  EXPECT_EQ(bytes, std::vector<int8_t>(24));
  row = {127, -127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 63.49f, -63.51f};
  row.resize(24, 1);
  kernels.narrow_to_int8(bytes.data(), &scale, row.data(), 24);
  EXPECT_EQ(scale, 1.0f);
  std::vector<int8_t> expected{127, -127, 0, 2, 2, 0, -2, 63, -64};
  expected.resize(24, 1);
  EXPECT_EQ(bytes, expected);
  for (const float bad : {INFINITY, -INFINITY, NAN}) {
    for (const size_t at : {size_t{0}, size_t{9}, size_t{23}}) {
      std::vector<float> damaged = row;
      damaged[at] = bad;
      kernels.narrow_to_int8(bytes.data(), &scale, damaged.data(), 24);
      EXPECT_TRUE(std::isnan(scale)) << bad << " at " << at;
    }
  }
}

TEST(CpuVariants, FusedVariantsAgreeBitForBit) {
  std::vector<const KernelTable*> fused;
  for (const KernelTable* table : kernel_variants()) {
    if (std::string(table->name) != "plain") fused.push_back(table);
  }
  if (fused.size() < 2) GTEST_SKIP() << "this processor runs one variant with fused multiply-add";
  HostValues weight({75, 1300}, DType::BF16, 1), norm_weight({1300}, DType::BF16, 2);
  Operand in(11, 1300, 0, 3, 3), qkv(70, 3 * 80, 0, 4, 3);
  std::vector<Operand> products, rounded, attended, normed, cached, bytes;
  for (const KernelTable* table : fused) {
    CpuBackend cpu({.threads = 1, .kernels = table});
    products.emplace_back(11, 75);
    cpu.matmul(products.back().matrix(), in.matrix(), *cpu.linear({{weight.tensor()}, {}}, DType::BF16),
               {Activation::Gelu, nullptr, nullptr});
    CpuBackend rounds = rounding(table, 1);
    rounded.emplace_back(11, 75);
    rounds.matmul(rounded.back().matrix(), in.matrix(), *rounds.linear({{weight.tensor()}, {}}, DType::BF16), {});
    EXPECT_TRUE(same_bits(rounded.back().matrix(), rounded.front().matrix())) << table->name;
    attended.emplace_back(70, 80);
    cpu.vision_attention(attended.back().matrix(), qkv.matrix(), 1, 2, 40);
    normed.emplace_back(11, 1300);
    cpu.norm(normed.back().matrix(), in.matrix(),
             {NormKind::RmsNorm, 1e-6f, cpu.vector(norm_weight.tensor(), DType::BF16), nullptr});
    EXPECT_TRUE(same_bits(products.back().matrix(), products.front().matrix())) << table->name;
    EXPECT_TRUE(same_bits(attended.back().matrix(), attended.front().matrix())) << table->name;
    EXPECT_TRUE(same_bits(normed.back().matrix(), normed.front().matrix())) << table->name;
    const KvShape shape{1, 2, 40, KvType::Int8};
    KvCache cache = filled_cache(cpu, shape, 70);
    const Span span{0, 70, 0, &cache};
    Operand turned = qkv;
    cached.emplace_back(70, 80);
    cpu.rope_and_store(turned.matrix(), qkv.matrix().col_range(0, 40), {&span, 1}, 2, shape, 0);
    cpu.cached_attention(cached.back().matrix(), turned.matrix(), {&span, 1}, 2, shape, 0);
    EXPECT_TRUE(same_bits(cached.back().matrix(), cached.front().matrix())) << table->name;
    bytes.emplace_back(11, 75);
    cpu.matmul(bytes.back().matrix(), in.matrix(), *cpu.linear({{weight.tensor()}, {}, true}, DType::BF16), {});
    EXPECT_TRUE(same_bits(bytes.back().matrix(), bytes.front().matrix())) << table->name;
  }
}

// ---- extremes -----------------------------------------------------------------------------------------------------------

TEST_P(CpuOperations, HugeAndEqualScoresGiveFiniteAttention) {
  CpuBackend cpu = backend();
  for (const float spread : {0.0f, 1e-30f, 1e4f}) {
    Operand qkv(70, 3 * 64, 0, 1, 1), out(70, 64);
    for (int64_t row = 0; row < 70; ++row) {
      for (int64_t i = 0; i < 128; ++i) qkv.at(row, i) *= spread;  // scores up to 1e9
    }
    cpu.vision_attention(out.matrix(), qkv.matrix(), 1, 1, 64);
    for (const float value : out.values()) ASSERT_TRUE(std::isfinite(value)) << spread;
  }
}

TEST_P(CpuOperations, NaNReachesItsRowAndNoOther) {
  for (const bool rounds : {false, true}) {
    CpuBackend cpu({.threads = 2, .bf16_activations = rounds, .kernels = GetParam()});
    HostValues weight({20, 600}, DType::BF16, 1);
    Operand in(9, 600), out(9, 20);
    in.at(4, 599) = std::nanf("");
    cpu.matmul(out.matrix(), in.matrix(), *cpu.linear({{weight.tensor()}, {}}, DType::BF16), {Activation::Gelu, nullptr, nullptr});
    for (int64_t row = 0; row < 9; ++row) {
      for (int64_t col = 0; col < 20; ++col) EXPECT_EQ(std::isnan(out.at(row, col)), row == 4);
    }
  }
}

TEST_P(CpuOperations, NothingBehindAWeightIsRead) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  auto* pages = static_cast<char*>(mmap(nullptr, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mprotect(pages + 7 * page, page, PROT_NONE), 0);  // as the end of a mapped file may be
  CpuBackend cpu = backend(), rounds = rounding(GetParam());
  for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
    for (const int64_t k : {1, 13, 31, 100}) {
      const int64_t n = 7;
      const size_t bytes = static_cast<size_t>(n * k) * size_of(type);
      const HostTensor weight{pages + 7 * page - bytes, type, {n, k}};
      for (const int64_t rows : {1, 2, 5}) {
        Operand in(rows, k), out(rows, n);
        cpu.matmul(out.matrix(), in.matrix(), *cpu.linear({{weight}, {}}, type), {});
        EXPECT_EQ(out.at(0, 0), 0.0f);
        if (type == DType::BF16) rounds.matmul(out.matrix(), in.matrix(), *rounds.linear({{weight}, {}}, type), {});
      }
      Operand row(1, k);
      const std::vector<int32_t> last{static_cast<int32_t>(n - 1)};
      cpu.embed(row.matrix(), *cpu.table(weight, type), last, {});
    }
  }
  munmap(pages, 8 * page);
}

TEST_P(CpuOperations, FunctionsOfOneVariableAreAccurate) {
  std::vector<float> x;
  for (float v = -110; v < 100; v += 0.0137f) x.push_back(v);
  for (float v = 1e-38f; v < 1; v *= 1.7f) {
    x.push_back(v);
    x.push_back(-v);
  }
  std::vector<float> y(x.size());
  const auto worst = [&](MathFunction function, auto exact, bool relative) {
    GetParam()->evaluate(function, y.data(), x.data(), static_cast<int64_t>(x.size()));
    double largest = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = exact(static_cast<double>(x[i]));
      if (std::abs(expected) > 3e38 || (relative && std::abs(expected) < 1e-30)) continue;
      const double error = std::abs(y[i] - expected);
      largest = std::max(largest, relative ? error / std::abs(expected) : error);
    }
    return largest;
  };
  EXPECT_LT(worst(MathFunction::Exp, [](double v) { return std::exp(v); }, true), 3e-7);
  EXPECT_LT(worst(MathFunction::Erf, [](double v) { return std::erf(v); }, false), 2e-7);
  EXPECT_LT(worst(MathFunction::Silu, [](double v) { return v / (1 + std::exp(-v)); }, true), 5e-7);
  const auto gelu = [](double v) { return 0.5 * v * std::erfc(-v / std::sqrt(2.0)); };
  EXPECT_LT(worst(MathFunction::Gelu, [&](double v) { return std::abs(v) > 8 ? std::max(0.0, v) : gelu(v); }, false), 4e-6);

  const std::vector<float> edges{std::nanf(""), INFINITY, -INFINITY, 0.0f};
  std::vector<float> out(edges.size());
  GetParam()->evaluate(MathFunction::Exp, out.data(), edges.data(), 4);
  EXPECT_TRUE(std::isnan(out[0]));
  EXPECT_EQ(out[1], INFINITY);
  EXPECT_EQ(out[2], 0.0f);
  EXPECT_EQ(out[3], 1.0f);
  GetParam()->evaluate(MathFunction::Silu, out.data(), edges.data(), 4);
  EXPECT_TRUE(std::isnan(out[0]));
}

TEST_P(CpuOperations, NarrowingRoundsToNearestEven) {
  std::vector<float> x;
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    const uint32_t bits = static_cast<uint32_t>(random());
    float value;
    std::memcpy(&value, &bits, sizeof value);
    x.push_back(value);
  }
  for (const DType type : {DType::BF16, DType::F16}) {
    std::vector<uint16_t> narrow(x.size());
    GetParam()->narrow(narrow.data(), type, x.data(), static_cast<int64_t>(x.size()));
    std::vector<float> wide(x.size());
    GetParam()->widen(wide.data(), narrow.data(), type, static_cast<int64_t>(x.size()));
    for (size_t i = 0; i < x.size(); ++i) {
      const uint16_t expected = type == DType::BF16 ? f32_to_bf16(x[i]) : f32_to_f16(x[i]);
      if (std::isnan(x[i])) {
        EXPECT_TRUE(std::isnan(wide[i]));
      } else {
        ASSERT_EQ(narrow[i], expected) << x[i] << " " << name_of(type);
        ASSERT_EQ(wide[i], load_f32(narrow.data(), type, i));
      }
    }
  }
}

// ---- options ------------------------------------------------------------------------------------------------------------

TEST(CpuBackend, RefusesThreadCountsOutOfRange) {
  EXPECT_THROW(CpuBackend({.threads = -1}), Error);
  EXPECT_THROW(CpuBackend({.threads = 5000}), Error);
  EXPECT_EQ(CpuBackend({.threads = 3}).threads(), 3);
  EXPECT_GE(CpuBackend().threads(), 1);
}

TEST(CpuBackend, AnInstructionSetMustBeKnownAndPresent) {
  setenv("INTERNVL4J_CPU_ISA", "plain", 1);
  EXPECT_EQ(chosen_isa(), Isa::Plain);
  setenv("INTERNVL4J_CPU_ISA", "sse9", 1);
  EXPECT_THROW(CpuBackend{}, Error);
  if (!is_supported(Isa::Avx512)) {
    setenv("INTERNVL4J_CPU_ISA", "avx512", 1);
    EXPECT_THROW(CpuBackend{}, Error);
  }
  unsetenv("INTERNVL4J_CPU_ISA");
  EXPECT_EQ(chosen_isa(), best_isa());
}

TEST(CpuBackend, ImpossibleAllocationsAreErrors) {
  CpuBackend cpu;
  EXPECT_THROW(cpu.allocate(size_t{1} << 60), Error);
  EXPECT_EQ(cpu.allocate(0).bytes(), 0u);
}

}  // namespace
}  // namespace ivl::cpu
