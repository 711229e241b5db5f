// Products of activations with row-major weights, both contiguous along k. Every path below sums in the one order that
// kernel_table.h describes, so GEMV, small batches and large ones agree bit for bit.
//
//   rows <= 2             weights are widened in registers while they stream past: decoding, bound by memory.
//   more rows             kTileCols weight rows x kKBlock are widened into scratch (it stays in L1) and used by all
//                         rows, kTileRows at a time.

constexpr int64_t kPrefetchSpan = 8192;   // bytes of weight rows that end before a prefetcher has learnt them
constexpr int64_t kPrefetchAhead = 1024;  // bytes

struct Tile {
  const float* a;
  int64_t a_stride;
  const float* b;
  int64_t b_stride;
  int64_t k;  // at most kKBlock
};

// out[m * kCols + n] = row m of a . row n of b. The 16 lanes are done one register at a time: kRows x kCols
// accumulators then fill the register file, and a pass needs kRows + kCols loads for kRows * kCols multiply-adds.
template <int kRows, int kCols>
inline void tile_dot(const Tile& t, float* out, const float* next_a) {
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
    const float* b = t.b + pass * kRegLanes;
    const bool last = pass == kRegs - 1;
    for (int64_t k = 0; k < whole; k += kLanes) {
      Reg av[kRows];
      for (int m = 0; m < kRows; ++m) av[m] = reg_load(a + m * t.a_stride + k);
      for (int n = 0; n < kCols; ++n) {
        const Reg bv = reg_load(b + n * t.b_stride + k);
        for (int m = 0; m < kRows; ++m) acc[m][n] = reg_fma(av[m], bv, acc[m][n]);
      }
      if (last) {  // the next tile's rows come from L2 while this pass finds everything in L1
        for (int m = 0; m < kRows; ++m) __builtin_prefetch(next_a + m * t.a_stride + k);
      }
    }
    if (tail != 0) {
      for (int n = 0; n < kCols; ++n) {
        const Reg bv = reg_load_part(b + n * t.b_stride + whole, tail - pass * kRegLanes);
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
template <int kRows = kTileRows>
inline void tile_dot_rows(int64_t rows, const Tile& t, float* out, const float* next_a) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return tile_dot_rows<kRows - 1>(rows, t, out, next_a);
  }
  tile_dot<kRows, kTileCols>(t, out, next_a);
}

inline void put_sum(float* at, float value, bool first) { *at = first ? value : *at + value; }

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
        const float* next = m0 + kTileRows < p.rows ? a + kTileRows * p.in_stride : p.in + k0;
        tile_dot_rows(rows, Tile{a, p.in_stride, p.scratch, kWidenedStride, depth}, out, next);
        for (int64_t m = 0; m < rows; ++m) {
          float* sums = p.sums + (m0 + m) * p.sums_stride + n0;
          for (int64_t n = 0; n < cols; ++n) put_sum(sums + n, out[m * kTileCols + n], k0 == 0);
        }
      }
    }
  }
}

// kCols weight rows against kRows activations, straight from the weights' memory.
template <DType kType, int kRows, int kCols>
inline void direct_dot(const ProductArgs& p, int64_t n0, int64_t m0, int64_t ahead) {
  for (int64_t k0 = 0; k0 < p.k; k0 += kKBlock) {
    const int64_t depth = p.k - k0 < kKBlock ? p.k - k0 : kKBlock;
    const int64_t whole = depth & ~int64_t{kLanes - 1};
    const float* a = p.in + m0 * p.in_stride + k0;
    const char* b = static_cast<const char*>(p.weight) + bytes_of<kType>(n0 * p.k + k0);
    V16 acc[kRows][kCols];
    for (int m = 0; m < kRows; ++m) {
      for (int n = 0; n < kCols; ++n) acc[m][n] = v_set(0.0f);
    }
    for (int64_t k = 0; k < whole; k += kLanes) {
      for (int i = 0; i < kRegs; ++i) {
        Reg av[kRows];
        for (int m = 0; m < kRows; ++m) av[m] = reg_load(a + m * p.in_stride + k + i * kRegLanes);
        for (int n = 0; n < kCols; ++n) {
          const Reg bv = reg_load_as<kType>(b, n * p.k + k + i * kRegLanes);
          for (int m = 0; m < kRows; ++m) acc[m][n].r[i] = reg_fma(av[m], bv, acc[m][n].r[i]);
        }
      }
      for (int n = 0; n < kCols; ++n) __builtin_prefetch(b + bytes_of<kType>(n * p.k + k) + ahead);
    }
    if (whole != depth) {
      for (int n = 0; n < kCols; ++n) {
        const V16 bv = v_load_part_as<kType>(b, n * p.k + whole, depth - whole);
        for (int m = 0; m < kRows; ++m) {
          acc[m][n] = v_fma(v_load_part(a + m * p.in_stride + whole, depth - whole), bv, acc[m][n]);
        }
      }
    }
    for (int m = 0; m < kRows; ++m) {
      Reg folded[(kCols + 3) / 4 * 4];
      for (int n = 0; n < (kCols + 3) / 4 * 4; ++n) folded[n] = n < kCols ? v_fold(acc[m][n]) : reg_zero();
      float out[(kCols + 3) / 4 * 4];
      for (int n = 0; n < kCols; n += 4) reg_sum4(folded + n, out + n);
      float* sums = p.sums + (m0 + m) * p.sums_stride + n0;
      for (int n = 0; n < kCols; ++n) put_sum(sums + n, out[n], k0 == 0);
    }
  }
}

template <DType kType, int kRows, int kCols>
void products_direct(const ProductArgs& p) {
  // Short rows end before a prefetcher has learnt them, so the next rows are fetched while these are used; long ones
  // are followed at a fixed distance.
  const int64_t row_bytes = bytes_of<kType>(p.k);
  const int64_t ahead = row_bytes * kCols <= kPrefetchSpan ? row_bytes * kCols : kPrefetchAhead;
  int64_t n = 0;
  for (; n + kCols <= p.cols; n += kCols) direct_dot<kType, kRows, kCols>(p, n, 0, ahead);
  for (; n < p.cols; ++n) direct_dot<kType, kRows, 1>(p, n, 0, ahead);
}

template <DType kType>
void products_of(const ProductArgs& p) {
  if (p.rows == 1) return products_direct<kType, 1, kDirectCols1>(p);
  if (p.rows == 2) return products_direct<kType, 2, kDirectCols2>(p);
  products_tiled<kType>(p);
}

void products(const ProductArgs& p) {
  switch (p.dtype) {
    case DType::F32: return products_of<DType::F32>(p);
    case DType::BF16: return products_of<DType::BF16>(p);
    case DType::F16: return products_of<DType::F16>(p);
  }
}
