// Weights in int4, as backend/int4.h says: written out in 16 bits or f32 a block at a time, while it is near, and multiplied as those
// are. Sums are those of gemv.inl and gemm.inl, bit for bit.

// ---- a row's weights ---------------------------------------------------------------------------------------------------------

// The row of a product's column.
inline Int4Rows int4_row(const ProductArgs& p, int64_t column) {
  Int4Rows row = p.int4;
  const int64_t groups = int4_groups(row.inputs, row.group);
  row.values += column * int4_stride(row.inputs);
  row.scales = static_cast<const char*>(row.scales) + column * groups * kInt4ScaleBytes;
  if (row.zeros != nullptr) row.zeros += column * groups;
  return row;
}

// The sixteen weights of a group.
using Int4Table = V16;

inline V16 int4_rounded(V16 v, DType type) {
  if (type == DType::BF16) {
    for (Reg& r : v.r) r = reg_round_bf16(r);
    return v;
  }
  uint16_t halves[kLanes];
  v_store_as<DType::F16>(halves, 0, v);
  return v_load_as<DType::F16>(halves, 0);
}

// A scale in all lanes.
inline V16 int4_scale(const void* scales, DType type, int64_t at) {
  uint16_t bits;
  __builtin_memcpy(&bits, static_cast<const char*>(scales) + at * kInt4ScaleBytes, sizeof bits);
  const Reg scale = type == DType::F16 ? reg_set_f16(bits) : reg_set_bf16(bits);
  V16 all;
  for (Reg& r : all.r) r = scale;
  return all;
}

