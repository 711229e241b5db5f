// Products of few rows of activations: the weights stream past once, both sides contiguous along k, in tiles of Kind::kRows rows x
// kTileCols columns. The sums have the one order that kernel_table.h describes, as those of gemm.inl have, so one row, small batches
// and large ones agree bit for bit.

constexpr int64_t kLine = 64;    // bytes, of a cache
constexpr int kSecondLevel = 2;  // of caches, for prefetches

// One or two rows are limited by memory, which its own prefetching serves best: weights are fetched just before they are needed. More
// rows take so long that it falls asleep: theirs are fetched while a tile's columns before are multiplied.
constexpr int64_t kStreamedRows = 2;
constexpr int64_t kStreamAhead = 1024;  // bytes

static_assert(kTileCols == kColumnRuns && kTileCols == 4, "a row of a tile's sums is what reg_sum4 and int_sum4 give");

template <class Kind>
struct FewRows {
  const typename Kind::In* in;
  int64_t in_stride;
  int64_t rows;
  const char* weight;  // (columns, k), dense
  int64_t cols;
  ColumnRuns runs;
  int64_t k;
  typename Kind::Sum* sums;
  int64_t sums_stride;
  bool adds = false;  // to sums that are there
};

// [k0, k0 + depth) of the at-th column of each run. Weights that are fetched meanwhile lie `ahead` bytes from those that are multiplied.
struct Streams {
  int64_t at, k0, depth, ahead;
};

// What a tile multiplies: rows of activations, and of weights a pointer each.
template <class Kind>
struct TileRows {
  const typename Kind::In* a;
  int64_t a_stride;
  const char* b[kTileCols];
};

// Elements that are multiplied for each line of a row of weights that is fetched.
template <class Kind>
constexpr int64_t kPiece = Kind::kStep * Kind::kBytes < kLine ? kLine / Kind::kBytes : Kind::kStep;

// Where what is needed next begins, of as many of a tile's columns as it fetches.
template <int kCount>
struct Fetch {
  const char* from[kCount];
};

// acc += a . b over k elements, whole pieces; from zero if it begins. acc is [register of sixteen lanes][row][column], registers.
//
// kRows x kTileCols accumulators fill the register file, and a step needs kRows + kTileCols loads for kRows * kTileCols
// multiply-adds: so the registers that make sixteen lanes are done one at a time, or together where there are some to spare.
template <int kRows, class Kind, int kFetched>
inline void multiply_run(const TileRows<Kind>& t, int64_t k, bool begins, float* acc, const Fetch<kFetched>& fetch) {
  constexpr int kTogether = kRows * Kind::kRegs <= Kind::kRows ? Kind::kRegs : 1;
  for (int pass = 0; pass < Kind::kRegs; pass += kTogether) {
    typename Kind::Acc sums[kTogether][kRows][kTileCols];
    const auto each = [&](const auto& body) {
      float* at = acc + pass * kRows * kTileCols * kRegLanes;
      for (int i = 0; i < kTogether; ++i) {
        for (int m = 0; m < kRows; ++m) {
          for (int n = 0; n < kTileCols; ++n, at += kRegLanes) body(sums[i][m][n], at);
        }
      }
    };
    each([&](auto& sum, const float* at) { sum = begins ? Kind::zero() : Kind::load_sum(at); });
    for (int64_t piece = 0; piece < k; piece += kPiece<Kind>) {
      for (int64_t step = piece; step < piece + kPiece<Kind>; step += Kind::kStep) {
        for (int i = 0; i < kTogether; ++i) {
          const int64_t at = step + (pass + i) * Kind::kEach;
          typename Kind::Operand av[kRows];
          for (int m = 0; m < kRows; ++m) av[m] = Kind::load(t.a + m * t.a_stride + at);
          for (int n = 0; n < kTileCols; ++n) {
            const auto bv = Kind::load_weights(t.b[n] + at * Kind::kBytes);
            for (int m = 0; m < kRows; ++m) sums[i][m][n] = Kind::multiply(av[m], bv, sums[i][m][n]);
          }
        }
      }
      for (int i = 0; i < kFetched; ++i) __builtin_prefetch(fetch.from[i] + piece * Kind::kBytes, 0, kSecondLevel);
    }
    each([&](auto& sum, float* at) { Kind::store_sum(at, sum); });
  }
}

// Adds the last `count` elements, less than a piece, from k on: nothing behind them is read.
template <int kRows, class Kind>
inline void multiply_tail(const TileRows<Kind>& t, int64_t k, int64_t count, float* acc) {
  typename Kind::In a[kRows][kPiece<Kind>] = {};
  char b[kTileCols][kPiece<Kind> * Kind::kBytes] = {};
  TileRows<Kind> tail{a[0], kPiece<Kind>, {}};
  for (int m = 0; m < kRows; ++m)
    __builtin_memcpy(a[m], t.a + m * t.a_stride + k, static_cast<size_t>(count) * sizeof(typename Kind::In));
  for (int n = 0; n < kTileCols; ++n) {
    __builtin_memcpy(b[n], t.b[n] + k * Kind::kBytes, static_cast<size_t>(count * Kind::kBytes));
    tail.b[n] = b[n];
  }
  multiply_run<kRows>(tail, kPiece<Kind>, false, acc, Fetch<0>{});
}

// Where a tile's columns begin, as they are stored; those that do not exist lie where the first does.
struct TileColumns {
  const char* from[kTileCols];
  int count;
};

