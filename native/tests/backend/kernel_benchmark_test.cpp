// What benchmarks compute from, and that they do it as a model does.
#include "backend/kernel_benchmark.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cpu/cpu_backend.h"

namespace ivl {
namespace {

std::unique_ptr<KernelBenchmark> on_cpu(const std::string& spec) {
  return make_benchmark(
      [](const std::string&, DType, bool bf16_activations) {
        return std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 1, .bf16_activations = bf16_activations});
      },
      spec);
}

std::vector<float> operand(KernelBenchmark& benchmark, size_t index) {
  const Matrix& matrix = benchmark.operands().at(index).matrix;
  std::vector<float> values(static_cast<size_t>(matrix.rows * matrix.cols));
  benchmark.copy_operand(index, values.data());
  return values;
}

float in_bf16(float value) { return bf16_to_f32(f32_to_bf16(value)); }

TEST(KernelBenchmark, ActivationsLieAsAModelsDo) {
  constexpr int64_t kWidth = 256;  // 1024 bytes of f32
  const int64_t stride = cpu::CpuBackend({.threads = 1}).row_stride(kWidth, DType::F32);
  ASSERT_GT(stride, kWidth);
  for (const char* spec :
       {R"({"op": "matmul", "m": 2, "n": 256, "k": 256})", R"({"op": "vision_attention", "tokens": 3, "heads": 4, "head_dim": 64})",
        R"({"op": "cached_attention", "rows": 2, "past": 1, "heads": 4, "kv_heads": 2, "head_dim": 64})"}) {
    SCOPED_TRACE(spec);
    const auto benchmark = on_cpu(spec);
    benchmark->time(1);
    const Matrix& out = benchmark->operands().back().matrix;
    EXPECT_EQ(out.cols, kWidth);
    EXPECT_EQ(out.stride, stride);
    const Matrix& in = benchmark->operands().front().matrix;
    EXPECT_EQ(in.stride, cpu::CpuBackend({.threads = 1}).row_stride(in.cols, DType::F32));
    for (size_t i = 0; i < benchmark->operands().size(); ++i) {
      const Matrix& matrix = benchmark->operands()[i].matrix;
      const std::vector<float> values = operand(*benchmark, i);
      const size_t last = values.size() - 1;
      EXPECT_EQ(values[last],
                load_f32(matrix.row_range(matrix.rows - 1, 1).data, matrix.dtype, static_cast<size_t>(matrix.cols) - 1))
          << "operand " << i << " is shown dense";
    }
  }
}

TEST(KernelBenchmark, AProductIsOfItsOperandsAndRoundsThemIfAsked) {
  constexpr size_t kRows = 3, kCols = 5, kDepth = 256;
  for (const bool rounds : {false, true}) {
    const auto benchmark = on_cpu(std::string(R"({"op": "matmul", "m": 3, "n": 5, "k": 256, "dtype": "bf16")") +
                                  (rounds ? R"(, "bf16_activations": true})" : "}"));
    benchmark->time(1);
    const std::vector<float> in = operand(*benchmark, 0);
    const std::vector<float> weights = operand(*benchmark, 1);
    const std::vector<float> out = operand(*benchmark, 2);
    double largest_rounding = 0;
    for (size_t row = 0; row < kRows; ++row) {
      for (size_t col = 0; col < kCols; ++col) {
        double exact = 0;
        double rounded = 0;
        for (size_t i = 0; i < kDepth; ++i) {
          const double weight = weights[col * kDepth + i];
          exact += double{in[row * kDepth + i]} * weight;
          rounded += double{in_bf16(in[row * kDepth + i])} * weight;
        }
        EXPECT_NEAR(out[row * kCols + col], rounds ? rounded : exact, 1e-4);
        largest_rounding = std::max(largest_rounding, std::abs(rounded - exact));
      }
    }
    EXPECT_GT(largest_rounding, 1e-3) << "more than what is forgiven, so that one is not taken for the other";
  }
}

}  // namespace
}  // namespace ivl
