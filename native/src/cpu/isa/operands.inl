// What a product's rows are multiplied as: the type of activations, how many of them a step takes and after how many a sum begins
// anew (kernel_table.h), and what a register of either side is. `pass` counts the registers that make sixteen lanes.

// A register of pairs of bf16: lane i has the elements 2 i and 2 i + 1. pairs_fma is acc + odd * odd, then
// + even * even, each rounded once, which is what VDPBF16PS does (Intel's manual; Zen 4 gives the same bits), except that it takes
// denormal numbers for zeros.
#ifdef IVL_BF16
using PairReg = __m512i;
inline PairReg load_pairs(const void* p) { return _mm512_loadu_si512(p); }
inline Reg pairs_fma(PairReg a, PairReg b, Reg acc) {
  // Not _mm512_dpbf16_ps, for the reason at int_dot.
  asm("vdpbf16ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
  return acc;
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
  static Reg multiply(Operand a, Operand b, Reg acc) { return pairs_fma(a, b, acc); }
};

// A tile's rows of weights where they lie; `pass` of a step that begins at k.
template <class Kind>
struct StoredRows {
  const void* data;
  int64_t stride;

  Reg load(int n, int64_t k, int pass) const { return reg_load_as<Kind::kWeights>(data, n * stride + k + pass * Kind::kEach); }
  Reg load_tail(int n, int64_t k, int64_t count, int pass) const {
    return v_load_part_as<Kind::kWeights>(data, n * stride + k, count).r[pass];
  }
};

template <>
struct StoredRows<Bf16Rows> {
  const void* data;
  int64_t stride;

  const char* at(int n, int64_t k) const { return static_cast<const char*>(data) + bytes_of<DType::BF16>(n * stride + k); }
  PairReg load(int n, int64_t k, int pass) const { return load_pairs(at(n, k + pass * Bf16Rows::kEach)); }
  PairReg load_tail(int n, int64_t k, int64_t count, int pass) const {
    uint16_t step[Bf16Rows::kStep] = {};
    __builtin_memcpy(step, at(n, k), static_cast<size_t>(count) * sizeof *step);
    return load_pairs(step + pass * Bf16Rows::kEach);
  }
};

// A tile's rows widened to f32 beforehand, sixteen elements of each row in turn; a tail is filled up with zeros.
struct WidenedRows {
  const float* data;

  Reg load(int n, int64_t k, int pass) const { return reg_load(data + k * kTileCols + n * kLanes + pass * kRegLanes); }
  Reg load_tail(int n, int64_t k, int64_t, int pass) const { return load(n, k, pass); }
};
