// Products in int8: activations quantized a row at a time, weights a row (an output) at a time, sums in int32, which are
// exact in any order, so every variant and every number of rows gives the same bits.
//
// The processor multiplies bytes without a sign by bytes with one, so activations are kept as q + 128 and 128 times the sum of
// the weight's row is taken off again.

constexpr int64_t kInt8Block = 6144;  // of k, at most: the weight rows of a tile stay in the first-level cache

static_assert(kIntTileCols == 4, "a row of a tile's totals is what int_sum4 gives");

// kRows rows of activations, of which `k` bytes (a multiple of kInt8Align) are taken, a tile's rows of weights, and where their
// totals go.
struct Int8Tile {
  const uint8_t* a;
  int64_t a_stride;
  const int8_t* b;
  int64_t b_stride;
  int64_t k;
  int32_t* totals;
  int64_t totals_stride;
  int64_t col_step;  // from the totals of one of the tile's columns to the next's
  bool first;        // piece of k: it begins the totals, the others are added
};

// totals[m][n] = row m of a . row n of b. prefetch(k) is called on the way, once for each cache line of a row.
template <int kRows, int kCols, class Prefetch>
inline void int8_tile(const Int8Tile& t, const Prefetch& prefetch) {
  IntReg acc[kRows][4];
  for (int m = 0; m < kRows; ++m) {
    for (int n = 0; n < 4; ++n) acc[m][n] = int_zero();
  }
  for (int64_t k = 0; k < t.k; k += kIntBytes) {
    ByteReg av[kRows];
    for (int m = 0; m < kRows; ++m) av[m] = load_unsigned(t.a + m * t.a_stride + k);
    for (int n = 0; n < kCols; ++n) {
      const ByteReg bv = load_signed(t.b + n * t.b_stride + k);
      for (int m = 0; m < kRows; ++m) acc[m][n] = int_dot(acc[m][n], av[m], bv);
    }
    if (k % kInt8Align == 0) prefetch(k);
  }
  for (int m = 0; m < kRows; ++m) {
    int32_t out[4];
    int_sum4(acc[m], out);
    int32_t* to = t.totals + m * t.totals_stride;
    for (int n = 0; n < kCols; ++n) {
      int32_t& total = to[n * t.col_step];
      total = t.first ? out[n] : total + out[n];
    }
  }
}

template <int kCols, int kRows = kIntTileRows, class Prefetch>
inline void int8_tile_rows(int64_t rows, const Int8Tile& t, const Prefetch& prefetch) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return int8_tile_rows<kCols, kRows - 1>(rows, t, prefetch);
  }
  int8_tile<kRows, kCols>(t, prefetch);
}

// The tile of a panel and the rows from m0 on.
inline Int8Tile int8_tile_of(const Int8ProductArgs& p, const Panel& at, int64_t m0) {
  const int64_t stride = p.in.stride;
  return {p.in.values + m0 * stride + at.k0,
          stride,
          p.weight.values + at.n0 * stride + at.k0,
          at.step * stride,
          at.depth,
          p.totals + m0 * p.sums_stride + at.n0,
          p.sums_stride,
          at.step,
          at.k0 == 0};
}

// Few rows: a tile's rows of weights are streams, as in products_of_few.
template <int kCols>
inline void int8_columns_of_few(const Int8ProductArgs& p, const Panel& at) {
  const int64_t tiles = (p.rows + kIntTileRows - 1) / kIntTileRows;
  const int64_t ahead = fetch_ahead(tiles, at.depth);
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const int64_t m0 = p.rows * tile / tiles;
    const Int8Tile t = int8_tile_of(p, at, m0);
    int8_tile_rows<kCols>(p.rows * (tile + 1) / tiles - m0, t, [&](int64_t k) {
      for (int64_t n = tile; n < kCols; n += tiles) __builtin_prefetch(t.b + n * t.b_stride + k + ahead);
    });
  }
}

