// What follows a product: bias, activation, layer scale and residual, from the sums straight to the output.

template <EpilogueKind kKind>
inline V16 finish(const EpilogueArgs& e, int64_t m, int64_t n, int64_t count) {
  V16 x = v_load_part(e.sums + m * e.sums_stride + n, count);
  if (e.bias != nullptr) x = v_add(x, v_load_part(e.bias + n, count));
  if constexpr (kKind == EpilogueKind::Gelu) x = v_gelu(x);
  if constexpr (kKind == EpilogueKind::SwiGlu) {
    V16 up = v_load_part(e.up + m * e.sums_stride + n, count);
    if (e.up_bias != nullptr) up = v_add(up, v_load_part(e.up_bias + n, count));
    x = v_mul(v_silu(x), up);
  }
  if (e.scale != nullptr) x = v_mul(x, v_load_part(e.scale + n, count));
  if (e.residual != nullptr) x = v_add(v_load_part(e.residual + m * e.residual_stride + n, count), x);
  return x;
}

template <EpilogueKind kKind>
void epilogue_of(const EpilogueArgs& e) {
  for (int64_t m = 0; m < e.rows; ++m) {
    float* out = e.out + m * e.out_stride;
    int64_t n = 0;
    for (; n + kLanes <= e.cols; n += kLanes) v_store(out + n, finish<kKind>(e, m, n, kLanes));
    if (n < e.cols) v_store_part(out + n, finish<kKind>(e, m, n, e.cols - n), e.cols - n);
  }
}

void epilogue(const EpilogueArgs& e) {
  switch (e.kind) {
    case EpilogueKind::None: return epilogue_of<EpilogueKind::None>(e);
    case EpilogueKind::Gelu: return epilogue_of<EpilogueKind::Gelu>(e);
    case EpilogueKind::SwiGlu: return epilogue_of<EpilogueKind::SwiGlu>(e);
  }
}
