// The same attention in pairs of bf16. Queries, keys, values and the softmax's weights are rounded to bf16 where they are multiplied,
// as on GPUs; sums are f32, and a row's sum of weights is of those before rounding. A score is one chain along head_dim, two elements
// at a time; an output is one along the keys, two keys at a time.

struct PairScratch {
  float* out;      // (queries, pair_cols) unnormalized
  float* scores;   // (kGemmRows, kKeyTile), then weights in pairs of keys, rows as far apart
  float* q;        // (queries, head_dim / 2) pairs of elements
  float* largest;  // (queries)
  float* total;    // (queries)
  float* tile;     // one, as kernel_table.h says
};

static_assert(kQueryBlock * (kMaxHeadDim + kMaxHeadDim / 2 + 2) + kGemmRows * kKeyTile + pair_tile_units(kMaxHeadDim) <=
              kAttentionScratchFloats);
static_assert(pair_cols(1) == kLanes && kMaxHeadDim % kLanes == 0 && kKeyTile % kLanes == 0 && kLanes % kRegLanes == 0);

inline PairScratch split_pair_scratch(float* at, int64_t head_dim) {
  PairScratch s;
  s.out = at;
  s.scores = s.out + kQueryBlock * pair_cols(head_dim);
  s.q = s.scores + kGemmRows * kKeyTile;
  s.largest = s.q + kQueryBlock * head_dim / 2;
  s.total = s.largest + kQueryBlock;
  s.tile = s.total + kQueryBlock;
  return s;
}

// ---- a head's keys and values, packed -----------------------------------------------------------------------------------------

// `count` keys as columns of pairs of elements, zeros up to a whole sixteen of them. row_at(key, memory) gives its elements in bf16.
template <class RowAt>
inline void turn_pairs(float* out, int64_t count, int64_t head_dim, const RowAt& row_at) {
  const int64_t units = head_dim / 2;
  for (int64_t t = 0; t < pair_cols(count); t += kRegLanes) {
    uint16_t memory[kRegLanes][kMaxHeadDim];
    const char* rows[kRegLanes];
    for (int64_t l = 0; l < kRegLanes && t + l < count; ++l) rows[l] = row_at(t + l, memory[l]);
    for (int64_t i = 0; i < units; i += kRegLanes) {
      Reg block[kRegLanes];
      for (int64_t l = 0; l < kRegLanes; ++l) {
        block[l] = t + l < count ? PairUnits::load(rows[l], 2 * i, head_dim - 2 * i) : reg_zero();
      }
      reg_transpose(block);
      for (int64_t l = 0; l < kRegLanes && i + l < units; ++l) reg_store(out + (i + l) * kKeyTile + t, block[l]);
    }
  }
}

// `count` values as rows of pairs of keys. An odd key's partner is zero.
template <class RowAt>
inline void interleave_pairs(float* out, int64_t count, int64_t head_dim, const RowAt& row_at) {
  static constexpr uint16_t kZeros[kMaxHeadDim] = {};
  for (int64_t t = 0; t < count; t += 2) {
    uint16_t memory[2][kMaxHeadDim];
    const char* first = row_at(t, memory[0]);
    const char* second = t + 1 < count ? row_at(t + 1, memory[1]) : reinterpret_cast<const char*>(kZeros);
    for (int64_t i = 0; i < head_dim; i += kLanes, out += kLanes) {
      uint16_t evens[kLanes] = {}, odds[kLanes] = {};
      const auto bytes = static_cast<size_t>(bytes_of<DType::BF16>(head_dim - i < kLanes ? head_dim - i : kLanes));
      __builtin_memcpy(evens, first + bytes_of<DType::BF16>(i), bytes);
      __builtin_memcpy(odds, second + bytes_of<DType::BF16>(i), bytes);
      uint32_t pairs[kLanes];
      for (int l = 0; l < kLanes; ++l) pairs[l] = evens[l] | static_cast<uint32_t>(odds[l]) << 16;
      __builtin_memcpy(out, pairs, sizeof pairs);
    }
  }
}

void pack_pair_tile(const PairTileArgs& p) {
  const auto rounded = [&](const float* rows) {
    return [&p, rows](int64_t key, uint16_t* memory) {
      narrow_row<DType::BF16>(memory, rows + key * p.stride, p.head_dim);
      return reinterpret_cast<const char*>(memory);
    };
  };
  turn_pairs(p.out, p.count, p.head_dim, rounded(p.keys));
  interleave_pairs(p.out + p.head_dim / 2 * kKeyTile, p.count, p.head_dim, rounded(p.values));
}

// ---- the attention ------------------------------------------------------------------------------------------------------------

// sums[m][c] = the chain over `steps` pairs of row m of a and column c of b.
struct PairProduct {
  const float* a;
  int64_t a_stride;
  const float* b;
  int64_t b_stride;
  int64_t steps;
  float* sums;
  int64_t sums_stride;
};

