// What a product's rows are multiplied as: the type of activations, how many of them a step takes and after how many a sum begins
// anew (kernel_table.h), and what a register of either side is.

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

// Sums of f32 in the sixteen lanes of kernel_table.h, kRegs registers.
struct FloatSums {
  static constexpr bool kWidens = false;
  using Acc = Reg;
  using Sum = float;
  static constexpr int kRegs = kLanes / kRegLanes;

  static Acc zero() { return reg_zero(); }
  static Acc load_sum(const float* p) { return reg_load(p); }
  static void store_sum(float* p, Acc v) { reg_store(p, v); }
  // The sums of four neighbouring registers' lanes, the next registers of the lanes being `apart`.
  static void sum4(const float* acc, int64_t apart, Sum* out) {
    Reg folded[4];
    for (int n = 0; n < 4; ++n) {
      V16 v;
      for (int i = 0; i < kRegs; ++i) v.r[i] = reg_load(acc + i * apart + n * kRegLanes);
      folded[n] = v_fold(v);
    }
    reg_sum4(folded, out);
  }
};

// f32 activations; weights of a type, widened to f32.
template <DType kType_>
struct F32Rows : FloatSums {
  static constexpr DType kType = kType_;
  static constexpr bool kWidens = kType != DType::F32;
  using Wide = F32Rows<DType::F32>;
  using In = float;
  using Operand = Reg;
  static constexpr int64_t kStep = kLanes, kBlock = kKBlock;
  static constexpr int64_t kBytes = bytes_of<kType>(1);  // of a weight
  static constexpr int kRows = kTileRows;
  static constexpr int64_t kEach = kStep / kRegs;  // elements of a register

  static Operand load(const In* p) { return reg_load(p); }
  static Operand load_weights(const void* p) { return reg_load_as<kType>(p, 0); }
  static Reg multiply(Operand a, Operand b, Reg acc) { return reg_fma(a, b, acc); }
};

// bf16 activations, whose rows are whole steps, and bf16 weights.
struct Bf16Rows : FloatSums {
  using In = uint16_t;
  using Operand = PairReg;
  static constexpr int64_t kStep = kPairStep, kBlock = kPairBlock;
  static constexpr int64_t kBytes = bytes_of<DType::BF16>(1);
  static constexpr int kRows = kPairTileRows;
  static constexpr int64_t kEach = kStep / kRegs;
  static_assert(kStep == 2 * kLanes);

  static Operand load(const In* p) { return load_pairs(p); }
  static Operand load_weights(const void* p) { return load_pairs(p); }
  static Reg multiply(Operand a, Operand b, Reg acc) { return pairs_fma(a, b, acc); }
};

// Bytes: activations without and weights with a sign, whose rows are whole steps. Their sums are exact in any order.
struct ByteRows {
  static constexpr bool kWidens = false;
  using In = uint8_t;
  using Operand = ByteReg;
  using Acc = IntReg;
  using Sum = int32_t;
  static constexpr int kRegs = 1;
  static constexpr int64_t kStep = kIntBytes, kBytes = 1;
  static constexpr int64_t kBlock = 4096;  // a tile's rows of weights stay in the first-level cache
  static constexpr int kRows = kIntTileRows;
  static constexpr int64_t kEach = kStep;

  static Acc zero() { return int_zero(); }
  static Acc load_sum(const float* p) { return bits_of(reg_load(p)); }
  static void store_sum(float* p, Acc v) { reg_store(p, reg_of_bits(v)); }
  static void sum4(const float* acc, int64_t, Sum* out) {
    IntReg v[4];
    for (int n = 0; n < 4; ++n) v[n] = load_sum(acc + n * kRegLanes);
    int_sum4(v, out);
  }
  static Operand load(const In* p) { return load_unsigned(p); }
  static Operand load_weights(const char* p) { return load_signed(reinterpret_cast<const int8_t*>(p)); }
  static IntReg multiply(Operand a, Operand b, IntReg acc) { return int_dot(acc, a, b); }
};
