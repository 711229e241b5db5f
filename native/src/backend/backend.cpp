#include "backend/backend.h"

#include <chrono>

namespace ivl {

void Backend::receive(const Matrix& out, const Matrix& in, Backend& from) {
  if (&from == this) {
    copy(out, in);
    return;
  }
  std::vector<float> values(static_cast<size_t>(in.rows * in.cols));
  from.to_host(values.data(), in);
  from_host(out, values.data());
}

void Backend::pixel_shuffle_norm(const Matrix& out, const Matrix& in, int64_t pictures, int64_t grid, int64_t factor,
                                 bool swap_back, const NormWeights& weights) {
  pixel_shuffle(out, in, pictures, grid, factor, swap_back);
  norm(out, out, weights);
}

double Backend::timed(const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace ivl