void int8_totals_of_few(const Int8ProductArgs& p) {
  const int64_t part = p.cols / kIntTileCols;
  const auto depth = [&](int64_t k0) { return p.in.stride - k0 < kInt8Block ? p.in.stride - k0 : kInt8Block; };
  for (int64_t n = 0; n < part; ++n) {
    for (int64_t k0 = 0; k0 < p.in.stride; k0 += kInt8Block) {
      int8_columns_of_few<kIntTileCols>(p, {n, kIntTileCols, part, k0, depth(k0)});
    }
  }
  for (int64_t n = part * kIntTileCols; n < p.cols; ++n) int8_columns_of_few<1>(p, {n, 1, 1, 0, p.in.stride});
}

// Many rows: pieces of a tile's weights stay in the first-level cache, and the next tile's are brought near meanwhile.
template <int kCols>
inline void int8_columns_of_many(const Int8ProductArgs& p, const Panel& at) {
  const int64_t stride = p.in.stride;
  PanelFetch next(p.weight.values + (at.n0 + kCols) * stride + at.k0, kCols, stride, at.depth,
                  (p.rows + kIntTileRows - 1) / kIntTileRows);
  for (int64_t m0 = 0; m0 < p.rows; m0 += kIntTileRows) {
    next.some();
    int8_tile_rows<kCols>(p.rows - m0, int8_tile_of(p, at, m0), [](int64_t) {});
  }
}

void int8_totals_of_many(const Int8ProductArgs& p) {
  const int64_t pieces = (p.in.stride + kInt8Block - 1) / kInt8Block;
  const int64_t piece = (p.in.stride / kInt8Align + pieces - 1) / pieces * kInt8Align;
  for (int64_t k0 = 0; k0 < p.in.stride; k0 += piece) {
    const int64_t depth = p.in.stride - k0 < piece ? p.in.stride - k0 : piece;
    int64_t n = 0;
    for (; n + kIntTileCols <= p.cols; n += kIntTileCols) int8_columns_of_many<kIntTileCols>(p, {n, kIntTileCols, 1, k0, depth});
    for (; n < p.cols; ++n) int8_columns_of_many<1>(p, {n, 1, 1, k0, depth});
  }
}

// What the products of the values without their offset of 128 come to.
inline V16 int8_exact(const int32_t* totals, const int32_t* weight_sums, int64_t cols) {
  float lanes[kLanes] = {};
  if (cols == kLanes) {  // known to the compiler: a vector
    for (int n = 0; n < kLanes; ++n) lanes[n] = static_cast<float>(totals[n] - 128 * weight_sums[n]);
  } else {
    for (int64_t n = 0; n < cols; ++n) lanes[n] = static_cast<float>(totals[n] - 128 * weight_sums[n]);
  }
  return v_load(lanes);
}

// sums[m][n] of up to kLanes columns from n0 on: the exact part, scaled, and the outliers in the order of their columns.
inline void int8_dequantize(const Int8ProductArgs& p, int64_t m, int64_t n0, int64_t cols) {
  float lanes[kLanes] = {};
  const Int8Outlier* list = p.in.outliers + m * kMostOutliers;
  V16 apart = v_set(0.0f);
  for (int32_t i = 0; i < p.in.outlier_counts[m]; ++i) {
    const int8_t* column = p.weight.values + n0 * p.in.stride + list[i].column;
    for (int64_t n = 0; n < cols; ++n) lanes[n] = static_cast<float>(column[n * p.in.stride]);
    apart = v_fma(v_set(list[i].value), v_load(lanes), apart);
  }
  const V16 exact = int8_exact(p.totals + m * p.sums_stride + n0, p.weight.sums + n0, cols);
  const V16 all = v_fma(exact, v_set(p.in.scales[m]), apart);
  v_store_part(p.sums + m * p.sums_stride + n0, v_mul(all, v_load_part(p.weight.scales + n0, cols)), cols);
}

