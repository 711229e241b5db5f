// Norms of one row, in f32. Sums run in 4 x 16 lanes, folded pairwise and then by the fixed tree.

// Sum of (x - shift)^2, or of x when kSquares is false.
template <bool kSquares>
inline float row_sum(const float* x, float shift, int64_t n) {
  V16 acc[4];
  for (V16& a : acc) a = v_set(0.0f);
  const V16 center = v_set(shift);
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (int j = 0; j < 4; ++j) {
      const V16 v = v_load(x + i + j * kLanes);
      if constexpr (kSquares) {
        const V16 d = v_sub(v, center);
        acc[j] = v_fma(d, d, acc[j]);
      } else {
        acc[j] = v_add(acc[j], v);
      }
    }
  }
  for (; i < n; i += kLanes) {
    const int64_t count = n - i < kLanes ? n - i : kLanes;
    const V16 v = v_load_part(x + i, count);
    if constexpr (kSquares) {
      // Lanes past the end hold 0, and 0 - shift must not count: they get the shift itself.
      float pad[kLanes];
      for (int64_t l = 0; l < kLanes; ++l) pad[l] = l < count ? 0.0f : shift;
      const V16 d = v_sub(v_add(v, v_load(pad)), center);
      acc[0] = v_fma(d, d, acc[0]);
    } else {
      acc[0] = v_add(acc[0], v);
    }
  }
  return v_sum(v_add(v_add(acc[0], acc[1]), v_add(acc[2], acc[3])));
}

// Zhang and Sennrich 2019: x / sqrt(mean(x^2) + eps), then the weight.
void rms_norm(float* out, const float* in, const float* weight, float eps, int64_t n) {
  const float mean = row_sum<true>(in, 0.0f, n) / static_cast<float>(n);
  const V16 inverse = v_set(1.0f / __builtin_sqrtf(mean + eps));
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t count = n - i < kLanes ? n - i : kLanes;
    const V16 x = v_mul(v_load_part(in + i, count), inverse);
    v_store_part(out + i, v_mul(x, v_load_part(weight + i, count)), count);
  }
}

// Ba, Kiros and Hinton 2016, with the biased variance in a second pass.
void layer_norm(float* out, const float* in, const float* weight, const float* bias, float eps, int64_t n) {
  const float mean = row_sum<false>(in, 0.0f, n) / static_cast<float>(n);
  const float variance = row_sum<true>(in, mean, n) / static_cast<float>(n);
  const V16 center = v_set(mean);
  const V16 inverse = v_set(1.0f / __builtin_sqrtf(variance + eps));
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t count = n - i < kLanes ? n - i : kLanes;
    const V16 x = v_mul(v_sub(v_load_part(in + i, count), center), inverse);
    V16 y = v_mul(x, v_load_part(weight + i, count));
    if (bias != nullptr) y = v_add(y, v_load_part(bias + i, count));
    v_store_part(out + i, y, count);
  }
}
