// Products of activations with row-major weights, both contiguous along k. Every path below sums in the one order that
// kernel_table.h describes, so GEMV, small batches and large ones agree bit for bit.
//
//   rows <= kFewRows      weights are widened in registers while they stream past: decoding, bound by memory.
//   more rows             kTileCols weight rows x kKBlock are widened into scratch (it stays in L1) and used by all
//                         rows, kTileRows at a time.

constexpr int64_t kPrefetchSpan = 8192;   // bytes of weight rows that end before a prefetcher has learnt them
constexpr int64_t kPrefetchAhead = 1024;  // bytes
constexpr int64_t kFewRows = 8;           // of activations, that weights are widened for in registers

template <DType kType>
struct Tile {
  const float* a;
  int64_t a_stride;
  const void* b;  // in kType
  int64_t b_stride;
  int64_t k;  // at most kKBlock
};

// out[m * kCols + n] = row m of a . row n of b. The 16 lanes are done one register at a time: kRows x kCols
// accumulators then fill the register file, and a pass needs kRows + kCols loads for kRows * kCols multiply-adds.
// prefetch(k) is called on the way, once for each k that is a multiple of kLanes.
template <DType kType, int kRows, int kCols, class Prefetch>
inline void tile_dot(const Tile<kType>& t, float* out, const Prefetch& prefetch) {
  constexpr int kOuts = (kRows * kCols + 3) / 4 * 4;
  Reg sums[kRegs][kOuts];
  const int64_t whole = t.k & ~int64_t{kLanes - 1};
  const int64_t tail = t.k - whole;
  for (int pass = 0; pass < kRegs; ++pass) {
    Reg acc[kRows][kCols];
    for (int m = 0; m < kRows; ++m) {
      for (int n = 0; n < kCols; ++n) acc[m][n] = reg_zero();
    }
    const float* a = t.a + pass * kRegLanes;
    for (int64_t k = 0; k < whole; k += kLanes) {
      Reg av[kRows];
      for (int m = 0; m < kRows; ++m) av[m] = reg_load(a + m * t.a_stride + k);
      for (int n = 0; n < kCols; ++n) {
        const Reg bv = reg_load_as<kType>(t.b, n * t.b_stride + pass * kRegLanes + k);
        for (int m = 0; m < kRows; ++m) acc[m][n] = reg_fma(av[m], bv, acc[m][n]);
      }
      if (pass == kRegs - 1) prefetch(k);
    }
    if (tail != 0) {
      for (int n = 0; n < kCols; ++n) {
        const Reg bv = v_load_part_as<kType>(t.b, n * t.b_stride + whole, tail).r[pass];
        for (int m = 0; m < kRows; ++m) {
          acc[m][n] = reg_fma(reg_load_part(a + m * t.a_stride + whole, tail - pass * kRegLanes), bv, acc[m][n]);
        }
      }
    }
    for (int m = 0; m < kRows; ++m) {
      for (int n = 0; n < kCols; ++n) sums[pass][m * kCols + n] = acc[m][n];
    }
  }
  for (int i = kRows * kCols; i < kOuts; ++i) {
    for (int pass = 0; pass < kRegs; ++pass) sums[pass][i] = reg_zero();
  }
  for (int i = 0; i < kOuts; i += 4) {
    Reg folded[4];
    for (int j = 0; j < 4; ++j) {
      V16 v;
      for (int pass = 0; pass < kRegs; ++pass) v.r[pass] = sums[pass][i + j];
      folded[j] = v_fold(v);
    }
    reg_sum4(folded, out + i);
  }
}

// The same for any number of rows up to kTileRows.
template <DType kType, int kCols, int kRows = kTileRows, class Prefetch>
inline void tile_dot_rows(int64_t rows, const Tile<kType>& t, float* out, const Prefetch& prefetch) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return tile_dot_rows<kType, kCols, kRows - 1>(rows, t, out, prefetch);
  }
  tile_dot<kType, kRows, kCols>(t, out, prefetch);
}

// Adds a tile's results, kCols a row, to the sums; the first block of k begins them.
template <int kCols>
inline void add_tile(const ProductArgs& p, const float* out, int64_t m0, int64_t rows, int64_t n0, int64_t cols, bool first) {
  for (int64_t m = 0; m < rows; ++m) {
    float* sums = p.sums + (m0 + m) * p.sums_stride + n0;
    for (int64_t n = 0; n < cols; ++n) sums[n] = first ? out[m * kCols + n] : sums[n] + out[m * kCols + n];
  }
}

