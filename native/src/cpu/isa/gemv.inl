// Products of few rows of activations: the weights stream past once, both sides contiguous along k, in tiles of kTileRows x
// kTileCols. The sums have the one order that kernel_table.h describes, as those of gemm.inl have, so one row, small batches and
// large ones agree bit for bit.

constexpr int64_t kStreamAhead = 1024;  // bytes

static_assert(kTileCols == 4 && kTaskCols % kTileCols == 0, "a row of a tile's sums is what reg_sum4 gives");

// kRows rows of activations, of which `k` (at most Kind::kBlock) are taken, and where their sums with a tile of weights go.
template <class Kind>
struct TileRows {
  const typename Kind::In* a;
  int64_t a_stride;
  int64_t k;
  float* sums;
  int64_t sums_stride;
  int64_t col_step;  // from the sums of one of the tile's columns to the next's
  bool first;        // block of k: it begins the sums, the others are added
};

// sums[m][n] = row m of a . row n of b. kRows x kCols accumulators fill the register file, and a step needs kRows + kCols loads for
// kRows * kCols multiply-adds: so the 16 lanes are done one register at a time, or together where there are registers to spare.
// prefetch(k) is called on the way, once for each step of k.
template <int kRows, int kCols, class Kind, class Prefetch>
inline void tile_dot(const TileRows<Kind>& t, const StoredRows<Kind>& b, const Prefetch& prefetch) {
  constexpr int kTogether = kRows * kCols * kRegs <= kTileRows * kTileCols ? kRegs : 1;
  Reg sums[kRegs][kRows][4];
  const int64_t whole = t.k & ~(Kind::kStep - 1);
  const int64_t tail = t.k - whole;
  for (int pass = 0; pass < kRegs; pass += kTogether) {
    Reg acc[kTogether][kRows][kCols];
    for (int i = 0; i < kTogether; ++i) {
      for (int m = 0; m < kRows; ++m) {
        for (int n = 0; n < kCols; ++n) acc[i][m][n] = reg_zero();
      }
    }
    const typename Kind::In* a = t.a + pass * Kind::kEach;
    for (int64_t k = 0; k < whole; k += Kind::kStep) {
      for (int i = 0; i < kTogether; ++i) {
        typename Kind::Operand av[kRows];
        for (int m = 0; m < kRows; ++m) av[m] = Kind::load(a + m * t.a_stride + k + i * Kind::kEach);
        for (int n = 0; n < kCols; ++n) {
          const auto bv = b.load(n, k, pass + i);
          for (int m = 0; m < kRows; ++m) acc[i][m][n] = Kind::multiply(av[m], bv, acc[i][m][n]);
        }
      }
      if (pass + kTogether == kRegs) prefetch(k);
    }
    for (int i = 0; i < kTogether && tail != 0; ++i) {
      const int64_t left = tail - (pass + i) * Kind::kEach;
      for (int n = 0; n < kCols; ++n) {
        const auto bv = b.load_tail(n, whole, tail, pass + i);
        for (int m = 0; m < kRows; ++m) {
          acc[i][m][n] = Kind::multiply(Kind::load_part(a + m * t.a_stride + whole + i * Kind::kEach, left), bv, acc[i][m][n]);
        }
      }
    }
    for (int i = 0; i < kTogether; ++i) {
      for (int m = 0; m < kRows; ++m) {
        for (int n = 0; n < 4; ++n) sums[pass + i][m][n] = n < kCols ? acc[i][m][n % kCols] : reg_zero();
      }
    }
  }
  for (int m = 0; m < kRows; ++m) {
    Reg folded[4];
    for (int n = 0; n < 4; ++n) {
      V16 v;
      for (int pass = 0; pass < kRegs; ++pass) v.r[pass] = sums[pass][m][n];
      folded[n] = v_fold(v);
    }
    float out[4];
    reg_sum4(folded, out);
    float* to = t.sums + m * t.sums_stride;
    for (int n = 0; n < kCols; ++n) {
      float& sum = to[n * t.col_step];
      sum = t.first ? out[n] : sum + out[n];
    }
  }
}

