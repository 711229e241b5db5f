// Products of two matrices that are both small and both activations: scores and weighted values of a head, and their gradients. Nothing
// is packed: lanes are columns, and a number is one chain of multiply-adds along the depth, whatever the tile it falls into.

template <int kRows, int kCols, bool kPart>
inline void small_product_tile(const SmallProductArgs& p, int64_t m0, int64_t n0) {
  const int64_t left = p.cols - n0;  // of a part
  const auto load = [&](const float* at) { return kPart ? reg_load_part(at, left) : reg_load(at); };
  Reg acc[kRows][kCols];
  for (int m = 0; m < kRows; ++m) {
    for (int c = 0; c < kCols; ++c) {
      acc[m][c] = p.adds ? load(p.out + (m0 + m) * p.out_stride + n0 + c * kRegLanes) : reg_zero();
    }
  }
  const float* in = p.in + m0 * p.in_row;
  const float* with = p.with + n0;
  for (int64_t k = 0; k < p.depth; ++k, in += p.in_step, with += p.with_stride) {
    Reg columns[kCols];
    for (int c = 0; c < kCols; ++c) columns[c] = load(with + c * kRegLanes);
    for (int m = 0; m < kRows; ++m) {
      const Reg factor = reg_set(in[m * p.in_row]);
      for (int c = 0; c < kCols; ++c) acc[m][c] = reg_fma(factor, columns[c], acc[m][c]);
    }
  }
  for (int m = 0; m < kRows; ++m) {
    for (int c = 0; c < kCols; ++c) {
      float* to = p.out + (m0 + m) * p.out_stride + n0 + c * kRegLanes;
      if constexpr (kPart) {
        reg_store_part(to, acc[m][c], left);
      } else {
        reg_store(to, acc[m][c]);
      }
    }
  }
}

// All rows of some columns, which stay near meanwhile.
template <int kCols, bool kPart>
inline void small_product_columns(const SmallProductArgs& p, int64_t n0) {
  for (int64_t m0 = 0; m0 < p.rows; m0 += kTileRows) {
    with_row_count<kTileRows>(p.rows - m0, [&](auto rows) { small_product_tile<rows.value, kCols, kPart>(p, m0, n0); });
  }
}

void small_product(const SmallProductArgs& p) {
  int64_t n0 = 0;
  for (; n0 + kTileCols * kRegLanes <= p.cols; n0 += kTileCols * kRegLanes) small_product_columns<kTileCols, false>(p, n0);
  for (; n0 + kRegLanes <= p.cols; n0 += kRegLanes) small_product_columns<1, false>(p, n0);
  if (n0 < p.cols) small_product_columns<1, true>(p, n0);
}