template <class Kind>
inline TileColumns tile_columns(const FewRows<Kind>& p, const Streams& s) {
  TileColumns columns{{}, 0};
  for (int n = 0; n < kTileCols; ++n) {
    const int64_t col = s.at + n * p.runs.apart;
    if (col < p.cols) ++columns.count;
    columns.from[n] = p.weight + ((col < p.cols ? col : s.at) * p.k + s.k0) * Kind::kBytes;
  }
  return columns;
}

// Adds a tile's sums of row m over [k0, ...) to those before, or begins them.
template <class Stored, class Sum>
inline void put_sums(const FewRows<Stored>& p, int64_t m, int64_t at, int64_t k0, int count, const Sum* sums) {
  Sum* to = p.sums + m * p.sums_stride + at;
  for (int n = 0; n < count; ++n, to += p.runs.each) *to = k0 == 0 && !p.adds ? sums[n] : *to + sums[n];
}

// The tile of these columns, which lie in `b` as Kind has them, and of rows m0, ..., the tile-th of those that together fetch what is
// next.
template <class Kind, int kRows, int kFetched, class Stored>
inline void multiply_few(const FewRows<Stored>& p, const Streams& s, const TileColumns& columns, const char* const (&b)[kTileCols],
                         int64_t m0, int64_t tile) {
  TileRows<Kind> t{p.in + m0 * p.in_stride + s.k0, p.in_stride, {b[0], b[1], b[2], b[3]}};
  Fetch<kFetched> fetch;
  for (int i = 0; i < kFetched; ++i) fetch.from[i] = columns.from[(tile * kFetched + i) % kTileCols] + s.ahead;

  constexpr int64_t kApart = kRows * kTileCols * kRegLanes;
  alignas(64) float acc[Kind::kRegs * kApart];
  const int64_t tail = s.depth % kPiece<Kind>, whole = s.depth - tail;
  multiply_run<kRows>(t, whole, true, acc, fetch);
  if (tail != 0) multiply_tail<kRows>(t, whole, tail, acc);
  for (int m = 0; m < kRows; ++m) {
    typename Kind::Sum out[kTileCols];
    Kind::sum4(acc + m * kTileCols * kRegLanes, kApart, out);
    put_sums(p, m0 + m, s.at, s.k0, columns.count, out);
  }
}

// Rows in even parts of at most Kind::kRows.
struct RowTiles {
  int64_t count;
  int64_t first[kMostStreamedRows + 1];  // and behind the last
};

template <class Kind>
inline RowTiles row_tiles(int64_t rows) {
  RowTiles tiles{(rows + Kind::kRows - 1) / Kind::kRows, {}};
  for (int64_t i = 0; i <= tiles.count; ++i) tiles.first[i] = rows * i / tiles.count;
  return tiles;
}

// The tiles of these columns; kFetches: and brings near what is multiplied next.
template <class Kind, bool kFetches = true, class Stored>
inline void multiply_columns(const FewRows<Stored>& p, const RowTiles& tiles, const Streams& s, const TileColumns& columns,
                             const char* const (&b)[kTileCols]) {
  for (int64_t tile = 0; tile < tiles.count; ++tile) {
    const int64_t m0 = tiles.first[tile];
    with_row_count<Kind::kRows>(tiles.first[tile + 1] - m0, [&](auto rows) {
      constexpr int kAll = kFetches ? kTileCols : 0;
      tiles.count == 1 ? multiply_few<Kind, rows.value, kAll>(p, s, columns, b, m0, tile)
                       : multiply_few<Kind, rows.value, kAll / 2>(p, s, columns, b, m0, tile);
    });
  }
}

// With so many tiles of rows, columns are widened to f32 once instead of by each of them; sums stay the same.
constexpr int64_t kTilesWidened = 3;

template <class Kind>
inline void widen_and_multiply(const FewRows<Kind>& p, const RowTiles& tiles, const Streams& s, const TileColumns& columns) {
  alignas(64) float wide[kTileCols][Kind::kBlock];
  const char* b[kTileCols];
  for (int n = 0; n < kTileCols; ++n) {
    b[n] = reinterpret_cast<const char*>(wide[n]);
    widen_exactly<Kind::kType>(wide[n], columns.from[n], s.depth);
  }
  multiply_columns<typename Kind::Wide>(p, tiles, s, columns, b);
}

// A tile has a column of each run: its rows of weights are then four streams, each going on where it was with the next tile, which
// memory gives faster than four neighbouring rows.
template <class Kind>
void products_of_few(const FewRows<Kind>& p) {
  const RowTiles tiles = row_tiles<Kind>(p.rows);
  const int64_t ahead = p.rows <= kStreamedRows ? kStreamAhead : p.k * Kind::kBytes;
  for (int64_t at = 0; at < p.runs.each && at < p.cols; ++at) {
    for (int64_t k0 = 0; k0 < p.k; k0 += Kind::kBlock) {
      const Streams s{at, k0, p.k - k0 < Kind::kBlock ? p.k - k0 : Kind::kBlock, ahead};
      const TileColumns columns = tile_columns(p, s);
      if constexpr (Kind::kWidens) {
        if (tiles.count >= kTilesWidened) {
          widen_and_multiply(p, tiles, s, columns);
          continue;
        }
      }
      multiply_columns<Kind>(p, tiles, s, columns, columns.from);
    }
  }
}

template <class Kind>
inline FewRows<Kind> few_rows(const ProductArgs& p) {
  return {static_cast<const typename Kind::In*>(p.in),
          p.in_stride,
          p.rows,
          static_cast<const char*>(p.weight),
          p.cols,
          p.runs,
          p.k,
          p.sums,
          p.sums_stride,
          p.adds};
}

template <class Kind>
void float_products_of_few(const ProductArgs& p) {
  products_of_few(few_rows<Kind>(p));
}
