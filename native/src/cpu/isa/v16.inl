// Sixteen logical lanes in however many registers the instruction set needs: the unit in which kernels are written, so
// that every variant adds in the same order. Included inside the anonymous namespace of one kernels_*.cpp.

constexpr int kLanes = 16;
constexpr int kRegs = kLanes / kRegLanes;

struct V16 {
  Reg r[kRegs];
};

#define IVL_EACH(expression)                               \
  V16 out;                                                 \
  for (int i = 0; i < kRegs; ++i) out.r[i] = (expression); \
  return out

inline V16 v_set(float x) { IVL_EACH(reg_set(x)); }
inline V16 v_load(const float* p) { IVL_EACH(reg_load(p + i * kRegLanes)); }
inline V16 v_load_part(const float* p, int64_t n) { IVL_EACH(reg_load_part(p + i * kRegLanes, n - i * kRegLanes)); }
inline V16 v_add(V16 a, V16 b) { IVL_EACH(reg_add(a.r[i], b.r[i])); }
inline V16 v_sub(V16 a, V16 b) { IVL_EACH(reg_sub(a.r[i], b.r[i])); }
inline V16 v_mul(V16 a, V16 b) { IVL_EACH(reg_mul(a.r[i], b.r[i])); }
inline V16 v_div(V16 a, V16 b) { IVL_EACH(reg_div(a.r[i], b.r[i])); }
inline V16 v_fma(V16 a, V16 b, V16 c) { IVL_EACH(reg_fma(a.r[i], b.r[i], c.r[i])); }
inline V16 v_max(V16 a, V16 b) { IVL_EACH(reg_max(a.r[i], b.r[i])); }
inline V16 v_min(V16 a, V16 b) { IVL_EACH(reg_min(a.r[i], b.r[i])); }
inline V16 v_abs(V16 a) { IVL_EACH(reg_abs(a.r[i])); }
inline V16 v_shift_left_23(V16 a) { IVL_EACH(reg_shift_left_23(a.r[i])); }
// x < y ? a : b; b where x or y is NaN.
inline V16 v_select_less(V16 x, V16 y, V16 a, V16 b) { IVL_EACH(reg_select(reg_less(x.r[i], y.r[i]), a.r[i], b.r[i])); }
#undef IVL_EACH

inline void v_store(float* p, V16 v) {
  for (int i = 0; i < kRegs; ++i) reg_store(p + i * kRegLanes, v.r[i]);
}
inline void v_store_part(float* p, V16 v, int64_t n) {
  for (int i = 0; i < kRegs; ++i) reg_store_part(p + i * kRegLanes, v.r[i], n - i * kRegLanes);
}

// ---- other types -----------------------------------------------------------------------------------------------

template <DType kType>
constexpr int64_t bytes_of(int64_t elements) {
  return kType == DType::F32 ? elements * 4 : elements * 2;
}

template <DType kType>
inline Reg reg_load_as(const void* p, int64_t element) {
  const char* at = static_cast<const char*>(p) + bytes_of<kType>(element);
  if constexpr (kType == DType::F32) return reg_load(reinterpret_cast<const float*>(at));
  if constexpr (kType == DType::BF16) return reg_load_bf16(at);
  if constexpr (kType == DType::F16) return reg_load_f16(at);
}

template <DType kType>
inline V16 v_load_as(const void* p, int64_t element) {
  V16 out;
  for (int i = 0; i < kRegs; ++i) out.r[i] = reg_load_as<kType>(p, element + i * kRegLanes);
  return out;
}

// The first n < 16 lanes, the others zero; nothing past them is read.
template <DType kType>
inline V16 v_load_part_as(const void* p, int64_t element, int64_t n) {
  const char* at = static_cast<const char*>(p) + bytes_of<kType>(element);
  if constexpr (kType == DType::F32) return v_load_part(reinterpret_cast<const float*>(at), n);
  uint16_t lanes[kLanes] = {};
  __builtin_memcpy(lanes, at, static_cast<size_t>(n) * 2);
  return v_load_as<kType>(lanes, 0);
}

inline V16 v_load_int8(const int8_t* p) {
  V16 out;
  for (int i = 0; i < kRegs; ++i) out.r[i] = reg_load_int8(p + i * kRegLanes);
  return out;
}

inline V16 v_load_part_int8(const int8_t* p, int64_t n) {
  int8_t lanes[kLanes] = {};
  __builtin_memcpy(lanes, p, static_cast<size_t>(n));
  return v_load_int8(lanes);
}

template <DType kType>
inline void v_store_as(void* p, int64_t element, V16 v) {
  char* at = static_cast<char*>(p) + bytes_of<kType>(element);
  for (int i = 0; i < kRegs; ++i) {
    char* to = at + bytes_of<kType>(i * kRegLanes);
    if constexpr (kType == DType::F32) reg_store(reinterpret_cast<float*>(to), v.r[i]);
    if constexpr (kType == DType::BF16) reg_store_bf16(to, v.r[i]);
    if constexpr (kType == DType::F16) reg_store_f16(to, v.r[i]);
  }
}

// ---- the fixed tree ----------------------------------------------------------------------------------------------

// lane i += lane i + 8, and down to one register.
inline Reg v_fold(const V16& v) {
  if constexpr (kRegs == 1) return v.r[0];
  if constexpr (kRegs == 2) return reg_add(v.r[0], v.r[1]);
  if constexpr (kRegs == 4) return reg_add(reg_add(v.r[0], v.r[2]), reg_add(v.r[1], v.r[3]));
}

inline float v_sum(const V16& v) {
  const Reg folded = v_fold(v);
  const Reg four[4] = {folded, folded, folded, folded};
  float out[4];
  reg_sum4(four, out);
  return out[0];
}

inline float v_max_lane(const V16& v) {
  Reg largest = v.r[0];
  for (int i = 1; i < kRegs; ++i) largest = reg_max(largest, v.r[i]);
  return reg_max_lane(largest);
}
