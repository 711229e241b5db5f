// Loops that do nothing but keep one unit busy: what the machine can do at best.

// kChains independent chains of f32 sums, enough to hide the latency of an operation on two ports; `add` is one of them.
template <int kChains, class Add>
inline void keep_adding(int64_t iterations, float* sink, const Add& add) {
  Reg acc[kChains];
  for (int i = 0; i < kChains; ++i) acc[i] = reg_set(static_cast<float>(i));
  for (int64_t i = 0; i < iterations; ++i) {
    for (int j = 0; j < kChains; ++j) acc[j] = add(acc[j]);
  }
  Reg sum = reg_zero();
  for (int i = 0; i < kChains; ++i) sum = reg_add(sum, acc[i]);
  float lanes[kRegLanes];
  reg_store(lanes, sum);
  *sink = lanes[0];
}

double multiply_add(int64_t iterations, float* sink) {
  constexpr int kChains = 10;
  const Reg a = reg_set(0.999f), b = reg_set(0.001f);
  keep_adding<kChains>(iterations, sink, [&](Reg acc) { return reg_fma(acc, a, b); });
  return 2.0 * static_cast<double>(iterations) * kChains * kRegLanes;
}

double bf16_multiply_add(int64_t iterations, float* sink) {
  constexpr int kChains = 12;
  uint16_t ones[2 * kRegLanes];
  for (uint16_t& one : ones) one = 0x3f80;
  const PairReg a = load_pairs(ones), b = load_pairs(ones);
  keep_adding<kChains>(iterations, sink, [&](Reg acc) { return pairs_fma(a, b, acc); });
  return 4.0 * static_cast<double>(iterations) * kChains * kRegLanes;
}

double int8_multiply_add(int64_t iterations, float* sink) {
  constexpr int kChains = 12;
  uint8_t bytes[kIntBytes];
  for (int i = 0; i < kIntBytes; ++i) bytes[i] = static_cast<uint8_t>(i);
  const ByteReg a = load_unsigned(bytes), b = load_signed(reinterpret_cast<const int8_t*>(bytes));
  IntReg acc[kChains];
  for (int i = 0; i < kChains; ++i) acc[i] = int_zero();
  for (int64_t i = 0; i < iterations; ++i) {
    for (int j = 0; j < kChains; ++j) acc[j] = int_dot(acc[j], a, b);
  }
  int32_t sums[kChains];
  for (int i = 0; i < kChains; i += 4) int_sum4(acc + i, sums + i);
  int32_t all = 0;
  for (const int32_t sum : sums) all ^= sum;
  *sink = static_cast<float>(all);
  return 2.0 * static_cast<double>(iterations) * kChains * kIntBytes;
}

void read(const void* data, size_t bytes, float* sink) {
  constexpr size_t kStreams = 4;
  constexpr size_t kStep = sizeof(Reg);
  constexpr size_t kAhead = 1024;
  const char* at = static_cast<const char*>(data);
  const size_t part = bytes / kStreams / kStep * kStep;
  Reg sum[kStreams];
  for (size_t s = 0; s < kStreams; ++s) sum[s] = reg_zero();
  for (size_t i = 0; i < part; i += kStep) {
    for (size_t s = 0; s < kStreams; ++s) {
      const char* from = at + s * part + i;
      __builtin_prefetch(from + kAhead);
      sum[s] = reg_add(sum[s], reg_load(reinterpret_cast<const float*>(from)));
    }
  }
  float lanes[kRegLanes];
  reg_store(lanes, reg_add(reg_add(sum[0], sum[1]), reg_add(sum[2], sum[3])));
  *sink = lanes[0];
}
