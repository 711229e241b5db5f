// Products by weights in int4, which are written out a block at a time, while it is near, and multiplied as those in 16 bits or f32 are.
// Sums are those of gemv.inl and gemm.inl, bit for bit.

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
    put_sums(p, m, at, k0, count, out);
  }
}

template <class Unpacked>
void int4_stream(const ProductArgs& p) {
  constexpr int64_t kBlock = Unpacked::Kind::kBlock;
  const auto few = few_rows<typename Unpacked::Kind>(p);
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
void int4_written_products(const ProductArgs& p) {
  const FewRows<Kind> few = few_rows<Kind>(p);
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

void int4_products_of_few(const ProductArgs& p) {
  if (p.in_type != DType::BF16) {
    return int4_streams<Int4Floats>(p) ? int4_stream<Int4Floats>(p) : int4_written_products<F32Rows<DType::F32>>(p);
  }
#ifdef IVL_BF16
  if (int4_streams<Int4Pairs>(p)) return int4_stream<Int4Pairs>(p);
#endif
  int4_written_products<Bf16Rows>(p);
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
  const BlockWalk walk{p.cols, p.k, Units::kBlock};
  walk.each([&](const PackedBlock& at, const PackedBlock& next) {
    int4_pack<Units, Value>(p, at);
    WeightFetch fetch = fetch_behind(walk, next, p.int4.values, p.ahead, p.rows, int4_stride);
    multiply_block<Units>(p, at, fetch);
  });
}
