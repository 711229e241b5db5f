// Products in int8: activations quantized a row at a time, weights a row (an output) at a time, sums in int32, which are
// exact in any order, so every variant and every number of rows gives the same bits.
//
// The processor multiplies bytes without a sign by bytes with one, so activations are kept as q + 128 and 128 times the sum of
// the weight's row is taken off again.

// ---- from totals to sums ----------------------------------------------------------------------------------------------------------

// What belongs to up to kRegLanes columns from n0 on: zeros in the lanes behind them.
struct Int8Columns {
  int64_t n0, cols;
  IntReg offset;  // takes 128 times the weights' sum off a total
  Reg scale;
};

inline Int8Columns int8_columns(const Int8WeightRows& weight, int64_t n0, int64_t cols) {
  int32_t offsets[kRegLanes] = {};
  for (int64_t n = 0; n < cols && n < kRegLanes; ++n) offsets[n] = -128 * weight.sums[n0 + n];
  return {n0, cols < kRegLanes ? cols : kRegLanes, int_load(offsets), reg_load_part(weight.scales + n0, cols)};
}

// The products of a row's outliers, in the order of their columns.
inline Reg int8_outliers(const Int8ProductArgs& p, int64_t m, const Int8Columns& at) {
  const Int8Outlier* list = p.in.outliers + m * kMostOutliers;
  Reg sum = reg_zero();
  for (int32_t i = 0; i < p.in.outlier_counts[m]; ++i) {
    const int8_t* column = p.weight.values + at.n0 * p.in.stride + list[i].column;
    float weights[kRegLanes] = {};
    for (int64_t n = 0; n < at.cols; ++n) weights[n] = static_cast<float>(column[n * p.in.stride]);
    sum = reg_fma(reg_set(list[i].value), reg_load(weights), sum);
  }
  return sum;
}

inline Reg int8_sums(const Int8ProductArgs& p, int64_t m, const Int8Columns& at, IntReg totals) {
  const Reg exact = reg_of_ints(int_add(totals, at.offset));
  return reg_mul(reg_fma(exact, reg_set(p.in.scales[m]), int8_outliers(p, m, at)), at.scale);
}

// ---- few rows ----------------------------------------------------------------------------------------------------------------------

void int8_products_of_few(const Int8ProductArgs& p) {
  products_of_few<ByteRows>({p.in.values, p.in.stride, p.rows, reinterpret_cast<const char*>(p.weight.values), p.cols, p.runs,
                             p.in.stride, p.totals, p.sums_stride});
  for (int64_t run = 0; run < kColumnRuns; ++run) {
    const int64_t first = run * p.runs.apart, left = p.cols - first, cols = left < p.runs.each ? left : p.runs.each;
    for (int64_t n = 0; n < cols; n += kRegLanes) {
      const Int8Columns columns = int8_columns(p.weight, first + n, cols - n);
      for (int64_t m = 0; m < p.rows; ++m) {
        const int64_t at = m * p.sums_stride + run * p.runs.each + n;
        int32_t totals[kRegLanes] = {};
        __builtin_memcpy(totals, p.totals + at, static_cast<size_t>(columns.cols) * sizeof(int32_t));
        reg_store_part(p.sums + at, int8_sums(p, m, columns, int_load(totals)), columns.cols);
      }
    }
  }
}

// ---- many rows: tiles as in gemm.inl, a unit being the bytes of a lane -----------------------------------------------------------

constexpr int64_t kUnitBytes = kIntBytes / kRegLanes;

// A tile's rows of activations in units of 4 bytes, `stride` apart.
struct Int8Units {
  const int32_t* rows;
  int64_t stride;
};

// As they are where bytes are multiplied, else widened.
inline Int8Units int8_units(const Int8ProductArgs& p, const PackedBlock& at, int64_t m0, int32_t* widened) {
  const uint8_t* in = p.in.values + m0 * p.in.stride + at.k0;
  if constexpr (kUnitBytes == sizeof(int32_t)) return {reinterpret_cast<const int32_t*>(in), p.in.stride / kUnitBytes};
  const int64_t stride = at.depth / kUnitBytes + kLanes;
  for (int64_t m = 0; m < kGemmRows && m0 + m < p.rows; ++m) {
    for (int64_t k = 0; k < at.depth; k += kIntBytes) {
      int_store(widened + m * stride + k / kUnitBytes, load_unsigned(in + m * p.in.stride + k));
    }
  }
  return {widened, stride};
}