template <DType kType>
inline void widen_row(float* out, const void* in, int64_t element, int64_t n) {
  const int64_t whole = n & ~int64_t{kLanes - 1};
  for (int64_t i = 0; i < whole; i += kLanes) v_store(out + i, v_load_as<kType>(in, element + i));
  if (whole != n) v_store(out + whole, v_load_part_as<kType>(in, element + whole, n - whole));
}

template <DType kType>
void products_tiled(const ProductArgs& p) {
  float out[kTileRows * kTileCols + 4];
  for (int64_t k0 = 0; k0 < p.k; k0 += kKBlock) {
    const int64_t depth = p.k - k0 < kKBlock ? p.k - k0 : kKBlock;
    for (int64_t n0 = 0; n0 < p.cols; n0 += kTileCols) {
      const int64_t cols = p.cols - n0 < kTileCols ? p.cols - n0 : kTileCols;
      for (int64_t n = 0; n < cols; ++n) {
        widen_row<kType>(p.scratch + n * kWidenedStride, p.weight, (n0 + n) * p.k + k0, depth);
      }
      for (int64_t m0 = 0; m0 < p.rows; m0 += kTileRows) {
        const int64_t rows = p.rows - m0 < kTileRows ? p.rows - m0 : kTileRows;
        const float* a = p.in + m0 * p.in_stride + k0;
        // The next tile's rows come from L2 while this one finds everything in L1.
        const float* next = m0 + kTileRows < p.rows ? a + kTileRows * p.in_stride : p.in + k0;
        const Tile<DType::F32> tile{a, p.in_stride, p.scratch, kWidenedStride, depth};
        tile_dot_rows<DType::F32, kTileCols>(rows, tile, out, [&](int64_t k) {
          for (int m = 0; m < kTileRows; ++m) __builtin_prefetch(next + m * p.in_stride + k);
        });
        add_tile<kTileCols>(p, out, m0, rows, n0, cols, k0 == 0);
      }
    }
  }
}

// kCols weight rows against all (few) activations, straight from the weights' memory. Short rows end before a prefetcher
// has learnt them, so the next ones are fetched while these are used; long ones are followed at a fixed distance.
template <DType kType, int kCols>
inline void direct_columns(const ProductArgs& p, int64_t n0) {
  const int64_t row_bytes = bytes_of<kType>(p.k);
  const int64_t ahead = row_bytes * kCols <= kPrefetchSpan ? row_bytes * kCols : kPrefetchAhead;
  float out[kTileRows * kCols + 4];
  for (int64_t k0 = 0; k0 < p.k; k0 += kKBlock) {
    const int64_t depth = p.k - k0 < kKBlock ? p.k - k0 : kKBlock;
    const char* b = static_cast<const char*>(p.weight) + bytes_of<kType>(n0 * p.k + k0);
    for (int64_t m0 = 0; m0 < p.rows; m0 += kTileRows) {
      const int64_t rows = p.rows - m0 < kTileRows ? p.rows - m0 : kTileRows;
      const Tile<kType> tile{p.in + m0 * p.in_stride + k0, p.in_stride, b, p.k, depth};
      tile_dot_rows<kType, kCols>(rows, tile, out, [&](int64_t k) {
        if (m0 != 0) return;
        for (int n = 0; n < kCols; ++n) __builtin_prefetch(b + bytes_of<kType>(n * p.k + k) + ahead);
      });
      add_tile<kCols>(p, out, m0, rows, n0, kCols, k0 == 0);
    }
  }
}

template <DType kType>
void products_direct(const ProductArgs& p) {
  constexpr int kCols = kTileCols < 4 ? kTileCols : 4;
  int64_t n = 0;
  for (; n + kCols <= p.cols; n += kCols) direct_columns<kType, kCols>(p, n);
  for (; n < p.cols; ++n) direct_columns<kType, 1>(p, n);
}

template <DType kType>
void products_of(const ProductArgs& p) {
  if (p.rows <= kFewRows) return products_direct<kType>(p);
  products_tiled<kType>(p);
}

void products(const ProductArgs& p) {
  switch (p.dtype) {
    case DType::F32: return products_of<DType::F32>(p);
    case DType::BF16: return products_of<DType::BF16>(p);
    case DType::F16: return products_of<DType::F16>(p);
  }
}
