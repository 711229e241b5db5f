// The lower triangle of a large symmetric matrix: sums of products into it, and its factor. A backend does the products, so the bits
// are the same with any number of threads. Its memory must be the host's.
#pragma once

#include "backend/backend.h"
#include "host/thread_pool.h"

namespace ivl {

// out += in factor^T, with a dense factor (out's columns, in's columns). All in f32.
void add_product(Backend& backend, const Matrix& out, const Matrix& in, const float* factor);

// The lower triangle of sums (n, n) += left right^T, both (n, k) and dense; some of what lies above it is written, too.
void add_to_triangle(Backend& backend, const Matrix& sums, const Matrix& left, const Matrix& right);

// From the lower triangle of H, positive definite, to that of L with H = L^T L, in its place: Cholesky's factor, begun at the last row.
// What lies above is left undefined.
void factor_triangle(Backend& backend, ThreadPool& pool, const Matrix& h);

}  // namespace ivl
