// Attention of the CPU backend and its caches, in every kernel variant that runs here, against the double-precision reference; a
// row's bits depend on nothing but that row.
#include <functional>

#include "backend/block_cache.h"
#include "cpu/variant_test.h"

namespace ivl::cpu {
namespace {

class CpuAttention : public VariantTest {};
INSTANTIATE_TEST_SUITE_P(Variants, CpuAttention, ::testing::ValuesIn(kernel_variants()), variant_name);

TEST_P(CpuAttention, VisionAttentionMatchesTheReference) {
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

using RowOf = std::function<const float*(int64_t)>;

// What attention with bf16 activations computes, in doubles, of a query that sees the first `seen` keys: what is given is rounded
// already, weights are where they are multiplied, each relative to the largest score up to the end of its key's tile.
void attend_rounded(float* out, const float* query, int64_t seen, int64_t head_dim, const RowOf& key_of, const RowOf& value_of) {
  const double scale = 1 / std::sqrt(static_cast<double>(head_dim));
  double largest = -INFINITY, total = 0;
  std::vector<double> sums(static_cast<size_t>(head_dim));
  const auto score = [&](int64_t key) {
    const float* k = key_of(key);
    double sum = 0;
    for (int64_t i = 0; i < head_dim; ++i) sum += static_cast<double>(query[i]) * k[i];
    return sum * scale;
  };
  for (int64_t begin = 0; begin < seen; begin += kKeyTile) {
    const int64_t end = std::min(begin + kKeyTile, seen);
    const double before = largest;
    for (int64_t key = begin; key < end; ++key) largest = std::max(largest, score(key));
    total *= std::exp(before - largest);
    for (double& sum : sums) sum *= std::exp(before - largest);
    for (int64_t key = begin; key < end; ++key) {
      const double weight = std::exp(score(key) - largest);
      total += weight;
      const double rounded = bf16_to_f32(f32_to_bf16(static_cast<float>(weight)));
      const float* value = value_of(key);
      for (int64_t i = 0; i < head_dim; ++i) sums[static_cast<size_t>(i)] += rounded * value[i];
    }
  }
  for (int64_t i = 0; i < head_dim; ++i) out[i] = static_cast<float>(sums[static_cast<size_t>(i)] / total);
}

void attend_rounded(Operand& out, Operand& qkv, int64_t pictures, int64_t heads, int64_t head_dim) {
  const int64_t width = heads * head_dim, tokens = qkv.matrix().rows / pictures;
  for (int64_t row = 0; row < pictures * tokens; ++row) {
    const int64_t first = row / tokens * tokens;
    for (int64_t col = 0; col < width; col += head_dim) {
      attend_rounded(
          &out.at(row, col), &qkv.at(row, col), tokens, head_dim, [&](int64_t key) { return &qkv.at(first + key, width + col); },
          [&](int64_t key) { return &qkv.at(first + key, 2 * width + col); });
    }
  }
}

// A weight on the edge between two of bf16's may be rounded either way, which puts 1,025 tokens 2.6e-5 off. Dividing by the sum of
// the rounded weights would put them 1e-4 off, and what is not rounded to nearest 2e-3.
TEST_P(CpuAttention, VisionAttentionOfRoundedActivationsMatchesAReferenceThatRoundsAlike) {
  CpuBackend cpu = rounding();
  for (const auto& [pictures, tokens, heads, head_dim] : std::vector<std::array<int64_t, 4>>{{1, 1, 1, 8},
                                                                                             {2, 5, 2, 24},
                                                                                             {1, 64, 1, 64},
                                                                                             {1, 65, 2, 128},
                                                                                             {3, 50, 3, 88},
                                                                                             {2, 70, 2, 96},
                                                                                             {1, 97, 1, 256},
                                                                                             {2, 130, 2, 16},
                                                                                             {1, 1025, 1, 64}}) {
    const int64_t width = heads * head_dim;
    Operand qkv(pictures * tokens, 3 * width, 3, 1, 2), expected(pictures * tokens, width), actual(pictures * tokens, width, 5);
    Operand rounded = in_bf16(qkv);
    attend_rounded(expected, rounded, pictures, heads, head_dim);
    cpu.vision_attention(actual.matrix(), qkv.matrix(), pictures, heads, head_dim);
    EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), 5e-5) << tokens << " " << head_dim;
  }
}

TEST_P(CpuAttention, AQuerysVisionAttentionHasTheSameBitsInAnyPlaceAndOnAnyNumberOfThreads) {
  for (const bool rounds : {false, true}) {
    for (const auto& [tokens, head_dim] : std::vector<std::array<int64_t, 2>>{{5, 24}, {65, 128}, {203, 64}}) {
      CpuBackend one = rounds ? rounding(1) : backend(1);
      const int64_t width = 2 * head_dim;
      Operand qkv(tokens, 3 * width), turned = qkv, out(tokens, width), again(tokens, width);
      for (int64_t row = 0; row < tokens; ++row) {
        for (int64_t i = 0; i < width; ++i) turned.at(row, i) = qkv.at(tokens - 1 - row, i);
      }
      one.vision_attention(out.matrix(), qkv.matrix(), 1, 2, head_dim);
      for (const int threads : {1, 2, 3}) {
        CpuBackend many = rounds ? rounding(threads) : backend(threads);
        many.vision_attention(again.matrix(), turned.matrix(), 1, 2, head_dim);
        for (int64_t row = 0; row < tokens; ++row) {
          EXPECT_TRUE(same_bits(again.matrix().row_range(row, 1), out.matrix().row_range(tokens - 1 - row, 1)))
              << row << " of " << tokens << ", " << threads << " threads" << (rounds ? ", rounded" : "");
        }
      }
    }
  }
}

TEST_P(CpuAttention, NothingOfAPictureReachesAnother) {
  for (const bool rounds : {false, true}) {
    CpuBackend cpu = rounds ? rounding() : backend();
    for (const int64_t tokens : {1, 5, 65, 70}) {
      Operand qkv(3 * tokens, 3 * 48), alone(tokens, 48), out(3 * tokens, 48);
      for (int64_t row = tokens; row < 2 * tokens; ++row) {
        for (int64_t i = 0; i < 3 * 48; ++i) qkv.at(row, i) = std::nanf("");
      }
      cpu.vision_attention(out.matrix(), qkv.matrix(), 3, 2, 24);
      for (const int64_t picture : {0, 2}) {
        cpu.vision_attention(alone.matrix(), qkv.matrix().row_range(picture * tokens, tokens), 1, 2, 24);
        for (const float y : alone.values()) ASSERT_TRUE(std::isfinite(y));
        EXPECT_TRUE(same_bits(out.matrix().row_range(picture * tokens, tokens), alone.matrix())) << tokens << " " << picture;
      }
    }
  }
}

// A picture's last key may be half a pair, and its tile a part of one: with nothing in the rest, whatever lay there.
TEST_P(CpuAttention, NothingOfALargerPictureReachesASmallerOne) {
  for (const bool rounds : {false, true}) {
    CpuBackend cpu = rounds ? rounding() : backend();
    Operand nans(200, 3 * 128), nowhere(200, 128);
    for (float& x : nans.values()) x = std::nanf("");
    for (const auto& [tokens, head_dim] : std::vector<std::array<int64_t, 2>>{{1, 8}, {5, 24}, {65, 128}, {129, 40}}) {
      cpu.vision_attention(nowhere.matrix(), nans.matrix(), 1, 1, 128);
      Operand qkv(tokens, 3 * head_dim), out(tokens, head_dim);
      cpu.vision_attention(out.matrix(), qkv.matrix(), 1, 1, head_dim);
      for (const float y : out.values()) ASSERT_TRUE(std::isfinite(y)) << tokens << (rounds ? " rounded" : "");
    }
  }
}

// Which of the results are not finite where one number of the second head's is not.
std::vector<bool> not_finite(CpuBackend& cpu, int64_t tokens, int64_t row, int64_t part, float bad) {
  Operand qkv(tokens, 3 * 48), out(tokens, 48);
  qkv.at(row, part * 48 + 24 + 7) = bad;
  cpu.vision_attention(out.matrix(), qkv.matrix(), 1, 2, 24);
  std::vector<bool> found;
  for (const float y : out.values()) found.push_back(!std::isfinite(y));
  return found;
}

TEST_P(CpuAttention, WhatIsNotFiniteReachesWhatItMustAndNothingElse) {
  for (const bool rounds : {false, true}) {
    CpuBackend cpu = rounds ? rounding() : backend();
    for (const int64_t tokens : {5, 65, 100}) {
      for (const int64_t row : {int64_t{0}, tokens / 2, tokens - 1}) {
        for (const float bad : {std::nanf(""), INFINITY}) {
          for (const int64_t part : {0, 2}) {
            const std::vector<bool> found = not_finite(cpu, tokens, row, part, bad);
            for (int64_t i = 0; i < tokens * 48; ++i) {
              const bool reached = part == 0 ? i / 48 == row && i % 48 >= 24 : i % 48 == 24 + 7;
              ASSERT_EQ(found[static_cast<size_t>(i)], reached) << bad << " in " << part << ", " << i << (rounds ? " rounded" : "");
            }
          }
        }
        const std::vector<bool> found = not_finite(cpu, tokens, row, 1, std::nanf(""));  // all queries see the key
        for (int64_t i = 0; i < tokens * 48; ++i) ASSERT_EQ(found[static_cast<size_t>(i)], i % 48 >= 24);
      }
    }
  }
}

// A sequence's cache filled at random: what a head holds at a position does not depend on the number of blocks.
BlockCache filled_cache(Backend& backend, const KvShape& shape, int64_t tokens) {
  BlockCache cache(backend, shape, tokens);
  const int64_t rows = 2 * shape.layers * shape.kv_heads * kKvBlock;
  const KernelTable& kernels = kernels_of(Isa::Plain);
  for (size_t b = 0; b < cache.size(); ++b) {
    Operand values(rows, shape.head_dim, 0, static_cast<unsigned>(11 + b));
    const Matrix block{cache.block(b), shape.type == KvType::Int8 ? DType::F32 : float_type_of(shape.type), rows, shape.head_dim,
                       shape.head_dim};
    if (shape.type != KvType::Int8) backend.from_host(block, values.values().data());
    for (int64_t row = 0; shape.type == KvType::Int8 && row < rows; ++row) {
      auto* head = reinterpret_cast<int8_t*>(cache.block(b) + static_cast<size_t>(row / kKvBlock) * shape.head_bytes());
      auto* scales = reinterpret_cast<float*>(head + kKvBlock * shape.head_dim);
      const int64_t t = row % kKvBlock;
      kernels.narrow_to_int8(head + t * shape.head_dim, scales + t, &values.at(row, 0), shape.head_dim);
    }
  }
  return cache;
}

constexpr KvType kKvTypes[] = {KvType::F32, KvType::BF16, KvType::F16, KvType::Int8};

// A row of a cache as f32.
std::vector<float> cached_row(const BlockCache& cache, const KvShape& shape, int64_t head, int64_t token) {
  const char* rows = cache.block(static_cast<size_t>(token / kKvBlock)) + static_cast<size_t>(head) * shape.head_bytes();
  const auto at = static_cast<size_t>(token % kKvBlock);
  const char* row = rows + at * shape.row_bytes();
  std::vector<float> values(static_cast<size_t>(shape.head_dim));
  const float scale =
      shape.type == KvType::Int8 ? load_f32(rows + static_cast<size_t>(kKvBlock) * shape.row_bytes(), DType::F32, at) : 1;
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = shape.type == KvType::Int8 ? scale * static_cast<float>(static_cast<signed char>(row[i]))
                                           : load_f32(row, float_type_of(shape.type), i);
  }
  return values;
}

