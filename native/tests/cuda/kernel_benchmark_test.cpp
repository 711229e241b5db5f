// The operations that benchmarks time, on a GPU: they run, keep time, and compute what the CPU does from the same operands.
#include "backend/kernel_benchmark.h"
#include "cpu/cpu_backend.h"
#include "cuda/gpu_test.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using testing::relative_error;

class KernelBenchmarkTest : public testing::GpuTest {
 protected:
  static std::unique_ptr<KernelBenchmark> on(const char* device, const std::string& spec) {
    const auto backend_of = [](const std::string& name, DType type, bool) -> std::shared_ptr<Backend> {
      if (name == "cpu") return std::make_shared<cpu::CpuBackend>();
      return make_gpu_backend(0, type);
    };
    return make_benchmark(backend_of, spec + ", \"device\": \"" + device + "\"}");
  }
  static std::vector<float> operand(KernelBenchmark& benchmark, size_t index) {
    const Matrix& matrix = benchmark.operands().at(index).matrix;
    std::vector<float> values(static_cast<size_t>(matrix.rows * matrix.cols));
    benchmark.copy_operand(index, values.data());
    return values;
  }
};

TEST_F(KernelBenchmarkTest, EveryOperationIsTheCpus) {
  for (const char* spec :
       {R"({"op": "matmul", "m": 5, "n": 40, "k": 72, "dtype": "bf16", "copies": 2)",
        R"({"op": "matmul", "m": 20, "n": 33, "k": 64, "dtype": "bf16", "out": "f32")",
        R"({"op": "matmul", "m": 3, "n": 48, "k": 64, "dtype": "int8")",
        R"({"op": "patch_embed", "images": 2, "channels": 3, "image_size": 56, "patch": 14, "n": 24, "dtype": "bf16")",
        R"({"op": "vision_attention", "tokens": 40, "heads": 2, "head_dim": 64, "dtype": "bf16")",
        R"({"op": "cached_attention", "rows": 1, "past": 300, "heads": 7, "kv_heads": 1, "head_dim": 128, "dtype": "bf16")",
        R"({"op": "cached_attention", "rows": 20, "past": 3, "heads": 2, "kv_heads": 2, "head_dim": 96, "dtype": "bf16")"}) {
    SCOPED_TRACE(spec);
    const auto cuda = on("cuda", spec);
    const auto cpu = on("cpu", spec);
    EXPECT_GT(cuda->time(3), 0);
    cpu->time(1);
    ASSERT_EQ(cuda->operands().size(), cpu->operands().size());
    // The inputs are one and the same, rounded to the GPU's type; so are the results, but for the rounding of each.
    for (size_t i = 0; i < cuda->operands().size(); ++i) {
      EXPECT_LE(relative_error(operand(*cuda, i), operand(*cpu, i)), 0.01) << "operand " << i;
    }
    EXPECT_EQ(cuda->operations(), cpu->operations());
  }
}

TEST_F(KernelBenchmarkTest, WhatAKernelCannotDoIsRefused) {
  for (const char* spec : {R"({"op": "matmul", "m": 1, "n": 8, "k": 12, "dtype": "bf16")",
                           R"({"op": "matmul", "m": 1, "n": 9, "k": 16, "dtype": "bf16")",
                           R"({"op": "matmul", "m": 1, "n": 8, "k": 16, "dtype": "f32")",
                           R"({"op": "vision_attention", "tokens": 4, "heads": 1, "head_dim": 80, "dtype": "bf16")"}) {
    try {
      on("cuda", spec);
      ADD_FAILURE() << spec;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), Status::InvalidArgument) << error.what();
    }
  }
}

}  // namespace
}  // namespace ivl
