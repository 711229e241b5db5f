// Softmax(scale * q k^T) v for the queries that share one key/value head, in one pass over the keys (Milakov and
// Gimelshein, "Online normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022).
//
// Keys are taken in tiles of kKeyTile that begin at multiples of kKeyTile; within a tile a query sees its first `seen`
// keys. What a query adds, and in which order, depends on how many keys it sees and on nothing else.

struct AttentionScratch {
  float* out;      // (queries, head_dim) unnormalized
  float* scores;   // (queries, kKeyTile)
  float* keys;     // (head_dim, kKeyTile): a tile's keys as columns
  float* largest;  // (queries)
  float* total;    // (queries)
};

static_assert(kQueryBlock * (kMaxHeadDim + kKeyTile + 2) + kKeyTile * kMaxHeadDim <= kAttentionScratchFloats);

inline AttentionScratch split_scratch(float* at, int64_t head_dim) {
  AttentionScratch s;
  s.out = at;
  s.scores = s.out + kQueryBlock * head_dim;
  s.keys = s.scores + kQueryBlock * kKeyTile;
  s.largest = s.keys + kKeyTile * head_dim;
  s.total = s.largest + kQueryBlock;
  return s;
}

inline const float* query_at(const AttentionArgs& a, int64_t query) {
  return a.q + query / a.heads * a.q_stride + query % a.heads * a.head_dim;
}

// How many of the keys [t0, t0 + kKeyTile) the query sees; 0 or less for none.
inline int64_t seen_keys(const AttentionArgs& a, int64_t query, int64_t t0) {
  const int64_t left = a.visible + query / a.heads * a.visible_step - t0;
  return left < kKeyTile ? left : kKeyTile;
}

// Keys or values as they are kept, read as f32.
template <DType kType>
struct KvRows {
  const void* data;
  int64_t stride;

  Reg load(int64_t t, int64_t i) const { return reg_load_as<kType>(data, t * stride + i); }
  // The first n lanes of a register, n below kLanes.
  Reg load_part(int64_t t, int64_t i, int64_t n) const { return v_load_part_as<kType>(data, t * stride + i, n).r[0]; }
};

// The same of bytes with a scale for each row.
struct Int8KvRows {
  const int8_t* data;
  const float* scales;
  int64_t stride;

  Reg load(int64_t t, int64_t i) const { return reg_mul(reg_load_int8(data + t * stride + i), reg_set(scales[t])); }
  Reg load_part(int64_t t, int64_t i, int64_t n) const {
    return reg_mul(v_load_part_int8(data + t * stride + i, n).r[0], reg_set(scales[t]));
  }
};

// `count` keys from a row on as columns, zeros where a tile has no more keys: lanes are then keys, and a score is one chain of
// multiply-adds along head_dim that no lanes need to be summed for.
template <class Rows>
inline void turn_keys(float* out, const Rows& keys, int64_t row, int64_t count, int64_t n) {
  for (int64_t t = 0; t < kKeyTile; t += kRegLanes) {
    for (int64_t i = 0; i < n; i += kRegLanes) {
      Reg block[kRegLanes];
      for (int64_t l = 0; l < kRegLanes; ++l) {
        block[l] = t + l >= count       ? reg_zero()
                   : i + kRegLanes <= n ? keys.load(row + t + l, i)
                                        : keys.load_part(row + t + l, i, n - i);
      }
      reg_transpose(block);
      for (int64_t l = 0; l < kRegLanes && i + l < n; ++l) reg_store(out + (i + l) * kKeyTile + t, block[l]);
    }
  }
}

// out[r][t] = query r . key t for the first `count` keys and those that share their registers.
template <int kRows>
inline void score_rows(const float* const* q, const float* keys, int64_t count, int64_t n, float* out) {
  for (int64_t t = 0; t < count; t += kTileCols * kRegLanes) {
    Reg acc[kRows][kTileCols];
    for (int r = 0; r < kRows; ++r) {
      for (int c = 0; c < kTileCols; ++c) acc[r][c] = reg_zero();
    }
    for (int64_t i = 0; i < n; ++i) {
      Reg qv[kRows];
      for (int r = 0; r < kRows; ++r) qv[r] = reg_set(q[r][i]);
      for (int c = 0; c < kTileCols; ++c) {
        const Reg kv = reg_load(keys + i * kKeyTile + t + c * kRegLanes);
        for (int r = 0; r < kRows; ++r) acc[r][c] = reg_fma(qv[r], kv, acc[r][c]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int c = 0; c < kTileCols; ++c) reg_store(out + r * kKeyTile + t + c * kRegLanes, acc[r][c]);
    }
  }
}

// No key seen: `out` has `queries` rows of n.
inline void begin_softmax(float* largest, float* total, float* out, int64_t queries, int64_t n) {
  for (int64_t i = 0; i < queries; ++i) {
    largest[i] = -__builtin_inff();
    total[i] = 0.0f;
  }
  for (int64_t i = 0; i < queries * n; ++i) out[i] = 0.0f;
}

// What a query has summed, divided by the sum of its weights.
inline void end_softmax(float* to, const float* out, float total, int64_t n) {
  const V16 inverse = v_div(v_set(1.0f), v_set(total));
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t lanes = n - i < kLanes ? n - i : kLanes;
    v_store_part(to + i, v_mul(v_load_part(out + i, lanes), inverse), lanes);
  }
}

