// Feed-forward layers of which a row passes a few. All of it stays on the GPU, whichever experts the rows choose.
#include "backend/int8.h"
#include "cuda/cuda_backend.h"
#include "expert_gemm.h"
#include "experts.h"

namespace ivl::cuda {
namespace {

gpu::Routes routes_of(const Matrix& routes, int64_t experts) {
  require(routes.dtype == DType::F32 && routes.cols % 2 == 0, "routes: numbers and weights in f32");
  return {
      {static_cast<float*>(routes.data), routes.stride}, routes.rows, static_cast<int>(experts), static_cast<int>(routes.cols / 2)};
}

}  // namespace

template <class T>
std::unique_ptr<ExpertWeights> CudaBackend<T>::experts(int64_t count, const std::function<ExpertSource(int64_t)>& source,
                                                       DType as) {
  require_own_type(as);
  auto weights = std::make_unique<CudaExperts>();
  weights->count = count;
  for (int64_t e = 0; e < count; ++e) {
    const ExpertSource expert = source(e);
    if (e == 0) {
      allocate_rows(weights->gate_up, expert.gate_up, count);
      allocate_rows(weights->down, expert.down, count);
    }
    put_rows(weights->gate_up, e * weights->gate_up.out_features / count, expert.gate_up);
    put_rows(weights->down, e * weights->down.out_features / count, expert.down);
  }
  weights->in_features = weights->gate_up.in_features;
  weights->width = weights->down.in_features;
  return weights;
}

template <class T>
void CudaBackend<T>::route(const Matrix& routes, const Matrix& in, const LinearWeights& router, bool normalizes) {
  const int64_t experts = router.out_features;
  const size_t bytes = static_cast<size_t>(in.rows * experts) * sizeof(float);
  const Matrix logits{grown(device_, router_logits_, bytes), DType::F32, in.rows, experts, experts};
  matmul(logits, {in, router}, {});
  device_.use();
  check(gpu::route<T>(routes_of(routes, experts), {static_cast<const float*>(logits.data), experts}, normalizes, device_.stream()),
        "the router's choice");
}

template <class T>
void CudaBackend<T>::multiply_by_expert(const Matrix& out, gpu::Rows<const T> in, const CudaLinear& weights,
                                        const CudaExperts& experts, int64_t most_rows, Activation activation) {
  gpu::Epilogue<T> then;
  if (activation == Activation::SwiGlu) then.activation = gpu::Activation::SwiGlu;
  if (out.dtype == DType::F32) {
    then.out_f32 = {static_cast<float*>(out.data), out.stride};
  } else {
    then.out = rows_of(out);
  }
  const gpu::ExpertRows rows{static_cast<const int*>(expert_offsets_.data()), static_cast<int>(experts.count), most_rows};
  const auto outputs = static_cast<int>(out.cols);
  if (weights.int8_scales.data() == nullptr) {
    device_.use();
    check(gpu::expert_gemm<T>(
              {in, static_cast<const T*>(weights.weight.data()), then, out.rows, static_cast<int>(weights.padded_in), outputs},
              rows, device_.stream()),
          "experts' product");
    return;
  }
  const gpu::QuantizedRows bytes = quantized(in, out.rows, weights);
  const gpu::Int8Weights in_bytes{static_cast<const int8_t*>(weights.weight.data()),
                                  static_cast<const float*>(weights.int8_scales.data()),
                                  static_cast<int>(int8_stride(weights.in_features))};
  check(gpu::expert_int8_gemm<T>({bytes, in_bytes, then, out.rows, outputs, nullptr}, rows, device_.stream()), "experts' product");
}

template <class T>
void CudaBackend<T>::mix_experts(const Matrix& x, const Matrix& in, const Matrix& routes, const ExpertWeights& opaque) {
  const auto& experts = static_cast<const CudaExperts&>(opaque);
  const gpu::Routes chosen = routes_of(routes, experts.count);
  const int64_t slots = x.rows * chosen.chosen;
  require(in.rows == x.rows && routes.rows == x.rows && in.cols == experts.gate_up.padded_in && x.cols == in.cols,
          "mix_experts: shapes fit");
  if (x.rows == 0) return;
  const auto ints = [&](Buffer& buffer, int64_t count) {
    return static_cast<int*>(grown(device_, buffer, static_cast<size_t>(count) * sizeof(int)));
  };
  const auto rows = [&](Buffer& buffer, DType type, int64_t cols) {
    return Matrix{grown(device_, buffer, static_cast<size_t>(slots * cols) * size_of(type)), type, slots, cols, cols};
  };
  const gpu::ExpertSlots places{ints(expert_offsets_, experts.count + 1), ints(row_of_slot_, slots), ints(slot_of_, slots)};
  const Matrix gathered = rows(expert_in_, activation_type(), in.cols);
  const Matrix inner = rows(expert_inner_, activation_type(), experts.down.padded_in);
  const Matrix out = rows(expert_out_, DType::F32, x.cols);
  const auto cols = static_cast<int>(x.cols);
  device_.use();
  check(gpu::sort_by_expert(places, chosen, device_.stream()), "rows by expert");
  check(gpu::gather_slots<T>(rows_of(gathered), const_rows_of(in), places.row_of, chosen, cols, device_.stream()), "experts' rows");
  multiply_by_expert(inner, const_rows_of(gathered), experts.gate_up, experts, x.rows, Activation::SwiGlu);
  multiply_by_expert(out, const_rows_of(inner), experts.down, experts, x.rows, Activation::None);
  check(gpu::mix_slots<T>(rows_of(x), {static_cast<const float*>(out.data), out.stride}, places.slot_of, chosen, cols,
                          device_.stream()),
        "experts' results");
}

template class CudaBackend<gpu::bf16>;
template class CudaBackend<gpu::f16>;

}  // namespace ivl::cuda
