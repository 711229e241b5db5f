// Products of many rows of activations, in tiles of kGemmRows rows x kGemmRegs registers whose lanes are columns. Both sides are
// packed beforehand: weights here, some columns at a time, as registers of kRegLanes columns; activations by the caller, all rows at
// once (pack_row). What is multiplied at a time is a unit of 4 bytes: a float, a pair of bf16, or bytes.
//
// The sums of floats and pairs are those of gemv.inl, bit for bit: each of the sixteen lanes there is a pass here, over one unit of
// sixteen, and passes come in the order in which the lanes are added up as a tree, 0, 8, 4, 12, 2, ..., so that four tiles at most
// have to wait for their other half. Packed units lie in that order.

constexpr int64_t kGemmCols = kGemmRegs * kRegLanes;
constexpr int64_t kPackedCols = kGemmPanels * kGemmCols;  // packed at a time

static_assert(kTaskRows % kGemmRows == 0 && kTaskCols % kPackedCols == 0);

// The pass of a lane: its four bits reversed.
constexpr int pass_of(int lane) { return (lane & 1) << 3 | (lane & 2) << 1 | (lane & 4) >> 1 | lane >> 3; }

// Where a block keeps the unit of a lane in a step.
struct InPasses {
  int64_t steps;
  int64_t at(int lane, int64_t step) const { return pass_of(lane) * steps + step; }
};
struct InOrder {
  static int64_t at(int lane, int64_t step) { return step * kLanes + lane; }
};

// ---- what is packed: load gives the units of lanes l0, ... of a step as a register --------------------------------------------

// Weights of a type, widened to f32.
template <DType kType>
struct FloatUnits {
  static constexpr DType kWeights = kType;
  static constexpr int64_t kBlock = kKBlock, kStep = kLanes;  // elements

  // Of row + element, behind which the row has `left` elements, perhaps none.
  static Reg load(const char* row, int64_t element, int64_t left) {
    if (left >= kRegLanes) return reg_load_as<kType>(row, element);
    return left <= 0 ? reg_zero() : v_load_part_as<kType>(row, element, left).r[0];
  }
  template <int kRows>
  static void multiply(Reg (&acc)[kRows][kGemmRegs], const float* a, int64_t a_stride, const float* b) {
    Reg bv[kGemmRegs];
    for (int c = 0; c < kGemmRegs; ++c) bv[c] = reg_load(b + c * kRegLanes);
    for (int m = 0; m < kRows; ++m) {
      const Reg av = reg_set(a[m * a_stride]);
      for (int c = 0; c < kGemmRegs; ++c) acc[m][c] = reg_fma(av, bv[c], acc[m][c]);
    }
  }
};

// Pairs of bf16.
struct PairUnits {
  static constexpr DType kWeights = DType::BF16;
  static constexpr int64_t kBlock = kPairBlock, kStep = kPairStep;

  static Reg load(const char* row, int64_t element, int64_t left) {
    const char* at = row + bytes_of<kWeights>(element);
    if (left >= 2 * kRegLanes) return reg_load(reinterpret_cast<const float*>(at));
    float units[kRegLanes] = {};
    if (left > 0) __builtin_memcpy(units, at, static_cast<size_t>(bytes_of<kWeights>(left)));
    return reg_load(units);
  }
  template <int kRows, int kCols>
  static void multiply(Reg (&acc)[kRows][kCols], const float* a, int64_t a_stride, const float* b) {
#ifdef IVL_BF16
    PairReg bv[kCols];
    for (int c = 0; c < kCols; ++c) bv[c] = load_pairs(b + c * kRegLanes);
    for (int m = 0; m < kRows; ++m) {
      const PairReg av = broadcast_pair(a + m * a_stride);
      for (int c = 0; c < kCols; ++c) acc[m][c] = pairs_fma(av, bv[c], acc[m][c]);
    }
#else
    // All odd elements before the even ones: half as many registers of weights at a time.
    multiply_half<true>(acc, a, a_stride, b);
    multiply_half<false>(acc, a, a_stride, b);
#endif
  }

 private:
  template <bool kOdd, int kRows, int kCols>
  static void multiply_half(Reg (&acc)[kRows][kCols], const float* a, int64_t a_stride, const float* b) {
    Reg bv[kCols];
    for (int c = 0; c < kCols; ++c) {
      Reg even, odd;
      reg_load_bf16_pairs(b + c * kRegLanes, even, odd);
      bv[c] = kOdd ? odd : even;
    }
    for (int m = 0; m < kRows; ++m) {
      uint32_t bits;
      __builtin_memcpy(&bits, a + m * a_stride, sizeof bits);
      bits = kOdd ? bits & 0xffff0000u : bits << 16;
      float element;
      __builtin_memcpy(&element, &bits, sizeof element);
      const Reg av = reg_set(element);
      for (int c = 0; c < kCols; ++c) acc[m][c] = reg_fma(av, bv[c], acc[m][c]);
    }
  }
};

