// What a product's rows are multiplied as: the type of activations, how many of them a step takes and after how many a sum begins
// anew (kernel_table.h), and what a register of either side is. `pass` counts the registers that make sixteen lanes.

// A register of pairs of bf16: lane i has the elements 2 i and 2 i + 1. pairs_fma is acc + odd * odd, then + even * even, each
// rounded once, which is what VDPBF16PS does (Intel's manual; Zen 4 gives the same bits), except that it takes denormal numbers
// for zeros.
#ifdef IVL_BF16
using PairReg = __m512i;
inline PairReg load_pairs(const void* p) { return _mm512_loadu_si512(p); }
inline PairReg broadcast_pair(const void* p) {
  int pair;
  __builtin_memcpy(&pair, p, sizeof pair);
  return _mm512_set1_epi32(pair);
}
inline Reg pairs_fma(PairReg a, PairReg b, Reg acc) {
  // Not _mm512_dpbf16_ps, for the reason at int_dot.
  asm("vdpbf16ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
  return acc;
}
// Rounds a register for pairs_fma: reg_store_bf16, but that here denormal numbers become zeros, too.
inline void round_for_pairs(void* p, Reg v) {
  const __m256bh rounded = _mm512_cvtneps_pbh(v);
  __builtin_memcpy(p, &rounded, sizeof rounded);
}
#else
struct PairReg {
  Reg even, odd;
};
inline PairReg load_pairs(const void* p) {
  PairReg pairs;
  reg_load_bf16_pairs(p, pairs.even, pairs.odd);
  return pairs;
}
inline Reg pairs_fma(PairReg a, PairReg b, Reg acc) { return reg_fma(a.even, b.even, reg_fma(a.odd, b.odd, acc)); }
inline void round_for_pairs(void* p, Reg v) { reg_store_bf16(p, v); }
#endif

// f32 activations; weights of a type, widened to f32.
template <DType kType>
struct F32Rows {
  using In = float;
  using Operand = Reg;
  static constexpr DType kWeights = kType;
  static constexpr int64_t kStep = kLanes, kBlock = kKBlock;
  static constexpr int kRows = kTileRows;
  static constexpr int64_t kEach = kStep / kRegs;  // elements of a register

  static Operand load(const In* p) { return reg_load(p); }
  static Operand load_part(const In* p, int64_t count) { return reg_load_part(p, count); }
  static Operand load_weights(const void* p) { return reg_load_as<kType>(p, 0); }
  static Reg multiply(Operand a, Operand b, Reg acc) { return reg_fma(a, b, acc); }
};

// bf16 activations, whose rows are whole steps, and bf16 weights.
struct Bf16Rows {
  using In = uint16_t;
  using Operand = PairReg;
  static constexpr DType kWeights = DType::BF16;
  static constexpr int64_t kStep = kPairStep, kBlock = kPairBlock;
  static constexpr int kRows = kPairTileRows;
  static constexpr int64_t kEach = kStep / kRegs;
  static_assert(kStep == 2 * kLanes);

  static Operand load(const In* p) { return load_pairs(p); }
  static Operand load_part(const In* p, int64_t) { return load(p); }
  static Operand load_weights(const void* p) { return load_pairs(p); }
  static Reg multiply(Operand a, Operand b, Reg acc) { return pairs_fma(a, b, acc); }
};

// A tile's rows of weights where they lie, which may be anywhere; `pass` of a step that begins at k.
template <class Kind>
struct StoredRows {
  const void* data;
  int64_t stride;

  const char* at(int n, int64_t k) const {
    return static_cast<const char*>(data) + bytes_of<Kind::kWeights>(n * stride + k);
  }
  auto load(int n, int64_t k, int pass) const { return Kind::load_weights(at(n, k + pass * Kind::kEach)); }
  // Of the last step, which has only `count` elements: nothing behind them is read.
  auto load_tail(int n, int64_t k, int64_t count, int pass) const {
    char step[bytes_of<Kind::kWeights>(Kind::kStep)] = {};
    __builtin_memcpy(step, at(n, k), static_cast<size_t>(bytes_of<Kind::kWeights>(count)));
    return Kind::load_weights(step + bytes_of<Kind::kWeights>(pass * Kind::kEach));
  }
};