// A tile's columns n0, n0 + step, ... over [k0, k0 + depth) of a product.
struct Streams {
  int64_t n0, step, k0, depth;
};

template <class Kind>
inline const char* weights_at(const ProductArgs& p, const Streams& at) {
  return static_cast<const char*>(p.weight) + bytes_of<Kind::kWeights>(at.n0 * p.k + at.k0);
}

template <class Kind>
inline TileRows<Kind> tile_rows(const ProductArgs& p, const Streams& at, int64_t m0) {
  return {static_cast<const typename Kind::In*>(p.in) + m0 * p.in_stride + at.k0,
          p.in_stride,
          at.depth,
          p.sums + m0 * p.sums_stride + at.n0,
          p.sums_stride,
          at.step,
          at.k0 == 0};
}

// How far ahead weights are fetched: by one tile of activations just enough for memory's latency; several share the fetching, each
// of some streams, while the block of weights before is multiplied.
inline int64_t fetch_ahead(int64_t tiles, int64_t block_bytes) { return tiles == 1 ? kStreamAhead : block_bytes; }

// What comes behind a row of weights is the next one.
template <class Kind, int kCols>
inline void multiply_few_rows(const ProductArgs& p, const Streams& at) {
  const char* b = weights_at<Kind>(p, at);
  const StoredRows<Kind> rows_of_b{b, at.step * p.k};
  const int64_t apart = bytes_of<Kind::kWeights>(rows_of_b.stride);
  const int64_t tiles = (p.rows + Kind::kRows - 1) / Kind::kRows;
  const int64_t ahead = fetch_ahead(tiles, bytes_of<Kind::kWeights>(at.depth));
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const int64_t m0 = p.rows * tile / tiles;
    const TileRows<Kind> t = tile_rows<Kind>(p, at, m0);
    const auto prefetch = [&](int64_t k) {
      for (int64_t n = tile; n < kCols; n += tiles) __builtin_prefetch(b + n * apart + bytes_of<Kind::kWeights>(k) + ahead);
    };
    with_row_count<Kind::kRows>(p.rows * (tile + 1) / tiles - m0,
                                [&](auto rows) { tile_dot<rows.value, kCols>(t, rows_of_b, prefetch); });
  }
}

// How much of k a block that begins at k0 has.
template <class Kind>
inline int64_t depth_at(const ProductArgs& p, int64_t k0) {
  return p.k - k0 < Kind::kBlock ? p.k - k0 : Kind::kBlock;
}

// A tile takes its columns a quarter of all columns apart: its rows of weights are then four streams, each going on where it was
// with the next tile, which memory gives faster than four neighbouring rows.
template <class Kind>
void products_of_few(const ProductArgs& p) {
  const int64_t quarter = p.cols / kTileCols;
  for (int64_t n = 0; n < quarter; ++n) {
    for (int64_t k0 = 0; k0 < p.k; k0 += Kind::kBlock) {
      multiply_few_rows<Kind, kTileCols>(p, {n, quarter, k0, depth_at<Kind>(p, k0)});
    }
  }
  for (int64_t n = quarter * kTileCols; n < p.cols; ++n) {
    for (int64_t k0 = 0; k0 < p.k; k0 += Kind::kBlock) multiply_few_rows<Kind, 1>(p, {n, 1, k0, depth_at<Kind>(p, k0)});
  }
}

void products(const ProductArgs& p) {
  if (p.in_type == DType::BF16) return products_of_few<Bf16Rows>(p);
  switch (p.dtype) {
    case DType::F32: return products_of_few<F32Rows<DType::F32>>(p);
    case DType::BF16: return products_of_few<F32Rows<DType::BF16>>(p);
    case DType::F16: return products_of_few<F32Rows<DType::F16>>(p);
  }
}
