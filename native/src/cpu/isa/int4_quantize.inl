// Weights into int4, as backend/int4.h says.

// The q of values in units of the scale: how many of the middles between levels they are not below.
inline V16 int4_nearest(V16 x) {
  V16 q = v_set(0.0f);
  for (int i = 1; i < kLanes; ++i) {
    const float middle = 0.5f * static_cast<float>(kInt4Levels[i - 1] + kInt4Levels[i]);
    q = v_add(q, v_select_less(x, v_set(middle), v_set(0.0f), v_set(1.0f)));
  }
  return q;
}

inline V16 int4_level_of(V16 q) {
  V16 level = v_set(static_cast<float>(kInt4Levels[0]));
  for (int i = 1; i < kLanes; ++i) {
    const float step = static_cast<float>(kInt4Levels[i] - kInt4Levels[i - 1]);
    level = v_add(level, v_select_less(q, v_set(static_cast<float>(i)), v_set(0.0f), v_set(step)));
  }
  return level;
}

// A group's values, zeros behind them, and how much each one's loss counts.
struct Int4Group {
  static constexpr int kParts = kInt4Group / kLanes;
  V16 values[kParts], importance[kParts];

  // counts: null: all count alike.
  Int4Group(const float* in, const float* counts, int64_t n) {
    for (int i = 0; i < kParts; ++i) {
      const int64_t left = n - i * kLanes, here = left < 0 ? 0 : left < kLanes ? left : kLanes;
      values[i] = v_load_part(in + i * kLanes, here);
      importance[i] = counts == nullptr ? v_set(1.0f) : v_load_part(counts + i * kLanes, here);
    }
  }

  // The squares of what a scale loses, each by its importance, added up.
  float loss(float scale) const {
    const V16 s = v_set(scale), inverse = v_set(1.0f / scale);
    V16 sum = v_set(0.0f);
    for (int i = 0; i < kParts; ++i) {
      const V16 lost = v_sub(values[i], v_mul(int4_level_of(int4_nearest(v_mul(values[i], inverse))), s));
      sum = v_fma(v_mul(lost, importance[i]), lost, sum);
    }
    return v_sum(sum);
  }
};

// A scale that loses least for the levels that another gives: it meets the inputs that count most. 0: there is none.
inline float int4_fitted(const Int4Group& group, float scale) {
  V16 met = v_set(0.0f), all = v_set(0.0f);
  for (int i = 0; i < Int4Group::kParts; ++i) {
    const V16 level = int4_level_of(int4_nearest(v_mul(group.values[i], v_set(1.0f / scale))));
    const V16 counted = v_mul(level, group.importance[i]);
    met = v_fma(counted, group.values[i], met);
    all = v_fma(counted, level, all);
  }
  const float squares = v_sum(all);
  return squares > 0 ? v_sum(met) / squares : 0;
}

// The scale that loses least of those tried, rounded to its type: the largest value on the last level, or somewhat beside it, with
// either sign; each of them also fitted, where inputs count differently. NaN of values that are not finite.
inline float int4_best_scale(const Int4Group& group, float largest, DType type, bool fits) {
  constexpr int kTried = 8;
  constexpr float kLowest = 0.76f, kStep = 0.04f;  // and 1 is one of them
  float best = 0, least = 0;
  const auto attempt = [&](float wanted) {
    float rounded[kLanes];
    v_store(rounded, int4_rounded(v_set(wanted), type));
    const float scale = rounded[0];
    if (scale == 0.0f) return scale;
    const float loss = group.loss(scale);
    if (best != 0.0f && !(loss < least)) return scale;
    best = scale;
    least = loss;
    return scale;
  };
  for (int i = 0; i < 2 * kTried; ++i) {
    const float part = kLowest + kStep * static_cast<float>(i / 2);
    const float tried = attempt(largest / 127.0f * (i % 2 == 0 ? part : -part));
    if (fits && tried != 0.0f) attempt(int4_fitted(group, tried));
  }
  return best;
}

void int4_quantize_weights(uint8_t* out, void* scales, DType type, const float* in, const float* importance, int64_t n) {
  __builtin_memset(out, 0, static_cast<size_t>(int4_stride(n)));
  for (int64_t at = 0; at < n; at += kInt4Group) {
    const int64_t count = n - at < kInt4Group ? n - at : kInt4Group;
    const float largest = largest_magnitude_or_nan(in + at, count);
    const Int4Group group(in + at, importance == nullptr ? nullptr : importance + at, count);
    const float scale = largest > 0 ? int4_best_scale(group, largest, type, importance != nullptr) : largest;
    uint16_t halves[kLanes];
    const V16 all = v_set(scale), inverse = v_set(scale == 0.0f ? 0.0f : 1.0f / scale);
    type == DType::F16 ? v_store_as<DType::F16>(halves, 0, all) : v_store_as<DType::BF16>(halves, 0, all);
    __builtin_memcpy(static_cast<char*>(scales) + at / kInt4Group * kInt4ScaleBytes, halves, kInt4ScaleBytes);
    for (int64_t i = 0; i < count; i += kLanes) {
      float q[kLanes];
      v_store(q, int4_nearest(v_mul(group.values[i / kLanes], inverse)));
      for (int64_t j = 0; j < kLanes && i + j < count; ++j) {
        const Int4Place place = int4_place(at + i + j);
        out[place.byte] = static_cast<uint8_t>(out[place.byte] | static_cast<int>(q[j]) << place.shift);
      }
    }
  }
}
