// Feed-forward layers of which each row passes a few, its experts: which they are, and rows gathered by expert and brought together
// again. Nothing of it goes to the host, so that a step of decoding stays one graph. Orders are fixed, and no sum is done by several
// threads: a row's results never depend on the rows that share its experts.
#pragma once

#include "device/types.h"

namespace gpu {

constexpr int kMostExperts = 1024;  // of a layer
constexpr int kMostChosen = 32;     // of a row

// The experts of rows: routes (rows, 2 * chosen) has their numbers, ascending, then their weights in the same order.
struct Routes {
  Rows<float> rows;
  int64_t count = 0;
  int experts = 0;
  int chosen = 0;  // at most kMostChosen, and at most `experts`
};

// Of p = softmax(logits), (rows, experts), in f32 the largest, among equals those of the lower numbers; weights are their p, if
// `normalizes` divided by their sum, rounded to T. A row that is not finite has experts, too, and weights that are NaN.
template <class T>
cudaError_t route(const Routes& out, Rows<const float> logits, bool normalizes, cudaStream_t stream);

// Rows in the order of their experts: each expert's are slots next to each other, in the order of the rows. (count * chosen) slots.
struct ExpertSlots {
  int* offsets = nullptr;  // (experts + 1): where an expert's begin
  int* row_of = nullptr;   // (slots)
  int* slot_of = nullptr;  // (count, chosen), as routes has them
};
cudaError_t sort_by_expert(const ExpertSlots& out, const Routes& routes, cudaStream_t stream);

// out (slots, cols): the rows of `in` (count, cols) that row_of names. cols and strides are multiples of 8, pointers of 16 bytes.
template <class T>
cudaError_t gather_slots(Rows<T> out, Rows<const T> in, const int* row_of, const Routes& routes, int cols, cudaStream_t stream);

// x (count, cols) += the sum of weight * slot over a row's experts in the order of routes, from zero, in f32 up to the one rounding
// of x. cols and strides are multiples of 4, pointers of 4 elements.
template <class T>
cudaError_t mix_slots(Rows<T> x, Rows<const float> slots, const int* slot_of, const Routes& routes, int cols, cudaStream_t stream);

}  // namespace gpu