// The largest difference of two caches' numbers, relative to the largest number of their row.
float cache_error(const BlockCache& a, const BlockCache& b, const KvShape& shape) {
  float error = 0;
  for (int64_t head = 0; head < 2 * shape.layers * shape.kv_heads; ++head) {
    for (int64_t token = 0; token < blocks_hold(a); ++token) {
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
                                   {3, 3, 96, 100, 70}, {2, 1, 128, 4094, 2}};

TEST_P(CpuAttention, CachedAttentionMatchesTheReferenceInEveryCacheType) {
  CpuBackend cpu = backend();
  for (const KvType type : kKvTypes) {
    for (const CachedCase& c : kCachedCases) {
      const KvShape shape{2, c.kv_heads, c.head_dim, type};
      BlockCache expected_cache = filled_cache(reference_, shape, c.past + c.rows + 3);
      BlockCache actual_cache = filled_cache(cpu, shape, c.past + c.rows + 3);
      const int64_t width = (c.heads + 2 * c.kv_heads) * c.head_dim;
      constexpr int64_t kRopeBegin = 3;
      Operand rope(kRopeBegin + c.past + c.rows, c.head_dim, 0, 5);
      Operand expected_qkv(c.rows, width, 0, 7, 2), actual_qkv(c.rows, width, 0, 7, 2);
      Operand expected(c.rows, c.heads * c.head_dim), actual(c.rows, c.heads * c.head_dim);
      const Span expected_span{0, c.rows, c.past, expected_cache, kRopeBegin};
      const Span actual_span{0, c.rows, c.past, actual_cache, kRopeBegin};
      reference_.rope_and_store(expected_qkv.matrix(), rope.matrix(), {&expected_span, 1}, c.heads, shape, 1);
      cpu.rope_and_store(actual_qkv.matrix(), rope.matrix(), {&actual_span, 1}, c.heads, shape, 1);
      EXPECT_LT(relative_error(actual_qkv.matrix(), expected_qkv.matrix()), kTolerance);
      // A stored value on the edge between two of a narrow type's may be rounded either way. What is attended to is the same.
      EXPECT_LT(cache_error(actual_cache, expected_cache, shape), rounding_of(type)) << name_of(type);
      for (size_t b = 0; b < actual_cache.size(); ++b) {
        std::memcpy(expected_cache.block(b), actual_cache.block(b), shape.block_bytes());
      }
      reference_.cached_attention(expected.matrix(), expected_qkv.matrix(), {&expected_span, 1}, c.heads, shape, 1);
      cpu.cached_attention(actual.matrix(), actual_qkv.matrix(), {&actual_span, 1}, c.heads, shape, 1);
      EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), 3e-6)
          << c.heads << "/" << c.kv_heads << " x " << c.head_dim << " past " << c.past << " " << name_of(type);
    }
  }
}

