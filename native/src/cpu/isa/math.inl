// exp, erf, GELU and SiLU of sixteen floats. NaN gives NaN; there are no tables and no approximate instructions, so
// every variant with fused multiply-add gives the same bits.

// e^x = power * 2^n, n whole: x = n ln 2 + r with |r| <= ln 2 / 2, and power = e^r by the polynomial of Cephes' expf (Moshier).
struct Exp {
  V16 power, n;
};
constexpr float kWhole = 0x1.8p23f;  // adding it leaves a number rounded to a whole one in the low bits
[[gnu::always_inline]] inline Exp v_exp_parts(V16 x) {
  const V16 magic = v_set(kWhole);
  const V16 n = v_sub(v_fma(x, v_set(1.44269504088896341f), magic), magic);
  V16 r = v_fma(n, v_set(-0.693359375f), x);
  r = v_fma(n, v_set(2.12194440e-4f), r);
  V16 p = v_set(1.9875691500e-4f);
  p = v_fma(p, r, v_set(1.3981999507e-3f));
  p = v_fma(p, r, v_set(8.3334519073e-3f));
  p = v_fma(p, r, v_set(4.1665795894e-2f));
  p = v_fma(p, r, v_set(1.6666665459e-1f));
  p = v_fma(p, r, v_set(5.0000001201e-1f));
  return {v_add(v_fma(p, v_mul(r, r), r), v_set(1.0f)), n};
}

// 2^n of whole numbers from -127 on, whose power is 0.
inline V16 v_power_of_two(V16 n) { return v_shift_left_23(v_add(n, v_set(kWhole + 127.0f))); }

// e^x within 2 units in the last place where the result is normal. 2^n is applied in two halves, so that results reach infinity
// and denormals.
inline V16 v_exp(V16 x) {
  const V16 magic = v_set(kWhole);
  const Exp e = v_exp_parts(v_min(v_set(89.0f), v_max(v_set(-104.0f), x)));  // in this order NaN stays
  const V16 first = v_sub(v_fma(e.n, v_set(0.5f), magic), magic);
  return v_mul(v_mul(e.power, v_power_of_two(first)), v_power_of_two(v_sub(e.n, first)));
}

// The same for x <= 0, with less to do: where the result would be denormal it may be 0.
inline V16 v_exp_to_one(V16 x) {
  const Exp e = v_exp_parts(v_max(v_set(-88.0f), x));
  return v_mul(e.power, v_power_of_two(e.n));
}

// Both halves of erf, for t = |x|: below 1, erf(t) = t + t P(t^2); above, erfc(t) = exp(t Q(t)), Q fitted on [1, 9.3]
// to log erfc (absolute error 7e-8, relative 1.1e-4 at the far end). The fits are least squares, reweighted towards
// equal ripples.
struct Erf {
  V16 small;       // erf(t), good below 1
  V16 complement;  // erfc(t), good above 1
};
inline Erf v_erf_parts(V16 t) {
  const V16 s = v_mul(t, t);
  V16 p = v_set(-5.462932168e-04f);
  p = v_fma(p, s, v_set(4.870704375e-03f));
  p = v_fma(p, s, v_set(-2.666381188e-02f));
  p = v_fma(p, s, v_set(1.127806455e-01f));
  p = v_fma(p, s, v_set(-3.761194050e-01f));
  p = v_fma(p, s, v_set(1.283789277e-01f));
  const V16 u = v_min(v_set(9.3f), t);  // in this order NaN stays
  V16 q = v_set(-3.868227338e-08f);
  q = v_fma(q, u, v_set(1.904256806e-06f));
  q = v_fma(q, u, v_set(-4.122292012e-05f));
  q = v_fma(q, u, v_set(5.204636254e-04f));
  q = v_fma(q, u, v_set(-4.303495865e-03f));
  q = v_fma(q, u, v_set(2.496532165e-02f));
  q = v_fma(q, u, v_set(-1.074209809e-01f));
  q = v_fma(q, u, v_set(-6.345773339e-01f));
  q = v_fma(q, u, v_set(-1.128749847e+00f));
  return {v_fma(p, t, t), v_exp(v_mul(q, u))};
}

inline V16 v_erf(V16 x) {
  const V16 t = v_abs(x);
  const Erf parts = v_erf_parts(t);
  const V16 one = v_set(1.0f);
  const V16 magnitude = v_select_less(t, one, parts.small, v_sub(one, parts.complement));
  return v_select_less(x, v_set(0.0f), v_sub(v_set(0.0f), magnitude), magnitude);
}

// x (1 + erf(x / sqrt 2)) / 2. On the negative side 1 + erf is erfc itself, so the tail does not cancel.
inline V16 v_gelu(V16 x) {
  const V16 one = v_set(1.0f), zero = v_set(0.0f);
  const V16 t = v_mul(v_abs(x), v_set(0.707106781186547524f));
  const Erf parts = v_erf_parts(t);
  const V16 upper = v_select_less(t, one, v_add(one, parts.small), v_sub(v_set(2.0f), parts.complement));
  const V16 lower = v_select_less(t, one, v_sub(one, parts.small), parts.complement);
  return v_mul(v_mul(v_set(0.5f), x), v_select_less(x, zero, lower, upper));
}

// x / (1 + e^-x).
inline V16 v_silu(V16 x) { return v_div(x, v_add(v_set(1.0f), v_exp(v_sub(v_set(0.0f), x)))); }

void evaluate(MathFunction function, float* out, const float* in, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) {
    const V16 x = v_load_part(in + i, n - i);
    const V16 y = function == MathFunction::Exp    ? v_exp(x)
                  : function == MathFunction::Erf  ? v_erf(x)
                  : function == MathFunction::Gelu ? v_gelu(x)
                                                   : v_silu(x);
    v_store_part(out + i, y, n - i);
  }
}
