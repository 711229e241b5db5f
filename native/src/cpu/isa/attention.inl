// Softmax(scale * q k^T) v for the queries that share one key/value head, in one pass over the keys (Milakov and
// Gimelshein, "Online normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022).
//
// Keys are taken in tiles of kKeyTile that begin at multiples of kKeyTile; within a tile a query sees its first `seen`
// keys. What a query adds, and in which order, depends on how many keys it sees and on nothing else.

struct AttentionScratch {
  float* out;     // (queries, head_dim) unnormalized
  float* scores;  // (queries, kKeyTile)
  float* keys;    // (kKeyTile, head_dim)
  float* values;  // (kKeyTile, head_dim)
  float* largest;  // (queries)
  float* total;    // (queries)
};

inline AttentionScratch split_scratch(float* at, int64_t head_dim) {
  AttentionScratch s;
  s.out = at;
  s.scores = s.out + kQueryBlock * head_dim;
  s.keys = s.scores + kQueryBlock * kKeyTile;
  s.values = s.keys + kKeyTile * head_dim;
  s.largest = s.values + kKeyTile * head_dim;
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

template <DType kType>
inline void widen_tile(float* out, const void* in, int64_t stride, int64_t t0, int64_t count, int64_t n) {
  for (int64_t t = 0; t < count; ++t) {
    const char* row = static_cast<const char*>(in) + bytes_of<kType>((t0 + t) * stride);
    float* to = out + t * n;
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) v_store(to + i, v_load_as<kType>(row, i));
    if (i < n) v_store_part(to + i, v_load_part_as<kType>(row, i, n - i), n - i);
  }
}

inline void widen_int8_tile(float* out, const void* in, const float* scales, int64_t stride, int64_t t0, int64_t count, int64_t n) {
  for (int64_t t = 0; t < count; ++t) {
    const int8_t* row = static_cast<const int8_t*>(in) + (t0 + t) * stride;
    const V16 scale = v_set(scales[t0 + t]);
    float* to = out + t * n;
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) v_store(to + i, v_mul(v_load_int8(row + i), scale));
    if (i < n) v_store_part(to + i, v_mul(v_load_part_int8(row + i, n - i), scale), n - i);
  }
}

template <KvType kType>
inline void widen_tiles(const AttentionArgs& a, const AttentionScratch& s, int64_t t0, int64_t count) {
  if constexpr (kType == KvType::Int8) {
    widen_int8_tile(s.keys, a.keys, a.key_scales, a.kv_stride, t0, count, a.head_dim);
    widen_int8_tile(s.values, a.values, a.value_scales, a.kv_stride, t0, count, a.head_dim);
  } else {
    widen_tile<float_type_of(kType)>(s.keys, a.keys, a.kv_stride, t0, count, a.head_dim);
    widen_tile<float_type_of(kType)>(s.values, a.values, a.kv_stride, t0, count, a.head_dim);
  }
}

// The scores of four keys with kRows queries: sixteen lanes along head_dim, summed by the fixed tree. One register of
// the lanes at a time, as in gemm.inl, so that the accumulators stay in registers.
template <int kRows>
inline void score_tile(const float* const* q, const float* k, int64_t n, float* out) {
  Reg sums[kRegs][kRows][4];
  const int64_t whole = n & ~int64_t{kLanes - 1};
  for (int pass = 0; pass < kRegs; ++pass) {
    Reg acc[kRows][4];
    for (int r = 0; r < kRows; ++r) {
      for (int c = 0; c < 4; ++c) acc[r][c] = reg_zero();
    }
    const int64_t offset = pass * kRegLanes;
    for (int64_t i = offset; i < whole; i += kLanes) {
      Reg qv[kRows];
      for (int r = 0; r < kRows; ++r) qv[r] = reg_load(q[r] + i);
      for (int c = 0; c < 4; ++c) {
        const Reg kv = reg_load(k + c * n + i);
        for (int r = 0; r < kRows; ++r) acc[r][c] = reg_fma(qv[r], kv, acc[r][c]);
      }
    }
    if (whole != n) {
      const int64_t left = n - whole - offset;
      for (int c = 0; c < 4; ++c) {
        const Reg kv = reg_load_part(k + c * n + whole + offset, left);
        for (int r = 0; r < kRows; ++r) acc[r][c] = reg_fma(reg_load_part(q[r] + whole + offset, left), kv, acc[r][c]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int c = 0; c < 4; ++c) sums[pass][r][c] = acc[r][c];
    }
  }
  for (int r = 0; r < kRows; ++r) {
    Reg folded[4];
    for (int c = 0; c < 4; ++c) {
      V16 lanes;
      for (int pass = 0; pass < kRegs; ++pass) lanes.r[pass] = sums[pass][r][c];
      folded[c] = v_fold(lanes);
    }
    reg_sum4(folded, out + r * kKeyTile);
  }
}

// Scores of kRows queries with the first `count` keys; a tile's last four may take keys past them, which are zeros or
// stale, and whose scores are not looked at.
template <int kRows>
inline void score_rows(const float* const* q, const float* keys, int64_t count, int64_t n, float* out) {
  for (int64_t t = 0; t < count; t += 4) score_tile<kRows>(q, keys + t * n, n, out + t);
}

// One step of the online softmax: turns scores into weights and rescales what is already summed.
inline void soften(float* scores, int64_t seen, float scale, float* largest, float* total, float* out, int64_t n) {
  V16 best = v_set(-__builtin_inff());
  for (int64_t t = 0; t < kKeyTile; t += kLanes) {
    if (t >= seen) break;
    V16 x = v_mul(v_load(scores + t), v_set(scale));
    if (seen - t < kLanes) {
      float lanes[kLanes];
      v_store(lanes, x);
      for (int64_t l = seen - t; l < kLanes; ++l) lanes[l] = -__builtin_inff();
      x = v_load(lanes);
    }
    v_store(scores + t, x);
    best = v_max(best, x);
  }
  const float tile_best = v_max_lane(best);
  const float now = *largest > tile_best ? *largest : tile_best;
  V16 sum = v_set(0.0f);
  for (int64_t t = 0; t < seen; t += kLanes) {
    V16 weight = v_exp(v_sub(v_load(scores + t), v_set(now)));
    if (seen - t < kLanes) {  // lanes past the end weigh nothing, even where all scores are -infinity
      float lanes[kLanes];
      v_store(lanes, weight);
      for (int64_t l = seen - t; l < kLanes; ++l) lanes[l] = 0.0f;
      weight = v_load(lanes);
    }
    v_store(scores + t, weight);
    sum = v_add(sum, weight);
  }
  if (now != *largest) {
    float shrink[kLanes];
    v_store(shrink, v_exp(v_set(*largest - now)));
    *total *= shrink[0];
    for (int64_t i = 0; i < n; i += kLanes) {
      const int64_t count = n - i < kLanes ? n - i : kLanes;
      v_store_part(out + i, v_mul(v_load_part(out + i, count), v_set(shrink[0])), count);
    }
    *largest = now;
  }
  *total += v_sum(sum);
}

// out += weights . values, keys in order.
template <int kRows>
inline void add_values(const float* const* weights, const float* values, int64_t count, int64_t n, float* const* out) {
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t lanes = n - i < kLanes ? n - i : kLanes;
    V16 acc[kRows];
    for (int r = 0; r < kRows; ++r) acc[r] = v_load_part(out[r] + i, lanes);
    if (lanes == kLanes) {
      for (int64_t t = 0; t < count; ++t) {
        const V16 v = v_load(values + t * n + i);
        for (int r = 0; r < kRows; ++r) acc[r] = v_fma(v_set(weights[r][t]), v, acc[r]);
      }
    } else {
      for (int64_t t = 0; t < count; ++t) {
        const V16 v = v_load_part(values + t * n + i, lanes);
        for (int r = 0; r < kRows; ++r) acc[r] = v_fma(v_set(weights[r][t]), v, acc[r]);
      }
    }
    for (int r = 0; r < kRows; ++r) v_store_part(out[r] + i, acc[r], lanes);
  }
}