template <int kRows>
inline void int8_multiply_tile(const Int8ProductArgs& p, const PackedBlock& at, int64_t m0, const Int8Units& a, const float* b,
                               const Int8Columns* columns) {
  IntReg acc[kRows][kGemmRegs];
  for (int m = 0; m < kRows; ++m) {
    for (int c = 0; c < kGemmRegs; ++c) acc[m][c] = int_zero();
  }
  for (int64_t unit = 0; unit < at.depth / kUnitBytes; ++unit, b += kGemmCols) {
    ByteReg bv[kGemmRegs];
    for (int c = 0; c < kGemmRegs; ++c) bv[c] = bits_of(reg_load(b + c * kRegLanes));
    for (int m = 0; m < kRows; ++m) {
      const ByteReg av = int_set(a.rows[m * a.stride + unit]);
      for (int c = 0; c < kGemmRegs; ++c) acc[m][c] = int_dot(acc[m][c], av, bv[c]);
    }
  }
  const bool first = at.k0 == 0, last = at.k0 + at.depth == p.in.stride;
  for (int m = 0; m < kRows; ++m) {
    for (int c = 0; c < kGemmRegs; ++c) {
      const int64_t to = (m0 + m) * p.sums_stride + columns[c].n0;
      const IntReg total = first ? acc[m][c] : int_add(int_load(p.totals + to), acc[m][c]);
      if (last) {
        reg_store(p.sums + to, int8_sums(p, m0 + m, columns[c], total));
      } else {
        int_store(p.totals + to, total);
      }
    }
  }
}

inline void int8_pack(const Int8ProductArgs& p, const PackedBlock& at) {
  const int64_t steps = at.depth / (kLanes * kUnitBytes);
  for (int64_t n = 0; n < at.cols; n += kGemmCols) {
    const int8_t* first = p.weight.values + (at.n0 + n) * p.in.stride + at.k0;
    pack_columns(p.packed + n * steps * kLanes, InOrder{}, at.cols - n, steps, [&](int64_t col, int64_t step, int l0) {
      return reg_of_bits(load_signed(first + col * p.in.stride + (step * kLanes + l0) * kUnitBytes));
    });
  }
}

inline void int8_multiply_block(const Int8ProductArgs& p, const PackedBlock& at, WeightFetch& next) {
  alignas(64) int32_t widened[kGemmRows * (kPackedUnits + kLanes)];
  Int8Columns columns[kPackedCols / kRegLanes];
  for (int64_t n = 0; n < kPackedCols; n += kRegLanes) columns[n / kRegLanes] = int8_columns(p.weight, at.n0 + n, at.cols - n);
  for (int64_t m0 = 0; m0 < p.rows; m0 += kGemmRows) {
    next.some();
    const Int8Units a = int8_units(p, at, m0, widened);
    for (int64_t n = 0; n < at.cols; n += kGemmCols) {
      const float* b = p.packed + n * (at.depth / kUnitBytes);
      with_row_count<kGemmRows>(p.rows - m0,
                                [&](auto rows) { int8_multiply_tile<rows.value>(p, at, m0, a, b, columns + n / kRegLanes); });
    }
  }
}

void int8_products_of_many(const Int8ProductArgs& p) {
  constexpr int64_t kMost = kPackedUnits * kUnitBytes;
  const int64_t pieces = (p.in.stride + kMost - 1) / kMost;
  const int64_t piece = (p.in.stride / kInt8Align + pieces - 1) / pieces * kInt8Align;
  const BlockWalk walk{p.cols, p.in.stride, piece};
  walk.each([&](const PackedBlock& at, const PackedBlock& next) {
    int8_pack(p, at);
    WeightFetch fetch = fetch_behind(walk, next, p.weight.values, p.ahead, p.rows, [](int64_t bytes) { return bytes; });
    int8_multiply_block(p, at, fetch);
  });
}

void int8_products(const Int8ProductArgs& p) { p.streams ? int8_products_of_few(p) : int8_products_of_many(p); }
