// What the machine can do, and single operations to time against it.
#include <memory>

#include "api/barrier.h"
#include "backend/kernel_benchmark.h"
#include "cpu/cpu_backend.h"
#include "cpu/measure.h"

struct ivl_benchmark {
  std::unique_ptr<ivl::KernelBenchmark> benchmark;
};

using namespace ivl;
using namespace ivl::api;

extern "C" {

ivl_status ivl_measure_machine(int32_t threads, const char* affinity, ivl_machine* out) {
  return guarded([&] {
    const cpu::Machine machine = cpu::measure_machine(threads, &given(affinity, "affinity"));
    given(out, "out") = {machine.read_gigabytes_per_second, machine.f32_gigaflops, machine.int8_gigaops,
                         machine.threads};
  });
}

ivl_status ivl_benchmark_create(const char* spec, int32_t threads, ivl_benchmark** out) {
  return guarded([&] {
    given(out, "out") = new ivl_benchmark{
        make_benchmark(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = threads}), &given(spec, "spec"))};
  });
}

ivl_status ivl_benchmark_run(ivl_benchmark* benchmark) {
  return guarded([&] { given(benchmark, "benchmark").benchmark->run(); });
}

ivl_status ivl_benchmark_work(const ivl_benchmark* benchmark, double* operations, double* bytes) {
  return guarded([&] {
    given(operations, "operations") = given(benchmark, "benchmark").benchmark->operations();
    given(bytes, "bytes") = benchmark->benchmark->bytes();
  });
}

void ivl_benchmark_free(ivl_benchmark* benchmark) { delete benchmark; }

}  // extern "C"
