// Rows in int8, as backend/int8.h says: activations on their way into a product, weights once, the cache's keys and values.

inline float largest_magnitude(const float* in, int64_t n) {
  V16 largest = v_set(0.0f);
  for (int64_t i = 0; i < n; i += kLanes) largest = v_max(largest, v_abs(v_load_part(in + i, n - i < kLanes ? n - i : kLanes)));
  return v_max_lane(largest);
}

// The same, but NaN if one of them is not finite: that, times 0, is NaN. As the row's scale it reaches whatever is made of the row.
inline float largest_magnitude_or_nan(const float* in, int64_t n) {
  V16 zeros = v_set(0.0f);
  for (int64_t i = 0; i < n; i += kLanes) {
    zeros = v_fma(v_load_part(in + i, n - i < kLanes ? n - i : kLanes), v_set(0.0f), zeros);
  }
  return largest_magnitude(in, n) + v_sum(zeros);
}

// Takes a row's outliers down into the list and gives the largest magnitude of the others. NaN counts as an outlier, so
// that it reaches the result.
inline float split_outliers(const Int8Activation& out, const float* in, int64_t n) {
  constexpr int64_t kPiece = 256;
  float largest = 0;
  int32_t count = 0;
  for (int64_t begin = 0; begin < n; begin += kPiece) {
    const int64_t end = begin + kPiece < n ? begin + kPiece : n;
    V16 below = v_set(0.0f);
    for (int64_t i = begin; i < end; i += kLanes) {
      const V16 x = v_abs(v_load_part(in + i, end - i < kLanes ? end - i : kLanes));
      below = v_add(below, v_select_less(x, v_set(kInt8Outlier), v_set(0.0f), v_set(1.0f)));
    }
    if (v_sum(below) == 0.0f) {
      const float here = largest_magnitude(in + begin, end - begin);
      largest = here > largest ? here : largest;
      continue;
    }
    for (int64_t i = begin; i < end; ++i) {
      const float x = in[i] < 0 ? -in[i] : in[i];
      if (!(x < kInt8Outlier) && count < kMostOutliers) {
        out.outliers[count++] = {static_cast<int32_t>(i), in[i]};
      } else {
        largest = x > largest || x != x ? x : largest;
      }
    }
  }
  *out.outlier_count = count;
  return largest;
}

// out = round to nearest even of in * inverse, plus `offset`; |in * inverse| stays below 2^22.
inline void round_to_bytes(uint8_t* out, const float* in, float inverse, int32_t offset, int64_t n) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: behind it the last bit counts ones
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t count = n - i < kLanes ? n - i : kLanes;
    float shifted[kLanes];
    v_store(shifted, v_add(v_mul(v_load_part(in + i, count), v_set(inverse)), v_set(kMagic)));
    uint32_t bits[kLanes];
    __builtin_memcpy(bits, shifted, sizeof bits);
    for (int64_t j = 0; j < count; ++j) out[i + j] = static_cast<uint8_t>(bits[j] + static_cast<uint32_t>(offset));
  }
}

inline float inverse_of(float largest) { return largest > 0 ? 127.0f / largest : 0.0f; }

void int8_quantize(const Int8Activation& out, const float* in, int64_t n, int64_t stride) {
  const float largest = split_outliers(out, in, n);
  *out.scale = largest / 127.0f;
  round_to_bytes(out.values, in, inverse_of(largest), 128, n);
  for (int32_t i = 0; i < *out.outlier_count; ++i) out.values[out.outliers[i].column] = 128;
  for (int64_t i = n; i < stride; ++i) out.values[i] = 128;
}

void int8_quantize_weights(int8_t* out, float* scale, int32_t* sum, const float* in, int64_t n, int64_t stride) {
  const float largest = largest_magnitude_or_nan(in, n);
  *scale = largest / 127.0f;
  round_to_bytes(reinterpret_cast<uint8_t*>(out), in, inverse_of(largest), 0, n);
  for (int64_t i = n; i < stride; ++i) out[i] = 0;
  *sum = 0;
  for (int64_t i = 0; i < n; ++i) *sum += out[i];
}

void narrow_to_int8(int8_t* out, float* scale, const float* in, int64_t n) {
  const float largest = largest_magnitude_or_nan(in, n);
  *scale = largest / 127.0f;
  round_to_bytes(reinterpret_cast<uint8_t*>(out), in, inverse_of(largest), 0, n);
}
