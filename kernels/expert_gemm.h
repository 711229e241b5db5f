// Products of rows that lie by expert (experts.h), each with its expert's weights: one launch for all experts.
#pragma once

#include "gemm.h"
#include "int8.h"

namespace gpu {

// Which rows are an expert's: [offsets[e], offsets[e + 1]).
struct ExpertRows {
  const int* offsets = nullptr;  // (experts + 1) in device memory
  int experts = 0;
  int64_t most = 0;  // rows of one expert, at most
};

// product.rows counts the rows of all experts. product.weight is that of expert 0, behind which the others' follow, dense; the
// epilogue has no bias, no scale and no residual. A row's results are the bits of gemm() with its expert's weights.
template <class T>
cudaError_t expert_gemm(const Gemm<T>& product, const ExpertRows& rows, cudaStream_t stream);

// The same in int8: values and scales of all experts, one behind another; no digests.
template <class T>
cudaError_t expert_int8_gemm(const Int8Gemm<T>& product, const ExpertRows& rows, cudaStream_t stream);

}  // namespace gpu
