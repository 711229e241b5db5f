// Sampling on the GPU: the settings go there, and what was chosen comes back, each in one copy.
#include <cmath>
#include <utility>

#include "cuda/cuda_backend.h"

namespace ivl::cuda {
namespace {

static_assert(gpu::kMostTop == kMostTopLogprobs, "as many log-probabilities as the backends' interface says");

gpu::SamplingRow row_of(const Draw& draw) {
  gpu::SamplingRow row;
  row.uniform = draw.uniform;
  row.generated_count = static_cast<int>(draw.generated.size());
  row.added_count = static_cast<int>(draw.added.size());
  row.penalty = draw.repetition_penalty;
  row.temperature = draw.temperature;
  row.top_p = draw.top_p;
  row.min_p = draw.min_p;
  row.top_k = draw.top_k;
  row.top = draw.top_logprobs;
  return row;
}

Sampled sampled_from(const gpu::SampledRow& row, std::span<const gpu::TopToken> top) {
  check_best(row.best);
  check_allowed(row.best_score);
  Sampled sampled{row.token, logprob_of(row.logit, row.best, row.mass), {}};
  for (const gpu::TopToken& each : top) sampled.top.push_back({each.token, logprob_of(each.logit, row.best, row.mass)});
  return sampled;
}

}  // namespace

template <class T>
std::vector<Sampled> CudaBackend<T>::sample(const Matrix& logits, std::span<const Draw> draws) {
  require(logits.dtype == DType::F32 && logits.rows == static_cast<int64_t>(draws.size()), "sample: a draw for each row of f32");
  std::vector<int> generated;
  std::vector<gpu::AddedLogit> added;
  std::vector<uint32_t> masks;
  size_t most_top = 0;
  for (const Draw& draw : draws) {
    generated.insert(generated.end(), draw.generated.begin(), draw.generated.end());
    for (const TokenLogit& each : draw.added) added.push_back({each.token, each.logit});
    if (draw.allowed != nullptr) masks.insert(masks.end(), draw.allowed->begin(), draw.allowed->end());
    most_top = std::max(most_top, static_cast<size_t>(std::min<int64_t>(draw.top_logprobs, logits.cols)));
  }
  const int* next = generated.empty() ? nullptr : generated_.on(device_, std::move(generated));
  const gpu::AddedLogit* next_added = added.empty() ? nullptr : added_logits_.on(device_, std::move(added));
  const uint32_t* next_mask = masks.empty() ? nullptr : masks_.on(device_, std::move(masks));
  std::vector<gpu::SamplingRow> rows;
  for (const Draw& draw : draws) {
    gpu::SamplingRow& row = rows.emplace_back(row_of(draw));
    if (!draw.generated.empty()) row.generated = std::exchange(next, next + draw.generated.size());
    if (!draw.added.empty()) row.added = std::exchange(next_added, next_added + draw.added.size());
    if (draw.allowed != nullptr) row.allowed = std::exchange(next_mask, next_mask + draw.allowed->size());
  }
  // The rows' results, and behind them their best.
  const size_t top_at = draws.size() * sizeof(gpu::SampledRow);
  const size_t bytes = top_at + draws.size() * most_top * sizeof(gpu::TopToken);
  auto* out = static_cast<std::byte*>(grown(device_, sampled_, bytes));

  gpu::Sampling sampling;
  sampling.logits = {static_cast<const float*>(logits.data), logits.stride};
  sampling.rows = sampling_rows_.on(device_, std::move(rows));
  sampling.row_count = logits.rows;
  sampling.vocabulary = static_cast<int>(logits.cols);
  sampling.out = reinterpret_cast<gpu::SampledRow*>(out);
  sampling.top = reinterpret_cast<gpu::TopToken*>(out + top_at);
  sampling.top_stride = static_cast<int>(most_top);
  sampling.workspace = grown(device_, sampling_space_, gpu::sampling_workspace(logits.rows, sampling.vocabulary));
  device_.use();
  check(gpu::sample(sampling, device_.stream()), "sampling");

  std::vector<std::byte> host(bytes);
  device_.download_rows(host.data(), bytes, out, bytes, bytes, 1);
  const auto* results = reinterpret_cast<const gpu::SampledRow*>(host.data());
  const auto* top = reinterpret_cast<const gpu::TopToken*>(host.data() + top_at);
  std::vector<Sampled> sampled;
  for (size_t i = 0; i < draws.size(); ++i) {
    const auto wanted = static_cast<size_t>(std::min<int64_t>(draws[i].top_logprobs, logits.cols));
    sampled.push_back(sampled_or_failure([&] { return sampled_from(results[i], {top + i * most_top, wanted}); }));
  }
  return sampled;
}

template class CudaBackend<gpu::bf16>;
template class CudaBackend<gpu::f16>;

}  // namespace ivl::cuda
