// Conversions, RoPE's rotation and sums.

template <DType kType>
inline void narrow_row(void* out, const float* in, int64_t n) {
  const int64_t whole = n & ~int64_t{kLanes - 1};
  for (int64_t i = 0; i < whole; i += kLanes) v_store_as<kType>(out, i, v_load(in + i));
  if (whole == n) return;
  const V16 last = v_load_part(in + whole, n - whole);
  if constexpr (kType == DType::F32) {
    v_store_part(reinterpret_cast<float*>(static_cast<char*>(out) + bytes_of<kType>(whole)), last, n - whole);
  } else {
    uint16_t lanes[kLanes];
    v_store_as<kType>(lanes, 0, last);
    __builtin_memcpy(static_cast<char*>(out) + bytes_of<kType>(whole), lanes, static_cast<size_t>(n - whole) * 2);
  }
}

void narrow(void* out, DType type, const float* in, int64_t n) {
  switch (type) {
    case DType::F32: return narrow_row<DType::F32>(out, in, n);
    case DType::BF16: return narrow_row<DType::BF16>(out, in, n);
    case DType::F16: return narrow_row<DType::F16>(out, in, n);
  }
}

template <DType kType>
inline void widen_exactly(float* out, const void* in, int64_t n) {
  const int64_t whole = n & ~int64_t{kLanes - 1};
  for (int64_t i = 0; i < whole; i += kLanes) v_store(out + i, v_load_as<kType>(in, i));
  if (whole != n) v_store_part(out + whole, v_load_part_as<kType>(in, whole, n - whole), n - whole);
}

void widen(float* out, const void* in, DType type, int64_t n) {
  switch (type) {
    case DType::F32: return widen_exactly<DType::F32>(out, in, n);
    case DType::BF16: return widen_exactly<DType::BF16>(out, in, n);
    case DType::F16: return widen_exactly<DType::F16>(out, in, n);
  }
}

// (x1, x2) -> (x1 cos - x2 sin, x2 cos + x1 sin), x1 and x2 being a head's halves (Su et al. 2021, as GPT-NeoX and
// Llama pair the dimensions).
void rotate(float* x, const float* cos_sin, int64_t heads, int64_t head_dim) {
  const int64_t half = head_dim / 2;
  for (int64_t h = 0; h < heads; ++h, x += head_dim) {
    for (int64_t i = 0; i < half; i += kLanes) {
      const int64_t n = half - i < kLanes ? half - i : kLanes;
      const V16 x1 = v_load_part(x + i, n), x2 = v_load_part(x + half + i, n);
      const V16 c = v_load_part(cos_sin + i, n), s = v_load_part(cos_sin + half + i, n);
      v_store_part(x + i, v_sub(v_mul(x1, c), v_mul(x2, s)), n);
      v_store_part(x + half + i, v_add(v_mul(x2, c), v_mul(x1, s)), n);
    }
  }
}

void add(float* out, const float* a, const float* b, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t count = n - i < kLanes ? n - i : kLanes;
    v_store_part(out + i, v_add(v_load_part(a + i, count), v_load_part(b + i, count)), count);
  }
}

void add_weighted(float* x, const float* rows, int64_t stride, const int64_t* numbers, const float* weights, int64_t count,
                  int64_t n) {
  for (int64_t at = 0; at < n; at += kLanes) {
    const int64_t lanes = n - at < kLanes ? n - at : kLanes;
    V16 sum = v_set(0.0f);
    for (int64_t i = 0; i < count; ++i) sum = v_fma(v_set(weights[i]), v_load_part(rows + numbers[i] * stride + at, lanes), sum);
    v_store_part(x + at, v_add(v_load_part(x + at, lanes), sum), lanes);
  }
}