// kCols registers of columns. kFirst: the sums begin here, else they are added to.
template <int kRows, int kCols, bool kFirst>
inline void multiply_pairs_at(const PairProduct& p, int64_t col) {
  float* const sums = p.sums + col;
  const int64_t stride = p.sums_stride;
  Reg acc[kRows][kCols];
  for (int m = 0; m < kRows; ++m) {
    for (int c = 0; c < kCols; ++c) acc[m][c] = kFirst ? reg_zero() : reg_load(sums + m * stride + c * kRegLanes);
  }
  const float* a = p.a;
  const float* b = p.b + col;
  const float* const end = a + p.steps;
  do {  // At least one step: around a loop that may have none, GCC 12 stores and loads all accumulators.
    PairUnits::multiply(acc, a, p.a_stride, b);
    b += p.b_stride;
  } while (++a != end);
  for (int m = 0; m < kRows; ++m) {
    for (int c = 0; c < kCols; ++c) reg_store(sums + m * stride + c * kRegLanes, acc[m][c]);
  }
}

template <int kRows, bool kFirst>
inline void multiply_pairs(const PairProduct& p, int64_t cols) {
  int64_t col = 0;
  for (; col + kGemmCols <= cols; col += kGemmCols) multiply_pairs_at<kRows, kGemmRegs, kFirst>(p, col);
  for (; col < cols; col += kRegLanes) multiply_pairs_at<kRows, 1, kFirst>(p, col);
}

// The first of each pair, beside a zero.
inline void leave_first(float* out, const float* pairs, int64_t cols) {
  uint32_t bits[kMaxHeadDim];
  __builtin_memcpy(bits, pairs, static_cast<size_t>(cols) * sizeof(float));
  for (int64_t i = 0; i < cols; ++i) bits[i] &= 0xffffu;
  __builtin_memcpy(out, bits, static_cast<size_t>(cols) * sizeof(float));
}

// kRows queries that see the first `seen` keys of a tile, at least one. Where the last of them has a partner that they do not see, that
// must not count, whatever it is: not even as a zero times something.
template <int kRows>
inline void attend_pairs(const PairScratch& s, const float* tile, int64_t head_dim, float scale, int64_t query, int64_t seen) {
  const int64_t units = head_dim / 2, cols = pair_cols(head_dim), pairs = seen / 2;
  const float* values = tile + units * kKeyTile;
  float* out = s.out + query * cols;
  multiply_pairs<kRows, true>({s.q + query * units, units, tile, kKeyTile, units, s.scores, kKeyTile}, pair_cols(seen));
  soften<kRows, true>(s.scores, seen, scale, s.largest + query, s.total + query, out, cols);
  if (pairs > 0) multiply_pairs<kRows, false>({s.scores, kKeyTile, values, cols, pairs, out, cols}, cols);
  if (seen % 2 == 0) return;
  float last[kMaxHeadDim];
  leave_first(last, values + pairs * cols, cols);
  multiply_pairs<kRows, false>({s.scores + pairs, kKeyTile, last, cols, 1, out, cols}, cols);
}

void pair_attention(const PairAttentionArgs& a) {
  const PairScratch s = split_pair_scratch(a.scratch, a.head_dim);
  const int64_t cols = pair_cols(a.head_dim);
  begin_softmax(s.largest, s.total, s.out, a.queries, cols);
  for (int64_t i = 0; i < a.queries; ++i) narrow_row<DType::BF16>(s.q + i * a.head_dim / 2, a.q + i * a.q_stride, a.head_dim);

  const float* tile = a.tiles;
  for (int64_t t0 = 0; t0 < a.tokens; t0 += kKeyTile, tile += pair_tile_units(a.head_dim)) {
    const int64_t count = a.tokens - t0 < kKeyTile ? a.tokens - t0 : kKeyTile;
    for_each_part<kGemmRows>(
        0, a.queries, [&](auto rows, int64_t first) { attend_pairs<rows.value>(s, tile, a.head_dim, a.scale, first, count); });
  }
  for (int64_t i = 0; i < a.queries; ++i) end_softmax(a.out + i * a.out_stride, s.out + i * cols, s.total[i], a.head_dim);
}

void cached_pair_attention(const AttentionArgs& a) {
  const PairScratch s = split_pair_scratch(a.scratch, a.head_dim);
  const int64_t queries = a.positions * a.heads, units = a.head_dim / 2, cols = pair_cols(a.head_dim);
  begin_softmax(s.largest, s.total, s.out, queries, cols);
  for (int64_t i = 0; i < queries; ++i) narrow_row<DType::BF16>(s.q + i * units, query_at(a, i), a.head_dim);
  for_each_tile(a, [&](int64_t t0, const char* block, int64_t row, int64_t count) {
    const auto rows_from = [&](size_t offset) {
      const char* first = block + offset + bytes_of<DType::BF16>(row * a.kv_stride);
      return [first, stride = bytes_of<DType::BF16>(a.kv_stride)](int64_t key, uint16_t*) { return first + key * stride; };
    };
    turn_pairs(s.tile, count, a.head_dim, rows_from(a.keys));
    interleave_pairs(s.tile + units * kKeyTile, count, a.head_dim, rows_from(a.values));
    for_each_run<kGemmRows>(a, t0, [&](auto rows, int64_t first, int64_t seen) {
      attend_pairs<rows.value>(s, s.tile, a.head_dim, a.scale, first, seen);
    });
  });
  end_queries(a, s.out, cols, s.total);
}
