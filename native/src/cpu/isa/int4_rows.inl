// Rows of weights in int4, as backend/int4.h says: unpacked into registers, and written out in 16 bits or f32.

// ---- a row's weights ---------------------------------------------------------------------------------------------------------

// The row of a product's column. Not Int4Rows::from, which would be compiled here for everybody (kernel_table.h).
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

constexpr int kInt4Part = 64;  // inputs: of the groups that there are almost always

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

// The weights of inputs [k0, k0 + n) of a row to `out`, k0 being a multiple of kInt4Chunk and groups of kPart inputs, which are
// done together. What follows n up to a whole part is written, too.
template <class Unpacked, int kPart, class Value>
inline void int4_write_parts(Value* out, const Int4Rows& row, int64_t k0, int64_t n, DType as) {
  constexpr int kSteps = kPart / Unpacked::kStep;  // of a part
  Int4Groups groups(row, k0);
  typename Unpacked::Table table = Unpacked::table(row, groups.number, as);
  const uint8_t* chunk = row.values + k0 / 2;
  for (int64_t k = 0; k < n; k += kInt4Chunk, chunk += kInt4Chunk / 2) {
    const typename Unpacked::Words words(chunk);
    for (int part = 0; part < kInt4Chunk / kPart && k + part * kPart < n; ++part) {
      if (groups.next(kPart)) table = Unpacked::table(row, groups.number, as);
#pragma GCC unroll 4  // so that shifts are by constants
      for (int step = 0; step < kSteps; ++step) {
        Unpacked::store(out + k + part * kPart + step * Unpacked::kStep, words, table, part * kSteps + step);
      }
    }
  }
}

inline void int4_write(float* out, const Int4Rows& row, int64_t k0, int64_t n, DType as) {
  row.group % kInt4Part == 0 ? int4_write_parts<Int4Floats, kInt4Part>(out, row, k0, n, as)
                             : int4_write_parts<Int4Floats, kInt4GroupStep>(out, row, k0, n, as);
}

inline void int4_write(uint16_t* out, const Int4Rows& row, int64_t k0, int64_t n, DType as) {
#ifdef IVL_BF16
  if (row.group % kInt4Part == 0 && Int4Pairs::takes(row, as)) return int4_write_parts<Int4Pairs, kInt4Part>(out, row, k0, n, as);
#endif
  float wide[kPairBlock];
  int4_write(wide, row, k0, n, as);
  narrow_row<DType::BF16>(out, wide, n);
}