// Lanes of v from `count` on become x.
inline V16 v_fill_behind(V16 v, int64_t count, float x) {
  if (count >= kLanes) return v;
  float lanes[kLanes];
  v_store(lanes, v);
  for (int64_t l = count; l < kLanes; ++l) lanes[l] = x;
  return v_load(lanes);
}

// Scales a row's scores and gives the largest.
inline float scale_scores(float* scores, int64_t seen, float scale) {
  V16 best = v_set(-__builtin_inff());
  for (int64_t t = 0; t < seen; t += kLanes) {
    const V16 x = v_fill_behind(v_mul(v_load(scores + t), v_set(scale)), seen - t, -__builtin_inff());
    v_store(scores + t, x);
    best = v_max(best, x);
  }
  return v_max_lane(best);
}

// Turns a row's scores into weights, which lie where the scores did, and gives the lanes of their sum. kPairs: they are rounded to
// bf16 behind that.
template <bool kPairs>
inline V16 weigh_scores(float* scores, int64_t seen, float largest) {
  V16 sum = v_set(0.0f);
  auto* halves = reinterpret_cast<char*>(scores);
  for (int64_t t = 0; t < seen; t += kLanes) {
    // Lanes past the end weigh nothing, even where all scores are -infinity.
    const V16 weight = v_fill_behind(v_exp_to_one(v_sub(v_load(scores + t), v_set(largest))), seen - t, 0.0f);
    for (int i = 0; i < kRegs; ++i) {
      const int64_t at = t + i * kRegLanes;
      kPairs ? round_for_pairs(halves + bytes_of<DType::BF16>(at), weight.r[i]) : reg_store(scores + at, weight.r[i]);
    }
    sum = v_add(sum, weight);
  }
  return sum;
}

// What is summed already is less by a factor once there is a larger score.
inline void shrink_sums(float from, float to, float* total, float* out, int64_t n) {
  float shrink[kLanes];
  v_store(shrink, v_exp_to_one(v_set(from - to)));
  *total *= shrink[0];
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t count = n - i < kLanes ? n - i : kLanes;
    v_store_part(out + i, v_mul(v_load_part(out + i, count), v_set(shrink[0])), count);
  }
}

// One step of the online softmax of some rows: turns scores into weights and rescales what is already summed. All rows take each
// part of it together, so that one row's chain of operations fills the waits of another's.
template <int kRows, bool kPairs>
inline void soften(float* scores, int64_t seen, float scale, float* largest, float* total, float* out, int64_t n) {
  float now[kRows];
  for (int r = 0; r < kRows; ++r) {
    const float best = scale_scores(scores + r * kKeyTile, seen, scale);
    now[r] = largest[r] > best ? largest[r] : best;
  }
  V16 sums[kRows];
  for (int r = 0; r < kRows; ++r) sums[r] = weigh_scores<kPairs>(scores + r * kKeyTile, seen, now[r]);
  for (int r = 0; r < kRows; ++r) {
    if (now[r] != largest[r]) shrink_sums(largest[r], now[r], total + r, out + r * n, n);
    largest[r] = now[r];
    total[r] += v_sum(sums[r]);
  }
}

// Queries' rows of weights, kKeyTile apart, and of sums, head_dim apart.
template <class Rows>
struct WeighedValues {
  const float* weights;
  Rows values;
  int64_t row, count;  // of the first key; keys, at least one
  float* out;
  int64_t head_dim;
};

// Elements [i, i + kCols registers) of out += weights . values, keys in order. The last register may be a part of one.
template <int kRows, int kCols, bool kPart, class Rows>
inline void add_values_at(const WeighedValues<Rows>& w, int64_t i) {
  const int64_t part = w.head_dim - i;
  Reg acc[kRows][kCols];
  for (int r = 0; r < kRows; ++r) {
    for (int c = 0; c < kCols; ++c) {
      const float* from = w.out + r * w.head_dim + i + c * kRegLanes;
      acc[r][c] = kPart ? reg_load_part(from, part) : reg_load(from);
    }
  }
  int64_t t = 0;
  do {  // Around a loop that may have no step GCC 12 stores and loads all accumulators.
    Reg weight[kRows];
    for (int r = 0; r < kRows; ++r) weight[r] = reg_set(w.weights[r * kKeyTile + t]);
    for (int c = 0; c < kCols; ++c) {
      const int64_t at = i + c * kRegLanes;
      const Reg value = kPart ? w.values.load_part(w.row + t, at, part) : w.values.load(w.row + t, at);
      for (int r = 0; r < kRows; ++r) acc[r][c] = reg_fma(weight[r], value, acc[r][c]);
    }
  } while (++t < w.count);
  for (int r = 0; r < kRows; ++r) {
    for (int c = 0; c < kCols; ++c) {
      float* to = w.out + r * w.head_dim + i + c * kRegLanes;
      kPart ? reg_store_part(to, acc[r][c], part) : reg_store(to, acc[r][c]);
    }
  }
}

