// The same attention in pairs of bf16, of queries that all see every key. Queries, keys, values and the softmax's weights are
// rounded to bf16 where they are multiplied, as on GPUs; sums are f32, and a row's sum of weights is of those before rounding. A
// score is one chain along head_dim, two elements at a time; an output is one along the keys, two keys at a time.

struct PairScratch {
  float* out;      // (queries, pair_cols) unnormalized
  float* scores;   // (kGemmRows, kKeyTile), then weights in pairs of keys, rows as far apart
  float* q;        // (queries, head_dim / 2) pairs of elements
  float* largest;  // (queries)
  float* total;    // (queries)
};

static_assert(kQueryBlock * (kMaxHeadDim + kMaxHeadDim / 2 + 2) + kGemmRows * kKeyTile <= kAttentionScratchFloats);
static_assert(pair_cols(1) == kLanes && kMaxHeadDim % kLanes == 0 && kKeyTile % kLanes == 0 && kLanes % kRegLanes == 0);

inline PairScratch split_pair_scratch(float* at, int64_t head_dim) {
  PairScratch s;
  s.out = at;
  s.scores = s.out + kQueryBlock * pair_cols(head_dim);
  s.q = s.scores + kGemmRows * kKeyTile;
  s.largest = s.q + kQueryBlock * head_dim / 2;
  s.total = s.largest + kQueryBlock;
  return s;
}

// ---- a head's keys and values, packed -----------------------------------------------------------------------------------------

// Keys as columns of pairs of elements, zeros up to a whole sixteen of them.
inline void turn_pairs(float* out, const PairTileArgs& p) {
  const int64_t units = p.head_dim / 2;
  for (int64_t t = 0; t < pair_cols(p.count); t += kRegLanes) {
    uint16_t rows[kRegLanes][kMaxHeadDim];
    for (int64_t l = 0; l < kRegLanes && t + l < p.count; ++l) {
      narrow_row<DType::BF16>(rows[l], p.keys + (t + l) * p.stride, p.head_dim);
    }
    for (int64_t i = 0; i < units; i += kRegLanes) {
      Reg block[kRegLanes];
      for (int64_t l = 0; l < kRegLanes; ++l) {
        const auto* row = reinterpret_cast<const char*>(rows[l]);
        block[l] = t + l < p.count ? PairUnits::load(row, 2 * i, p.head_dim - 2 * i) : reg_zero();
      }
      reg_transpose(block);
      for (int64_t l = 0; l < kRegLanes && i + l < units; ++l) reg_store(out + (i + l) * kKeyTile + t, block[l]);
    }
  }
}

// Values as rows of pairs of keys. An odd key's partner is zero: it is multiplied by a weight of zero.
inline void interleave_pairs(float* out, const PairTileArgs& p) {
  const int64_t cols = pair_cols(p.head_dim);
  for (int64_t t = 0; t < p.count; t += 2, out += cols) {
    uint16_t rows[2][kMaxHeadDim] = {};
    for (int64_t l = 0; l < 2 && t + l < p.count; ++l) {
      narrow_row<DType::BF16>(rows[l], p.values + (t + l) * p.stride, p.head_dim);
    }
    uint16_t pairs[kMaxHeadDim][2];
    for (int64_t i = 0; i < cols; ++i) {
      pairs[i][0] = rows[0][i];
      pairs[i][1] = rows[1][i];
    }
    __builtin_memcpy(out, pairs, static_cast<size_t>(cols) * sizeof(float));
  }
}

void pack_pair_tile(const PairTileArgs& p) {
  turn_pairs(p.out, p);
  interleave_pairs(p.out + p.head_dim / 2 * kKeyTile, p);
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

// kRows queries and the `count` keys of a tile.
template <int kRows>
inline void attend_pairs(const PairAttentionArgs& a, const PairScratch& s, const float* tile, int64_t query, int64_t count) {
  const int64_t units = a.head_dim / 2, cols = pair_cols(a.head_dim);
  float* out = s.out + query * cols;
  multiply_pairs<kRows, true>({s.q + query * units, units, tile, kKeyTile, units, s.scores, kKeyTile}, pair_cols(count));
  soften<kRows, true>(s.scores, count, a.scale, s.largest + query, s.total + query, out, cols);
  multiply_pairs<kRows, false>({s.scores, kKeyTile, tile + units * kKeyTile, cols, (count + 1) / 2, out, cols}, cols);
}

void pair_attention(const PairAttentionArgs& a) {
  const PairScratch s = split_pair_scratch(a.scratch, a.head_dim);
  const int64_t cols = pair_cols(a.head_dim);
  begin_softmax(s.largest, s.total, s.out, a.queries, cols);
  for (int64_t i = 0; i < a.queries; ++i) narrow_row<DType::BF16>(s.q + i * a.head_dim / 2, a.q + i * a.q_stride, a.head_dim);

  const int64_t parts = (a.queries + kGemmRows - 1) / kGemmRows;
  const float* tile = a.tiles;
  for (int64_t t0 = 0; t0 < a.tokens; t0 += kKeyTile, tile += pair_tile_units(a.head_dim)) {
    const int64_t count = a.tokens - t0 < kKeyTile ? a.tokens - t0 : kKeyTile;
    for (int64_t i = 0; i < parts; ++i) {
      const int64_t from = a.queries * i / parts;
      with_row_count<kGemmRows>(a.queries * (i + 1) / parts - from,
                                [&](auto rows) { attend_pairs<rows.value>(a, s, tile, from, count); });
    }
  }
  for (int64_t i = 0; i < a.queries; ++i) end_softmax(a.out + i * a.out_stride, s.out + i * cols, s.total[i], a.head_dim);
}