// kRows queries that see the same number of keys of this tile.
template <int kRows>
inline void attend_rows(const AttentionArgs& a, const AttentionScratch& s, int64_t query, int64_t seen) {
  const float* q[kRows];
  const float* weights[kRows];
  float* out[kRows];
  for (int r = 0; r < kRows; ++r) {
    q[r] = query_at(a, query + r);
    weights[r] = s.scores + (query + r) * kKeyTile;
    out[r] = s.out + (query + r) * a.head_dim;
  }
  float* scores = s.scores + query * kKeyTile;
  if constexpr (kRows == 4) {
    score_rows<2>(q, s.keys, seen, a.head_dim, scores);
    score_rows<2>(q + 2, s.keys, seen, a.head_dim, scores + 2 * kKeyTile);
  } else {
    score_rows<kRows>(q, s.keys, seen, a.head_dim, scores);
  }
  for (int r = 0; r < kRows; ++r) {
    soften(s.scores + (query + r) * kKeyTile, seen, a.scale, s.largest + query + r, s.total + query + r, out[r],
           a.head_dim);
  }
  add_values<kRows>(weights, s.values, seen, a.head_dim, out);
}

template <KvType kType>
void attention_of(const AttentionArgs& a) {
  const AttentionScratch s = split_scratch(a.scratch, a.head_dim);
  const int64_t queries = a.positions * a.heads;
  for (int64_t i = 0; i < queries; ++i) {
    s.largest[i] = -__builtin_inff();
    s.total[i] = 0.0f;
  }
  for (int64_t i = 0; i < queries * a.head_dim; ++i) s.out[i] = 0.0f;

  const int64_t keys = a.visible + (a.positions - 1) * a.visible_step;
  for (int64_t t0 = 0; t0 < keys; t0 += kKeyTile) {
    const int64_t count = keys - t0 < kKeyTile ? keys - t0 : kKeyTile;
    widen_tiles<kType>(a, s, t0, count);
    for (int64_t i = count * a.head_dim; i < (count + 3) / 4 * 4 * a.head_dim; ++i) s.keys[i] = 0.0f;
    for (int64_t query = 0; query < queries;) {
      const int64_t seen = seen_keys(a, query, t0);
      const bool four = query + 3 < queries && seen_keys(a, query + 3, t0) == seen;
      if (seen > 0 && four) attend_rows<4>(a, s, query, seen);
      if (seen > 0 && !four) attend_rows<1>(a, s, query, seen);
      query += four ? 4 : 1;
    }
  }
  for (int64_t query = 0; query < queries; ++query) {
    const V16 inverse = v_div(v_set(1.0f), v_set(s.total[query]));
    float* to = a.out + query / a.heads * a.out_stride + query % a.heads * a.head_dim;
    for (int64_t i = 0; i < a.head_dim; i += kLanes) {
      const int64_t lanes = a.head_dim - i < kLanes ? a.head_dim - i : kLanes;
      v_store_part(to + i, v_mul(v_load_part(s.out + query * a.head_dim + i, lanes), inverse), lanes);
    }
  }
}

void attention(const AttentionArgs& a) {
  switch (a.kv_type) {
    case KvType::F32: return attention_of<KvType::F32>(a);
    case KvType::BF16: return attention_of<KvType::BF16>(a);
    case KvType::F16: return attention_of<KvType::F16>(a);
    case KvType::Int8: return attention_of<KvType::Int8>(a);
  }
}
