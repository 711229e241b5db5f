// Products of activations with row-major weights, both contiguous along k, in tiles of kTileRows x kTileCols. The sums have the
// one order that kernel_table.h describes whatever the number of rows, so GEMV, small batches and large ones agree bit for bit.

constexpr int64_t kPrefetchAhead = 512;  // bytes
constexpr int64_t kStreamAhead = 2048;    // bytes, of a single stream
constexpr int64_t kStreamedInputs = 4096;  // of a row: half of L1
constexpr int64_t kFewRows = 16;          // of activations

// Weights that stream past are fetched kPrefetchAhead bytes before their turn. In a tile of `cols` rows, `bytes` of each of
// them read at a time and the rows `stride` bytes apart, what comes behind a row's end is the row that takes its place in the
// next tile. How far that is for who reads byte `at`.
inline int64_t bytes_ahead(int64_t at, int64_t bytes, int64_t stride, int64_t cols) {
  return at + kPrefetchAhead < bytes ? kPrefetchAhead : kPrefetchAhead - bytes + cols * stride;
}

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
inline void add_tile(const ProductArgs& p, const float* out, int64_t m0, int64_t rows, int64_t n0, bool first) {
  for (int64_t m = 0; m < rows; ++m) {
    float* sums = p.sums + (m0 + m) * p.sums_stride + n0;
    for (int n = 0; n < kCols; ++n) sums[n] = first ? out[m * kCols + n] : sums[n] + out[m * kCols + n];
  }
}

// kCols weight rows from n0 on against all activations, over [k0, k0 + depth): the weights are read where they lie, widened in
// registers and, from the second tile of activations on, found in L1. While that goes on the next tile's weights are brought
// near, a row of them with each tile of activations.
template <DType kType, int kCols>
inline void multiply_columns(const ProductArgs& p, int64_t n0, int64_t k0, int64_t depth) {
  const char* b = static_cast<const char*>(p.weight) + bytes_of<kType>(n0 * p.k + k0);
  const int64_t row_bytes = bytes_of<kType>(p.k);
  const int64_t ahead = bytes_ahead(bytes_of<kType>(k0), row_bytes, row_bytes, kCols);
  const int64_t tiles = (p.rows + kTileRows - 1) / kTileRows;
  float out[kTileRows * kCols + 4];
  for (int64_t m0 = 0; m0 < p.rows; m0 += kTileRows) {
    const int64_t rows = p.rows - m0 < kTileRows ? p.rows - m0 : kTileRows;
    const Tile<kType> tile{p.in + m0 * p.in_stride + k0, p.in_stride, b, p.k, depth};
    tile_dot_rows<kType, kCols>(rows, tile, out, [&](int64_t k) {
      for (int64_t n = m0 / kTileRows; n < kCols; n += tiles) __builtin_prefetch(b + n * row_bytes + bytes_of<kType>(k) + ahead);
    });
    add_tile<kCols>(p, out, m0, rows, n0, k0 == 0);
  }
}

template <DType kType>
inline void multiply_block(const ProductArgs& p, int64_t n0, int64_t cols, int64_t k0) {
  const int64_t depth = p.k - k0 < kKBlock ? p.k - k0 : kKBlock;
  if (cols == kTileCols) return multiply_columns<kType, kTileCols>(p, n0, k0, depth);
  for (int64_t n = 0; n < cols; ++n) multiply_columns<kType, 1>(p, n0 + n, k0, depth);
}

// The sum of one block of a row, its lanes not yet added.
template <DType kType>
inline Reg block_dot(const float* a, const void* b, int64_t first, int64_t depth) {
  V16 acc = v_set(0.0f);
  int64_t k = 0;
  for (; k + kLanes <= depth; k += kLanes) {
    __builtin_prefetch(static_cast<const char*>(b) + bytes_of<kType>(first + k) + kStreamAhead);
    acc = v_fma(v_load(a + first + k), v_load_as<kType>(b, first + k), acc);
  }
  if (k < depth) acc = v_fma(v_load_part(a + first + k, depth - k), v_load_part_as<kType>(b, first + k, depth - k), acc);
  return v_fold(acc);
}

// One row of activations that stays in L1: the weights are then a single stream from the first byte to the last, which memory
// gives faster than the short rows of a tile side by side. Four blocks' lanes are added together.
template <DType kType>
void products_of_one(const ProductArgs& p) {
  for (int64_t n = 0; n < p.cols; ++n) {
    const char* row = static_cast<const char*>(p.weight) + bytes_of<kType>(n * p.k);
    float sum = 0;
    for (int64_t k0 = 0; k0 < p.k; k0 += 4 * kKBlock) {
      Reg lanes[4];
      float out[4];
      int64_t blocks = 0;
      for (; blocks < 4 && k0 + blocks * kKBlock < p.k; ++blocks) {
        const int64_t first = k0 + blocks * kKBlock;
        lanes[blocks] = block_dot<kType>(p.in, row, first, p.k - first < kKBlock ? p.k - first : kKBlock);
      }
      for (int64_t i = blocks; i < 4; ++i) lanes[i] = reg_zero();
      reg_sum4(lanes, out);
      for (int64_t i = 0; i < blocks; ++i) sum = k0 == 0 && i == 0 ? out[0] : sum + out[i];
    }
    p.sums[n] = sum;
  }
}

// Few activations follow the weights as these lie in memory; of many, a block of k stays in L2 while all columns pass.
template <DType kType>
void products_of(const ProductArgs& p) {
  if (p.rows == 1 && p.k <= kStreamedInputs) return products_of_one<kType>(p);
  const auto width = [&](int64_t n0) { return p.cols - n0 < kTileCols ? p.cols - n0 : kTileCols; };
  if (p.rows <= kFewRows) {
    for (int64_t n0 = 0; n0 < p.cols; n0 += kTileCols) {
      for (int64_t k0 = 0; k0 < p.k; k0 += kKBlock) multiply_block<kType>(p, n0, width(n0), k0);
    }
  } else {
    for (int64_t k0 = 0; k0 < p.k; k0 += kKBlock) {
      for (int64_t n0 = 0; n0 < p.cols; n0 += kTileCols) multiply_block<kType>(p, n0, width(n0), k0);
    }
  }
}

void products(const ProductArgs& p) {
  switch (p.dtype) {
    case DType::F32: return products_of<DType::F32>(p);
    case DType::BF16: return products_of<DType::BF16>(p);
    case DType::F16: return products_of<DType::F16>(p);
  }
}
