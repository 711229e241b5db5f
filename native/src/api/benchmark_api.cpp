// What the machine can do, and single operations to time against it.
#include <memory>

#include "api/barrier.h"
#include "api/device_choice.h"
#include "backend/kernel_benchmark.h"
#include "checkpoint/page_cache.h"
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
    given(out, "out") = {machine.read_gigabytes_per_second, machine.f32_gigaflops, machine.bf16_gigaflops, machine.int8_gigaops,
                         machine.threads};
  });
}

ivl_status ivl_drop_page_cache(const char* directory, double* resident) {
  return guarded([&] { given(resident, "resident") = drop_page_cache(&given(directory, "directory")); });
}

ivl_status ivl_benchmark_create(const char* spec, int32_t threads, ivl_benchmark** out) {
  return guarded([&] {
    const auto backend_of = [threads](const std::string& device, DType type, bool bf16_activations) {
      const cpu::CpuOptions on_cpu{.threads = threads, .bf16_activations = bf16_activations};
      return backend_on(DeviceChoice::parse(device), on_cpu, type);
    };
    hand_over(out, [&] { return new ivl_benchmark{make_benchmark(backend_of, &given(spec, "spec"))}; });
  });
}

ivl_status ivl_benchmark_run(ivl_benchmark* benchmark) {
  return guarded([&] { given(benchmark, "benchmark").benchmark->time(1); });
}

ivl_status ivl_benchmark_time(ivl_benchmark* benchmark, int64_t runs, double* seconds) {
  return guarded([&] {
    double& out = given(seconds, "seconds");
    out = given(benchmark, "benchmark").benchmark->time(runs);
  });
}

ivl_status ivl_benchmark_work(const ivl_benchmark* benchmark, double* operations, double* bytes) {
  return guarded([&] {
    given(operations, "operations") = given(benchmark, "benchmark").benchmark->operations();
    given(bytes, "bytes") = benchmark->benchmark->bytes();
  });
}

ivl_status ivl_benchmark_operand(const ivl_benchmark* benchmark, int32_t operand, int64_t* rows, int64_t* cols, float* out,
                                 int64_t capacity) {
  return guarded([&] {
    KernelBenchmark& operation = *given(benchmark, "benchmark").benchmark;
    const auto count = static_cast<int32_t>(operation.operands().size());
    if (operand < 0 || operand >= count) {
      fail(Status::InvalidArgument, cat("the operand is ", operand, ", expected 0 to ", count - 1));
    }
    const Matrix& matrix = operation.operands()[static_cast<size_t>(operand)].matrix;
    given(rows, "rows") = matrix.rows;
    given(cols, "cols") = matrix.cols;
    if (out == nullptr) return;
    check_room(out, capacity, matrix.rows * matrix.cols, "operand");
    operation.copy_operand(static_cast<size_t>(operand), out);
  });
}

void ivl_benchmark_free(ivl_benchmark* benchmark) { delete benchmark; }

}  // extern "C"