void int8_products(const Int8ProductArgs& p) {
  p.rows <= kFewRows ? int8_totals_of_few(p) : int8_totals_of_many(p);
  for (int64_t m = 0; m < p.rows; ++m) {
    for (int64_t n = 0; n < p.cols; n += kLanes) int8_dequantize(p, m, n, p.cols - n < kLanes ? p.cols - n : kLanes);
  }
}

// ---- quantizing ----------------------------------------------------------------------------------------------------------

inline float largest_magnitude(const float* in, int64_t n) {
  V16 largest = v_set(0.0f);
  for (int64_t i = 0; i < n; i += kLanes) largest = v_max(largest, v_abs(v_load_part(in + i, n - i < kLanes ? n - i : kLanes)));
  return v_max_lane(largest);
}

// Takes a row's outliers down into the list and gives the largest magnitude of the others. NaN counts as an outlier, so
// that it reaches the result.
inline float split_outliers(const Int8Activation& out, const float* in, int64_t n) {
  constexpr int64_t kPiece = 256;
  float largest = 0;
  int32_t count = 0;
  for (int64_t begin = 0; begin < n; begin += kPiece) {
    const int64_t end = begin + kPiece < n ? begin + kPiece : n;
    V16 below = v_set(0.0f);
    for (int64_t i = begin; i < end; i += kLanes) {
      const V16 x = v_abs(v_load_part(in + i, end - i < kLanes ? end - i : kLanes));
      below = v_add(below, v_select_less(x, v_set(kInt8Outlier), v_set(0.0f), v_set(1.0f)));
    }
    if (v_sum(below) == 0.0f) {
      const float here = largest_magnitude(in + begin, end - begin);
      largest = here > largest ? here : largest;
      continue;
    }
    for (int64_t i = begin; i < end; ++i) {
      const float x = in[i] < 0 ? -in[i] : in[i];
      if (!(x < kInt8Outlier) && count < kMostOutliers) {
        out.outliers[count++] = {static_cast<int32_t>(i), in[i]};
      } else {
        largest = x > largest || x != x ? x : largest;
      }
    }
  }
  *out.outlier_count = count;
  return largest;
}

// out = round to nearest even of in * inverse, plus `offset`; |in * inverse| stays below 2^22.
inline void round_to_bytes(uint8_t* out, const float* in, float inverse, int32_t offset, int64_t n) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: behind it the last bit counts ones
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t count = n - i < kLanes ? n - i : kLanes;
    float shifted[kLanes];
    v_store(shifted, v_add(v_mul(v_load_part(in + i, count), v_set(inverse)), v_set(kMagic)));
    uint32_t bits[kLanes];
    __builtin_memcpy(bits, shifted, sizeof bits);
    for (int64_t j = 0; j < count; ++j) out[i + j] = static_cast<uint8_t>(bits[j] + static_cast<uint32_t>(offset));
  }
}

inline float inverse_of(float largest) { return largest > 0 ? 127.0f / largest : 0.0f; }

void int8_quantize(const Int8Activation& out, const float* in, int64_t n, int64_t stride) {
  const float largest = split_outliers(out, in, n);
  *out.scale = largest / 127.0f;
  round_to_bytes(out.values, in, inverse_of(largest), 128, n);
  for (int32_t i = 0; i < *out.outlier_count; ++i) out.values[out.outliers[i].column] = 128;
  for (int64_t i = n; i < stride; ++i) out.values[i] = 128;
}

void int8_quantize_weights(int8_t* out, float* scale, int32_t* sum, const float* in, int64_t n, int64_t stride) {
  const float largest = largest_magnitude(in, n);
  *scale = largest / 127.0f;
  round_to_bytes(reinterpret_cast<uint8_t*>(out), in, inverse_of(largest), 0, n);
  for (int64_t i = n; i < stride; ++i) out[i] = 0;
  *sum = 0;
  for (int64_t i = 0; i < n; ++i) *sum += out[i];
}