template <int kRows, class Rows>
inline void add_values(const WeighedValues<Rows>& w) {
  int64_t i = 0;
  for (; i + kTileCols * kRegLanes <= w.head_dim; i += kTileCols * kRegLanes) add_values_at<kRows, kTileCols, false>(w, i);
  for (; i + kRegLanes <= w.head_dim; i += kRegLanes) add_values_at<kRows, 1, false>(w, i);
  if (i < w.head_dim) add_values_at<kRows, 1, true>(w, i);
}

// kRows queries that see the same number of keys of this tile.
template <int kRows, class Rows>
inline void attend_rows(const AttentionArgs& a, const AttentionScratch& s, const Rows& values, int64_t row, int64_t query,
                        int64_t seen) {
  const float* q[kRows];
  for (int r = 0; r < kRows; ++r) q[r] = query_at(a, query + r);
  float* scores = s.scores + query * kKeyTile;
  float* out = s.out + query * a.head_dim;
  score_rows<kRows>(q, s.keys, seen, a.head_dim, scores);
  soften<kRows, false>(scores, seen, a.scale, s.largest + query, s.total + query, out, a.head_dim);
  add_values<kRows>(WeighedValues<Rows>{scores, values, row, seen, out, a.head_dim});
}

// body(rows, first) for [begin, end) in even parts of at most kMost rows: a constant, and the first of them.
template <int kMost, class Body>
inline void for_each_part(int64_t begin, int64_t end, const Body& body) {
  const int64_t parts = (end - begin + kMost - 1) / kMost;
  for (int64_t i = 0; i < parts; ++i) {
    const int64_t first = begin + (end - begin) * i / parts;
    with_row_count<kMost>(begin + (end - begin) * (i + 1) / parts - first, [&](auto rows) { body(rows, first); });
  }
}

// body(rows, first, seen) for the parts of each run of queries that see as many keys of the tile that begins at t0, at least one.
template <int kMost, class Body>
inline void for_each_run(const AttentionArgs& a, int64_t t0, const Body& body) {
  const int64_t queries = a.positions * a.heads;
  for (int64_t begin = 0; begin < queries;) {
    const int64_t seen = seen_keys(a, begin, t0);
    int64_t end = begin + 1;
    while (end < queries && seen_keys(a, end, t0) == seen) ++end;
    if (seen > 0) for_each_part<kMost>(begin, end, [&](auto rows, int64_t first) { body(rows, first, seen); });
    begin = end;
  }
}

// body(t0, block, row, count) for each tile of keys that a query sees: the first key, where it lies, and how many there are.
template <class Body>
inline void for_each_tile(const AttentionArgs& a, const Body& body) {
  const int64_t visible = a.visible + (a.positions - 1) * a.visible_step;
  for (int64_t t0 = 0; t0 < visible; t0 += kKeyTile) {
    body(t0, static_cast<const char*>(a.blocks[t0 / a.block_rows]), t0 % a.block_rows,
         visible - t0 < kKeyTile ? visible - t0 : kKeyTile);
  }
}

// What the queries have summed, `cols` apart, to where it belongs.
inline void end_queries(const AttentionArgs& a, const float* out, int64_t cols, const float* total) {
  for (int64_t query = 0; query < a.positions * a.heads; ++query) {
    float* to = a.out + query / a.heads * a.out_stride + query % a.heads * a.head_dim;
    end_softmax(to, out + query * cols, total[query], a.head_dim);
  }
}

// rows_at(block, offset, offset of the scales) gives Rows of a block.
template <class RowsAt>
void attention_of(const AttentionArgs& a, const RowsAt& rows_at) {
  const AttentionScratch s = split_scratch(a.scratch, a.head_dim);
  begin_softmax(s.largest, s.total, s.out, a.positions * a.heads, a.head_dim);
  for_each_tile(a, [&](int64_t t0, const char* block, int64_t row, int64_t count) {
    turn_keys(s.keys, rows_at(block, a.keys, a.key_scales), row, count, a.head_dim);
    const auto values = rows_at(block, a.values, a.value_scales);
    for_each_run<kTileRows>(
        a, t0, [&](auto rows, int64_t first, int64_t seen) { attend_rows<rows.value>(a, s, values, row, first, seen); });
  });
  end_queries(a, s.out, a.head_dim, s.total);
}

template <DType kType>
void attention_in(const AttentionArgs& a) {
  attention_of(a, [&](const char* block, size_t offset, size_t) { return KvRows<kType>{block + offset, a.kv_stride}; });
}

void attention(const AttentionArgs& a) {
  switch (a.kv_type) {
    case KvType::F32: return attention_in<DType::F32>(a);
    case KvType::BF16: return attention_in<DType::BF16>(a);
    case KvType::F16: return attention_in<DType::F16>(a);
    case KvType::Int8:
      return attention_of(a, [&](const char* block, size_t offset, size_t scales) {
        return Int8KvRows{reinterpret_cast<const int8_t*>(block + offset), reinterpret_cast<const float*>(block + scales),
                          a.kv_stride};
      });
  }
}