// A head of a cache as f32, row after row.
std::vector<float> cached_head(const BlockCache& cache, const KvShape& shape, int64_t head, int64_t tokens) {
  std::vector<float> rows;
  for (int64_t token = 0; token < tokens; ++token) {
    const std::vector<float> row = cached_row(cache, shape, head, token);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

TEST_P(CpuAttention, CachedAttentionOfRoundedActivationsMatchesAReferenceThatRoundsAlike) {
  CpuBackend cpu = rounding();
  for (const CachedCase& c : kCachedCases) {
    const KvShape shape{1, c.kv_heads, c.head_dim, KvType::BF16};
    const BlockCache cache = filled_cache(cpu, shape, c.past + c.rows);
    const int64_t width = c.heads * c.head_dim;
    Operand qkv(c.rows, width + 2 * c.kv_heads * c.head_dim, 0, 7, 2), expected(c.rows, width), actual(c.rows, width);
    Operand rounded = in_bf16(qkv);
    for (int64_t head = 0; head < c.heads; ++head) {
      const int64_t kv_head = head / (c.heads / c.kv_heads);
      const std::vector<float> keys = cached_head(cache, shape, kv_head, c.past + c.rows);
      const std::vector<float> values = cached_head(cache, shape, c.kv_heads + kv_head, c.past + c.rows);
      for (int64_t row = 0; row < c.rows; ++row) {
        attend_rounded(
            &expected.at(row, head * c.head_dim), &rounded.at(row, head * c.head_dim), c.past + row + 1, c.head_dim,
            [&](int64_t key) { return keys.data() + key * c.head_dim; },
            [&](int64_t key) { return values.data() + key * c.head_dim; });
      }
    }
    const Span span{0, c.rows, c.past, cache};
    cpu.cached_attention(actual.matrix(), qkv.matrix(), {&span, 1}, c.heads, shape, 0);
    EXPECT_LT(relative_error(actual.matrix(), expected.matrix()), 1e-4)
        << c.heads << "/" << c.kv_heads << " x " << c.head_dim << " past " << c.past;
  }
}

// A query multiplies pairs of keys, of which it may see the first alone.
TEST_P(CpuAttention, NothingOfALaterKeyReachesAQuery) {
  for (const bool rounds : {false, true}) {
    CpuBackend cpu = rounds ? rounding() : backend();
    const KvShape shape{1, 1, 24, KvType::BF16};
    constexpr int64_t kTokens = 70, kWidth = 4 * 24;
    for (const int64_t bad : {int64_t{1}, int64_t{4}, int64_t{65}}) {
      Operand qkv(kTokens, kWidth), rope(kTokens, 24, 0, 5), out(kTokens, 48), damaged_out(kTokens, 48);
      Operand damaged = qkv;
      for (int64_t i = 48; i < kWidth; ++i) damaged.at(bad, i) = i % 2 == 0 ? std::nanf("") : INFINITY;
      BlockCache cache = filled_cache(cpu, shape, kTokens), damaged_cache = filled_cache(cpu, shape, kTokens);
      const Span span{0, kTokens, 0, cache}, damaged_span{0, kTokens, 0, damaged_cache};
      cpu.rope_and_store(qkv.matrix(), rope.matrix(), {&span, 1}, 2, shape, 0);
      cpu.cached_attention(out.matrix(), qkv.matrix(), {&span, 1}, 2, shape, 0);
      cpu.rope_and_store(damaged.matrix(), rope.matrix(), {&damaged_span, 1}, 2, shape, 0);
      cpu.cached_attention(damaged_out.matrix(), damaged.matrix(), {&damaged_span, 1}, 2, shape, 0);
      EXPECT_TRUE(same_bits(damaged_out.matrix().row_range(0, bad), out.matrix().row_range(0, bad)))
          << bad << (rounds ? " rounded" : "");
      EXPECT_FALSE(std::isfinite(damaged_out.at(bad, 0))) << bad;
    }
  }
}

void expect_the_same_attention_however_a_prompt_is_cut(CpuBackend& one, CpuBackend& two, KvType type) {
  for (const auto& [heads, kv_heads, head_dim] : std::vector<std::array<int64_t, 3>>{{2, 1, 128}, {7, 1, 24}, {6, 2, 64}}) {
    const KvShape shape{1, kv_heads, head_dim, type};
    const int64_t tokens = 350;
    const int64_t width = (heads + 2 * kv_heads) * head_dim;
    Operand rope(tokens, head_dim, 0, 5), whole_qkv(tokens, width, 0, 7), cut_qkv(tokens, width, 0, 7);
    Operand whole(tokens, heads * head_dim), cut(tokens, heads * head_dim);
    BlockCache whole_cache = filled_cache(one, shape, tokens);
    BlockCache cut_cache = filled_cache(two, shape, tokens);
    const Span all{0, tokens, 0, whole_cache};
    one.rope_and_store(whole_qkv.matrix(), rope.matrix(), {&all, 1}, heads, shape, 0);
    one.cached_attention(whole.matrix(), whole_qkv.matrix(), {&all, 1}, heads, shape, 0);
    int64_t past = 0;
    for (const int64_t rows : {1, 62, 1, 3, 64, 19, 106, 90, 4}) {
      if (past > 60) {  // goes on in copies of its blocks
        BlockCache copies = filled_cache(two, shape, tokens);
        for (size_t b = 0; b < copies.size(); ++b) {
          const int64_t filled = std::clamp<int64_t>(past - static_cast<int64_t>(b) * kKvBlock, 0, kKvBlock);
          two.copy_block(copies.block(b), cut_cache.block(b), shape, filled);
        }
        cut_cache = std::move(copies);
      }
      const Span piece{past, rows, past, cut_cache};
      two.rope_and_store(cut_qkv.matrix(), rope.matrix(), {&piece, 1}, heads, shape, 0);
      two.cached_attention(cut.matrix(), cut_qkv.matrix(), {&piece, 1}, heads, shape, 0);
      past += rows;
    }
    EXPECT_TRUE(same_bits(cut.matrix(), whole.matrix())) << heads << "/" << kv_heads << " x " << head_dim << " " << name_of(type);
  }
}

TEST_P(CpuAttention, AttentionHasTheSameBitsHoweverAPromptIsCut) {
  CpuBackend one = backend(1);
  CpuBackend two = backend(2);
  for (const KvType type : kKvTypes) expect_the_same_attention_however_a_prompt_is_cut(one, two, type);
}

TEST_P(CpuAttention, OfRoundedActivationsHasTheSameBitsHoweverAPromptIsCut) {
  CpuBackend one = rounding(1), two = rounding(2);
  expect_the_same_attention_however_a_prompt_is_cut(one, two, KvType::BF16);
}

TEST_P(CpuAttention, OverACacheOfAnotherTypeIsTheSameWithRoundedActivations) {
  CpuBackend exact = backend(), cpu = rounding();
  for (const KvType type : {KvType::F32, KvType::F16, KvType::Int8})
    expect_the_same_attention_however_a_prompt_is_cut(exact, cpu, type);
}

TEST_P(CpuAttention, ARowOfTheInt8CacheRoundsToNearestEvenAndKeepsWhatIsNotFinite) {
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

TEST_P(CpuAttention, HugeAndEqualScoresGiveFiniteAttention) {
  for (const bool rounds : {false, true}) {
    CpuBackend cpu = rounds ? rounding() : backend();
    for (const float spread : {0.0f, 1e-30f, 1e4f}) {
      Operand qkv(70, 3 * 64, 0, 1, 1), out(70, 64);
      for (int64_t row = 0; row < 70; ++row) {
        for (int64_t i = 0; i < 128; ++i) qkv.at(row, i) *= spread;  // scores up to 1e9
      }
      cpu.vision_attention(out.matrix(), qkv.matrix(), 1, 1, 64);
      for (const float value : out.values()) ASSERT_TRUE(std::isfinite(value)) << spread << (rounds ? " rounded" : "");
    }
  }
}

TEST(FusedVariants, GiveTheSameAttention) {
  const std::vector<const KernelTable*> fused = fused_variants();
  if (fused.size() < 2) GTEST_SKIP() << "this processor runs one variant with fused multiply-add";
  Operand qkv(70, 3 * 80, 0, 4, 3), rope(70, 40, 0, 3, 3);
  std::vector<Operand> attended, cached;
  for (const KernelTable* table : fused) {
    CpuBackend cpu({.threads = 1, .kernels = table});
    attended.emplace_back(70, 80);
    cpu.vision_attention(attended.back().matrix(), qkv.matrix(), 1, 2, 40);
    EXPECT_TRUE(same_bits(attended.back().matrix(), attended.front().matrix())) << table->name;
    const KvShape shape{1, 2, 40, KvType::Int8};
    BlockCache cache = filled_cache(cpu, shape, 70);
    const Span span{0, 70, 0, cache};
    Operand turned = qkv;
    cached.emplace_back(70, 80);
    cpu.rope_and_store(turned.matrix(), rope.matrix(), {&span, 1}, 2, shape, 0);
    cpu.cached_attention(cached.back().matrix(), turned.matrix(), {&span, 1}, 2, shape, 0);
    EXPECT_TRUE(same_bits(cached.back().matrix(), cached.front().matrix())) << table->name;
  }
}

TEST(FusedVariants, GiveTheSameAttentionOfRoundedActivations) {
  const std::vector<const KernelTable*> fused = fused_variants();
  if (fused.size() < 2) GTEST_SKIP() << "this processor runs one variant with fused multiply-add";
  for (const auto& [tokens, head_dim] :
       std::vector<std::array<int64_t, 2>>{{1, 8}, {5, 24}, {64, 64}, {65, 128}, {203, 88}, {70, 96}, {70, 256}}) {
    Operand qkv(tokens, 3 * 2 * head_dim, 0, 4, 3);
    std::vector<Operand> attended, cached;
    for (const KernelTable* table : fused) {
      CpuBackend cpu({.threads = 1, .bf16_activations = true, .kernels = table});
      attended.emplace_back(tokens, 2 * head_dim);
      cpu.vision_attention(attended.back().matrix(), qkv.matrix(), 1, 2, head_dim);
      EXPECT_TRUE(same_bits(attended.back().matrix(), attended.front().matrix())) << table->name << " " << tokens;
      const KvShape shape{1, 2, head_dim, KvType::BF16};
      const BlockCache cache = filled_cache(cpu, shape, tokens);
      const Span span{0, tokens, 0, cache};
      cached.emplace_back(tokens, 2 * head_dim);
      cpu.cached_attention(cached.back().matrix(), qkv.matrix(), {&span, 1}, 2, shape, 0);
      EXPECT_TRUE(same_bits(cached.back().matrix(), cached.front().matrix())) << table->name << " " << tokens << " cached";
    }
  }
}

}  // namespace
}  // namespace ivl::cpu
