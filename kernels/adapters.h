// What adapters (LoRA) add to the products of some rows: u B^T with u = s A x. A launch of its own makes u, before the product, whose
// sums take B by u as more columns of their input, before all that follows them (device/finish.h).
//
// Both orders of adding are fixed by constants: a row's u and its results are the same bits alone, in a batch and in a prompt, and
// rows without adapter are not touched.
#pragma once

#include "device/types.h"

namespace gpu {

// Rows [row, row + rows) of a product, and an adapter's share in that layer. Of its pairs (A, B) each has the same room in u and in
// the rows of B, `rank` numbers, behind a smaller rank's own zeros.
template <class T>
struct AddedRows {
  int64_t row = 0;
  int64_t rows = 0;
  const T* down = nullptr;        // A of every pair: (pairs * rank, in_features), dense
  const float* scales = nullptr;  // (pairs * rank)
  float weight = 0;               // of the adapter
  int pairs = 0;
  int rank = 0;                  // a multiple of 8
  const T* up = nullptr;         // B: (weight rows, rank), dense
  const int* pair_of = nullptr;  // (weight rows): whose u it takes, or -1: nothing is added
  int64_t first = 0;             // where its u begins: (rows, pairs * rank), dense
};

// All that is added to a product, in this order.
template <class T>
struct Added {
  const AddedRows<T>* entries = nullptr;  // (count), in device memory
  int count = 0;
  float* u = nullptr;
};

// u of every entry. in.stride and in_features are multiples of 8; in, down, up and u are aligned to 16 bytes.
template <class T>
struct LowRank {
  Rows<const T> in;
  Added<T> added;
  int64_t most_rows = 0;  // of an entry
  int most_ranks = 0;     // pairs * rank of an entry
  int in_features = 0;
};
template <class T>
cudaError_t low_rank(const LowRank<T>& work, cudaStream_t stream);

}  // namespace gpu