// kRegLanes of a panel's kGemmCols columns.
template <class Order, class Load>
inline void pack_lanes(float* out, const Order& order, int64_t cols, int64_t steps, const Load& load) {
  for (int64_t step = 0; step < steps; ++step) {
    for (int l0 = 0; l0 < kLanes; l0 += kRegLanes) {
      Reg block[kRegLanes];
      for (int c = 0; c < kRegLanes; ++c) block[c] = c < cols ? load(c, step, l0) : reg_zero();
      reg_transpose(block);
      for (int l = 0; l < kRegLanes; ++l) reg_store(out + order.at(l0 + l, step) * kGemmCols, block[l]);
    }
  }
}

template <class Order, class Load>
inline void pack_columns(float* out, const Order& order, int64_t cols, int64_t steps, const Load& load) {
  for (int64_t c0 = 0; c0 < kGemmCols; c0 += kRegLanes) {
    pack_lanes(out + c0, order, cols - c0, steps, [&](int64_t col, int64_t step, int l0) { return load(c0 + col, step, l0); });
  }
}

template <class Load>
inline void pack_block_of_row(float* out, int64_t steps, const Load& load) {
  const InPasses order{steps};
  for (int64_t s0 = 0; s0 < steps; s0 += kRegLanes) {
    for (int l0 = 0; l0 < kLanes; l0 += kRegLanes) {
      Reg block[kRegLanes];
      for (int s = 0; s < kRegLanes; ++s) block[s] = s0 + s < steps ? load(s0 + s, l0) : reg_zero();
      reg_transpose(block);
      for (int l = 0; l < kRegLanes; ++l) reg_store_part(out + order.at(l0 + l, s0), block[l], steps - s0);
    }
  }
}

template <class Kind>
inline int64_t steps_of(int64_t depth) {
  return (depth + Kind::kStep - 1) / Kind::kStep;
}

void pack_row(void* to, DType type, const float* in, int64_t n) {
  auto* out = static_cast<float*>(to);
  if (type == DType::F32) {
    for (int64_t k0 = 0; k0 < n; k0 += kKBlock) {
      const int64_t depth = n - k0 < kKBlock ? n - k0 : kKBlock;
      const int64_t steps = steps_of<FloatUnits<DType::F32>>(depth);
      pack_block_of_row(out + k0, steps, [&](int64_t step, int l0) {
        const int64_t at = step * kLanes + l0;
        return reg_load_part(in + k0 + at, depth - at);
      });
    }
    return;
  }
  uint16_t rounded[kPairBlock];
  for (int64_t k0 = 0; k0 < n; k0 += kPairBlock, out += kPairBlock / 2) {
    const int64_t depth = n - k0 < kPairBlock ? n - k0 : kPairBlock;
    narrow_row<DType::BF16>(rounded, in + k0, depth);
    pack_block_of_row(out, steps_of<PairUnits>(depth), [&](int64_t step, int l0) {
      const int64_t at = step * kPairStep + 2 * l0;
      return PairUnits::load(reinterpret_cast<const char*>(rounded), at, depth - at);
    });
  }
}

// Columns n0, ... over [k0, k0 + depth) of a product, packed together; none if cols is 0.
struct PackedBlock {
  int64_t n0, cols, k0, depth;
};

// All blocks of a product: behind a block come the next of the same columns, then the first of the next ones.
struct BlockWalk {
  int64_t cols, k, depth;

  // body(a block, the one behind it)
  template <class Body>
  void each(const Body& body) const {
    for (PackedBlock now = at(0, 0); now.cols > 0;) {
      const PackedBlock next = behind(now);
      body(now, next);
      now = next;
    }
  }

  PackedBlock at(int64_t n0, int64_t k0) const {
    if (n0 >= cols) return {0, 0, 0, 0};
    return {n0, cols - n0 < kPackedCols ? cols - n0 : kPackedCols, k0, k - k0 < depth ? k - k0 : depth};
  }
  PackedBlock behind(const PackedBlock& b) const { return b.k0 + depth < k ? at(b.n0, b.k0 + depth) : at(b.n0 + kPackedCols, 0); }
};

// Brings a block of weights near, some lines with each tile of activations that is multiplied meanwhile.
class WeightFetch {
 public:
  // Of `cols` rows of weights that begin at `from`, `stride` bytes apart, the first `bytes`.
  WeightFetch(const char* from, int64_t stride, int64_t cols, int64_t bytes, int64_t rows_meanwhile)
      : from_(from),
        stride_(stride),
        lines_of_row_((bytes + kLine - 1) / kLine),
        lines_(cols * lines_of_row_),
        each_(lines_ * kGemmRows / rows_meanwhile + 1) {}

  void some() {
    const int64_t end = next_ + each_ < lines_ ? next_ + each_ : lines_;
    for (; next_ < end; ++next_) {
      __builtin_prefetch(from_ + next_ / lines_of_row_ * stride_ + next_ % lines_of_row_ * kLine, 0, kSecondLevel);
    }
  }

