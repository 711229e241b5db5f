#include "cpu/measure.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>

#include "cpu/cpu_backend.h"

namespace ivl::cpu {
namespace {

constexpr size_t kBytes = size_t{256} << 20;  // far beyond any cache
constexpr int64_t kIterations = 4'000'000;
constexpr int kRuns = 15;

template <class Body>
double best_seconds(const Body& body) {
  using Clock = std::chrono::steady_clock;
  double best = 1e30;
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = Clock::now();
    body();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return best;
}

}  // namespace

Machine measure_machine(int threads, const std::string& affinity) {
  CpuBackend backend({.threads = threads, .affinity = affinity});
  const KernelTable& kernels = backend.kernels();
  ThreadPool pool(threads_from(threads, affinity));
  const int count = pool.threads();
  std::vector<double> operations(static_cast<size_t>(count));
  std::vector<float> sinks(static_cast<size_t>(count) * 64);  // a cache line apart

  const auto operations_per_second = [&](auto loop) {
    const double seconds = best_seconds([&] {
      pool.run(count, [&](int64_t task, int) {
        operations[static_cast<size_t>(task)] = loop(kIterations, &sinks[static_cast<size_t>(task) * 64]);
      });
    });
    return std::accumulate(operations.begin(), operations.end(), 0.0) / seconds;
  };
  const double f32 = operations_per_second(kernels.multiply_add);
  const double bf16 = operations_per_second(kernels.bf16_multiply_add);
  const double int8 = operations_per_second(kernels.int8_multiply_add);

  const Buffer memory = backend.allocate(kBytes);
  std::memset(memory.data(), 1, kBytes);
  const size_t part = kBytes / static_cast<size_t>(count) / 4096 * 4096;
  const double reading = best_seconds([&] {
    pool.run(count, [&](int64_t task, int) {
      kernels.read(static_cast<const char*>(memory.data()) + static_cast<size_t>(task) * part, part,
                   &sinks[static_cast<size_t>(task) * 64]);
    });
  });
  return {static_cast<double>(part) * count / reading / 1e9, f32 / 1e9, bf16 / 1e9, int8 / 1e9, count};
}

}  // namespace ivl::cpu