inline V16 int4_levels(const uint8_t* zero) {
  if (zero == nullptr) return v_load_int8(kInt4Levels);
  constexpr int8_t kFromZero[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return v_sub(v_load_int8(kFromZero), v_set(static_cast<float>(*zero)));
}

// A group's sixteen weights before they are rounded.
inline V16 int4_exact(const Int4Rows& row, int64_t group) {
  return v_mul(int4_levels(row.zeros == nullptr ? nullptr : row.zeros + group), int4_scale(row.scales, row.type, group));
}

// `as`: what weights are rounded to behind the scales' type.
inline Int4Table int4_table(const Int4Rows& row, int64_t group, DType as) {
  const V16 weights = int4_rounded(int4_exact(row, group), row.type);
  return as == row.type ? weights : int4_rounded(weights, as);
}

constexpr int64_t kInt4Ahead = 1024;  // bytes

// A chunk of a row: its weights in sixteens.
struct Int4Words {
  IntReg lanes[kRegs];

  explicit Int4Words(const uint8_t* chunk) {
    __builtin_prefetch(chunk + kInt4Ahead, 0, kSecondLevel);
    int_load_words(chunk, lanes);
  }
  V16 weights(const Int4Table& table, int step) const {
    V16 out;
    for (int i = 0; i < kRegs; ++i) out.r[i] = reg_lookup(table.r, int_shift_right(lanes[i], step % 2 * 16 + step / 2 * 4));
    return out;
  }
};

// What multiplies F32Rows: sixteen weights a step, widened.
struct Int4Floats {
  using Kind = F32Rows<DType::F32>;
  using Table = Int4Table;
  using Words = Int4Words;
  static constexpr int kStep = kLanes;

  static bool takes(const Int4Rows&, DType) { return true; }
  static Table table(const Int4Rows& row, int64_t group, DType as) { return int4_table(row, group, as); }
  static void store(float* out, const Words& words, const Table& table, int step) { v_store(out, words.weights(table, step)); }
  static V16 multiply(const float* a, const Words& words, const Table& table, int step, V16 acc) {
    return v_fma(v_load(a), words.weights(table, step), acc);
  }
};

#ifdef IVL_BF16
// What multiplies Bf16Rows: 32 weights a step, in bf16.
struct Int4Pairs {
  using Kind = Bf16Rows;
  using Table = __m512i;  // twice the sixteen weights
  struct Words {
    __m512i words;
    explicit Words(const uint8_t* chunk) : words(_mm512_loadu_si512(chunk)) {
      __builtin_prefetch(chunk + kInt4Ahead, 0, kSecondLevel);
    }
    PairReg weights(const Table& table, int step) const {
      return _mm512_permutexvar_epi16(_mm512_srli_epi16(words, static_cast<unsigned>(4 * step)), table);
    }
  };
  static constexpr int kStep = kPairStep;

  static bool takes(const Int4Rows& row, DType as) { return row.type == DType::BF16 && as == DType::BF16; }
  // Denormal weights become zeros, which pairs_fma takes them for.
  static Table table(const Int4Rows& row, int64_t group, DType) {
    const __m256bh rounded = _mm512_cvtneps_pbh(int4_exact(row, group).r[0]);
    __m256i halves;
    __builtin_memcpy(&halves, &rounded, sizeof halves);
    return _mm512_broadcast_i64x4(halves);
  }
  static void store(uint16_t* out, const Words& words, const Table& table, int step) {
    _mm512_storeu_si512(out, words.weights(table, step));
  }
  static V16 multiply(const uint16_t* a, const Words& words, const Table& table, int step, V16 acc) {
    return {{pairs_fma(load_pairs(a), words.weights(table, step), acc.r[0])}};
  }
};
#endif

// ---- written out ------------------------------------------------------------------------------------------------------------------

constexpr int64_t kInt4Part = 64;  // inputs, half a chunk: at its begin a table may begin

// Which group's table is next.
struct Int4Groups {
  int64_t group, number, left;

  Int4Groups(const Int4Rows& row, int64_t k0) : group(row.group), number(k0 / group), left(group - k0 % group) {}
  // Whether a group begins behind `inputs` more.
  bool next(int64_t inputs) {
    const bool begins = left == 0;
    if (begins) {
      ++number;
      left = group;
    }
    left -= inputs;
    return begins;
  }
};

// The weights of inputs [k0, k0 + n) of a row to `out`, k0 being a multiple of kInt4Chunk and groups of kInt4Part. What follows n up to a whole
// chunk is written, too.
template <class Unpacked, class Value>
inline void int4_write_parts(Value* out, const Int4Rows& row, int64_t k0, int64_t n, DType as) {
  constexpr int kSteps = kInt4Part / Unpacked::kStep;  // of a part
  Int4Groups groups(row, k0);
  typename Unpacked::Table table = Unpacked::table(row, groups.number, as);
  const uint8_t* chunk = row.values + k0 / 2;
  for (int64_t k = 0; k < n; k += kInt4Chunk, chunk += kInt4Chunk / 2) {
    const typename Unpacked::Words words(chunk);
    for (int part = 0; part < 2 && k + part * kInt4Part < n; ++part) {
      if (groups.next(kInt4Part)) table = Unpacked::table(row, groups.number, as);
#pragma GCC unroll 4  // so that shifts are by constants
      for (int step = 0; step < kSteps; ++step) {
        Unpacked::store(out + k + part * kInt4Part + step * Unpacked::kStep, words, table, part * kSteps + step);
      }
    }
  }
}

// The same of groups of any multiple of sixteen.
inline void int4_write_steps(float* out, const Int4Rows& row, int64_t k0, int64_t n, DType as) {
  Int4Groups groups(row, k0);
  Int4Table table = int4_table(row, groups.number, as);
  for (int64_t k = 0; k < n; k += kInt4Chunk) {
    const Int4Words words(row.values + (k0 + k) / 2);
    for (int step = 0; step < kInt4Chunk / kLanes && k + step * kLanes < n; ++step) {
      if (groups.next(kLanes)) table = int4_table(row, groups.number, as);
      v_store(out + k + step * kLanes, words.weights(table, step));
    }
  }
}

inline void int4_write(float* out, const Int4Rows& row, int64_t k0, int64_t n, DType as) {
  row.group % kInt4Part == 0 ? int4_write_parts<Int4Floats>(out, row, k0, n, as) : int4_write_steps(out, row, k0, n, as);
}

inline void int4_write(uint16_t* out, const Int4Rows& row, int64_t k0, int64_t n, DType as) {
#ifdef IVL_BF16
  if (row.group % kInt4Part == 0 && Int4Pairs::takes(row, as)) return int4_write_parts<Int4Pairs>(out, row, k0, n, as);
#endif
  float wide[kPairBlock];
  int4_write(wide, row, k0, n, as);
  narrow_row<DType::BF16>(out, wide, n);
}

// ---- one or two rows -----------------------------------------------------------------------------------------------------------
//
// They wait for memory, so weights are multiplied as they are unpacked.

// A tile's columns over [k0, k0 + depth), whole chunks, of groups of kInt4Part.
template <class Unpacked, int kRows>
inline void int4_multiply(const FewRows<typename Unpacked::Kind>& p, const Int4Rows (&columns)[kTileCols], int64_t at, int count,
                          int64_t k0, int64_t depth, DType as) {
  constexpr int kSteps = kInt4Part / Unpacked::kStep;  // of a part
  Int4Groups groups(columns[0], k0);
  V16 acc[kRows][kTileCols];
  typename Unpacked::Table tables[kTileCols];
  for (int n = 0; n < kTileCols; ++n) {
    for (int m = 0; m < kRows; ++m) acc[m][n] = v_set(0.0f);
    tables[n] = Unpacked::table(columns[n], groups.number, as);
  }
  for (int64_t k = k0; k < k0 + depth; k += kInt4Chunk) {
    using Words = typename Unpacked::Words;
    const Words words[kTileCols] = {Words(columns[0].values + k / 2), Words(columns[1].values + k / 2),
                                    Words(columns[2].values + k / 2), Words(columns[3].values + k / 2)};
#pragma GCC unroll 2
    for (int part = 0; part < 2; ++part) {
      if (groups.next(kInt4Part)) {
        for (int n = 0; n < kTileCols; ++n) tables[n] = Unpacked::table(columns[n], groups.number, as);
      }
#pragma GCC unroll 4  // so that shifts are by constants
      for (int step = 0; step < kSteps; ++step) {
        for (int m = 0; m < kRows; ++m) {
          const auto* a = p.in + m * p.in_stride + k + part * kInt4Part + step * Unpacked::kStep;
          for (int n = 0; n < kTileCols; ++n) {
            acc[m][n] = Unpacked::multiply(a, words[n], tables[n], part * kSteps + step, acc[m][n]);
          }
        }
      }
    }
  }
  for (int m = 0; m < kRows; ++m) {
    Reg folded[kTileCols];
    for (int n = 0; n < kTileCols; ++n) folded[n] = v_fold(acc[m][n]);
    float out[kTileCols];
    reg_sum4(folded, out);
    float* to = p.sums + m * p.sums_stride + at;
    for (int n = 0; n < count; ++n, to += p.runs.each) *to = k0 == 0 ? out[n] : *to + out[n];
  }
}

template <class Unpacked>
inline void int4_stream(const FewRows<typename Unpacked::Kind>& few, const ProductArgs& p) {
  constexpr int64_t kBlock = Unpacked::Kind::kBlock;
  for (int64_t at = 0; at < p.runs.each && at < p.cols; ++at) {
    Int4Rows columns[kTileCols];
    int count = 0;
    for (int n = 0; n < kTileCols; ++n) {
      const int64_t column = at + n * p.runs.apart;
      count += column < p.cols;
      columns[n] = int4_row(p, column < p.cols ? column : at);
    }
    for (int64_t k0 = 0; k0 < p.k; k0 += kBlock) {
      const int64_t depth = p.k - k0 < kBlock ? p.k - k0 : kBlock;
      with_row_count<kStreamedRows>(
          p.rows, [&](auto rows) { int4_multiply<Unpacked, rows.value>(few, columns, at, count, k0, depth, p.dtype); });
    }
  }
}

template <class Unpacked>
inline bool int4_streams(const ProductArgs& p) {
  return p.rows <= kStreamedRows && p.k % kInt4Chunk == 0 && p.int4.group % kInt4Part == 0 && Unpacked::takes(p.int4, p.dtype);
}

// ---- products ------------------------------------------------------------------------------------------------------------------

// Of few rows, with weights written out as Kind takes them.
template <class Kind>
void int4_products_of_few(const ProductArgs& p) {
  const FewRows<Kind> few{
      static_cast<const typename Kind::In*>(p.in), p.in_stride, p.rows, nullptr, p.cols, p.runs, p.k, p.sums, p.sums_stride};
  if constexpr (std::is_same_v<Kind, Int4Floats::Kind>) {
    if (int4_streams<Int4Floats>(p)) return int4_stream<Int4Floats>(few, p);
  }
#ifdef IVL_BF16
  if constexpr (std::is_same_v<Kind, Int4Pairs::Kind>) {
    if (int4_streams<Int4Pairs>(p)) return int4_stream<Int4Pairs>(few, p);
  }
#endif
  const RowTiles tiles = row_tiles<Kind>(p.rows);
  alignas(64) typename Kind::In wide[kTileCols][Kind::kBlock];
  TileColumns columns{{}, 0};
  const char* rows[kTileCols];
  for (int n = 0; n < kTileCols; ++n) rows[n] = reinterpret_cast<const char*>(wide[n]);
  for (int64_t at = 0; at < p.runs.each && at < p.cols; ++at) {
    columns.count = 0;
    for (int n = 0; n < kTileCols; ++n) columns.count += at + n * p.runs.apart < p.cols;
    for (int64_t k0 = 0; k0 < p.k; k0 += Kind::kBlock) {
      const Streams s{at, k0, p.k - k0 < Kind::kBlock ? p.k - k0 : Kind::kBlock, 0};
      for (int n = 0; n < columns.count; ++n) int4_write(wide[n], int4_row(p, at + n * p.runs.apart), k0, s.depth, p.dtype);
      multiply_columns<Kind, false>(few, tiles, s, columns, rows);
    }
  }
}

// A panel's columns, written out and packed as Units are.
template <class Units, class Value>
inline void int4_pack(const ProductArgs& p, const PackedBlock& at) {
  alignas(64) Value wide[kRegLanes][Units::kBlock];
  const int64_t steps = steps_of<Units>(at.depth);
  for (int64_t n = 0; n < at.cols; n += kGemmCols) {
    for (int64_t c0 = 0; c0 < kGemmCols; c0 += kRegLanes) {
      const int64_t first = n + c0, cols = at.cols - first;
      for (int64_t c = 0; c < kRegLanes && c < cols; ++c)
        int4_write(wide[c], int4_row(p, at.n0 + first + c), at.k0, at.depth, p.dtype);
      pack_lanes(p.packed + n * steps * kLanes + c0, InPasses{steps}, cols, steps, [&](int64_t col, int64_t step, int l0) {
        const int64_t element = step * Units::kStep + l0 * (Units::kStep / kLanes);
        return Units::load(reinterpret_cast<const char*>(wide[col]), element, at.depth - element);
      });
    }
  }
}

template <class Units>
void int4_products_of_many(const ProductArgs& p) {
  using Value = std::conditional_t<Units::kWeights == DType::F32, float, uint16_t>;
  const int64_t stride = int4_stride(p.k);
  BlockWalk{p.cols, p.k, Units::kBlock}.each([&](const PackedBlock& at, const PackedBlock& next) {
    int4_pack<Units, Value>(p, at);
    const PackedBlock bytes{next.n0, next.cols, next.k0 / 2, int4_stride(next.depth)};
    WeightFetch fetch(p.int4.values + bytes.n0 * stride + bytes.k0, bytes, stride, 1, p.rows);
    multiply_block<Units>(p, at, fetch);
  });
}

// ---- quantizing ----------------------------------------------------------------------------------------------------------------

// The q of values in units of the scale: how many of the middles between levels they are not below.
inline V16 int4_nearest(V16 x) {
  V16 q = v_set(0.0f);
  for (int i = 1; i < kLanes; ++i) {
    const float middle = 0.5f * static_cast<float>(kInt4Levels[i - 1] + kInt4Levels[i]);
    q = v_add(q, v_select_less(x, v_set(middle), v_set(0.0f), v_set(1.0f)));
  }
  return q;
}

inline V16 int4_level_of(V16 q) {
  V16 level = v_set(static_cast<float>(kInt4Levels[0]));
  for (int i = 1; i < kLanes; ++i) {
    const float step = static_cast<float>(kInt4Levels[i] - kInt4Levels[i - 1]);
    level = v_add(level, v_select_less(q, v_set(static_cast<float>(i)), v_set(0.0f), v_set(step)));
  }
  return level;
}

// A group's values, zeros behind them.
struct Int4Group {
  static constexpr int kParts = kInt4Group / kLanes;
  V16 values[kParts];

  Int4Group(const float* in, int64_t n) {
    for (int i = 0; i < kParts; ++i) {
      const int64_t left = n - i * kLanes;
      values[i] = v_load_part(in + i * kLanes, left < 0 ? 0 : left < kLanes ? left : kLanes);
    }
  }

  // The squares of what a scale loses, added up.
  float loss(float scale) const {
    const V16 s = v_set(scale), inverse = v_set(1.0f / scale);
    V16 sum = v_set(0.0f);
    for (const V16& x : values) {
      const V16 lost = v_sub(x, v_mul(int4_level_of(int4_nearest(v_mul(x, inverse))), s));
      sum = v_fma(lost, lost, sum);
    }
    return v_sum(sum);
  }
};

// The scale that loses least of those tried, rounded to its type: the largest value on the last level, or somewhat beside it, with
// either sign. NaN of values that are not finite.
inline float int4_best_scale(const Int4Group& group, float largest, DType type) {
  constexpr int kTried = 8;
  constexpr float kLowest = 0.76f, kStep = 0.04f;  // and 1 is one of them
  float best = 0, least = 0;
  for (int i = 0; i < 2 * kTried; ++i) {
    const float part = kLowest + kStep * static_cast<float>(i / 2);
    float rounded[kLanes];
    v_store(rounded, int4_rounded(v_set(largest / 127.0f * (i % 2 == 0 ? part : -part)), type));
    const float scale = rounded[0];
    if (scale == 0.0f) continue;
    const float loss = group.loss(scale);
    if (best != 0.0f && !(loss < least)) continue;
    best = scale;
    least = loss;
  }
  return best;
}

void int4_quantize_weights(uint8_t* out, void* scales, DType type, const float* in, int64_t n) {
  __builtin_memset(out, 0, static_cast<size_t>(int4_stride(n)));
  for (int64_t at = 0; at < n; at += kInt4Group) {
    const int64_t count = n - at < kInt4Group ? n - at : kInt4Group;
    const float largest = largest_magnitude_or_nan(in + at, count);
    const Int4Group group(in + at, count);
    const float scale = largest > 0 ? int4_best_scale(group, largest, type) : largest;
    uint16_t halves[kLanes];
    const V16 all = v_set(scale), inverse = v_set(scale == 0.0f ? 0.0f : 1.0f / scale);
    type == DType::F16 ? v_store_as<DType::F16>(halves, 0, all) : v_store_as<DType::BF16>(halves, 0, all);
    __builtin_memcpy(static_cast<char*>(scales) + at / kInt4Group * kInt4ScaleBytes, halves, kInt4ScaleBytes);
    for (int64_t i = 0; i < count; i += kLanes) {
      float q[kLanes];
      v_store(q, int4_nearest(v_mul(group.values[i / kLanes], inverse)));
      for (int64_t j = 0; j < kLanes && i + j < count; ++j) {
        const Int4Place place = int4_place(at + i + j);
        out[place.byte] = static_cast<uint8_t>(out[place.byte] | static_cast<int>(q[j]) << place.shift);
      }
    }
  }
}