 private:
  const char* from_;
  int64_t stride_, lines_of_row_, lines_, each_;
  int64_t next_ = 0;
};

// While a block is multiplied, the walk's next one is fetched, and during the last what the thread multiplies behind these weights.
// bytes_of(n): of the first n elements of a row.
template <class BytesOf>
inline WeightFetch fetch_behind(const BlockWalk& walk, const PackedBlock& next, const void* weights, const WeightsAhead& ahead,
                                int64_t rows, const BytesOf& bytes_of) {
  const bool own = next.cols > 0;
  const PackedBlock block = own ? next : BlockWalk{ahead.cols, walk.k, walk.depth}.at(0, 0);
  const int64_t stride = bytes_of(walk.k);
  const char* from = static_cast<const char*>(own ? weights : ahead.first) + block.n0 * stride + bytes_of(block.k0);
  return {from, stride, block.cols, bytes_of(block.depth), rows};
}

// ---- the multiplication -------------------------------------------------------------------------------------------------------

// kRows rows of packed activations and a panel of packed weights, both from the block's first unit on, and where their sums go.
struct PackedTile {
  const float* a;
  int64_t a_stride;
  const float* b;
  int64_t steps;
  float* sums;
  int64_t sums_stride;
  bool first;  // block of k: it begins the sums, the others are added
};

template <class Kind, int kRows>
inline void multiply_tile(const PackedTile& t) {
  constexpr int kLevels = 4;  // of the tree of sixteen lanes
  alignas(64) float waiting[kLevels][kRows][kGemmCols];
  for (int pass = 0; pass < kLanes; ++pass) {
    Reg acc[kRows][kGemmRegs];
    for (int m = 0; m < kRows; ++m) {
      for (int c = 0; c < kGemmRegs; ++c) acc[m][c] = reg_zero();
    }
    const float* a = t.a + pass * t.steps;
    const float* b = t.b + pass * t.steps * kGemmCols;
    for (int64_t s = 0; s < t.steps; ++s, ++a, b += kGemmCols) Kind::multiply(acc, a, t.a_stride, b);
    int level = 0;
    for (; pass >> level & 1; ++level) {
      for (int m = 0; m < kRows; ++m) {
        for (int c = 0; c < kGemmRegs; ++c) acc[m][c] = reg_add(reg_load(waiting[level][m] + c * kRegLanes), acc[m][c]);
      }
    }
    if (level < kLevels) {
      for (int m = 0; m < kRows; ++m) {
        for (int c = 0; c < kGemmRegs; ++c) reg_store(waiting[level][m] + c * kRegLanes, acc[m][c]);
      }
    } else {
      for (int m = 0; m < kRows; ++m) {
        float* to = t.sums + m * t.sums_stride;
        for (int c = 0; c < kGemmRegs; ++c, to += kRegLanes) reg_store(to, t.first ? acc[m][c] : reg_add(reg_load(to), acc[m][c]));
      }
    }
  }
}

template <class Kind>
inline void pack_weights(const ProductArgs& p, const PackedBlock& at) {
  const int64_t steps = steps_of<Kind>(at.depth);
  for (int64_t n = 0; n < at.cols; n += kGemmCols) {
    const char* first = static_cast<const char*>(p.weight) + bytes_of<Kind::kWeights>((at.n0 + n) * p.k + at.k0);
    pack_columns(p.packed + n * steps * kLanes, InPasses{steps}, at.cols - n, steps, [&](int64_t col, int64_t step, int l0) {
      const int64_t element = step * Kind::kStep + l0 * (Kind::kStep / kLanes);
      return Kind::load(first + bytes_of<Kind::kWeights>(col * p.k), element, at.depth - element);
    });
  }
}

template <class Kind>
inline void multiply_block(const ProductArgs& p, const PackedBlock& at, WeightFetch& next) {
  const int64_t steps = steps_of<Kind>(at.depth);
  const float* a = static_cast<const float*>(p.in) + at.k0 / Kind::kStep * kLanes;
  for (int64_t m0 = 0; m0 < p.rows; m0 += kGemmRows) {
    next.some();
    for (int64_t n = 0; n < at.cols; n += kGemmCols) {
      const PackedTile tile{
          a + m0 * p.in_stride, p.in_stride,          p.packed + n * steps * kLanes, steps, p.sums + m0 * p.sums_stride + at.n0 + n,
          p.sums_stride,        at.k0 == 0 && !p.adds};
      with_row_count<kGemmRows>(p.rows - m0, [&](auto rows) { multiply_tile<Kind, rows.value>(tile); });
    }
  }
}

template <class Kind>
void products_of_many(const ProductArgs& p) {
  const BlockWalk walk{p.cols, p.k, Kind::kBlock};
  walk.each([&](const PackedBlock& at, const PackedBlock& next) {
    pack_weights<Kind>(p, at);
    WeightFetch fetch = fetch_behind(walk, next, p.weight, p.ahead, p.rows, bytes_of<Kind::kWeights>);
    multiply_block<Kind>(p, at, fetch);
  });
}
