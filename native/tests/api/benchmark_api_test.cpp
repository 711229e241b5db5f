// Benchmarks of kernels through the C API.
#include <gtest/gtest.h>

#include <vector>

#include "api/loaded_model.h"

namespace {

using namespace ivl::testing;

TEST(Api, BenchmarksRunAndRefuse) {
  for (const char* good :
       {R"({"op": "matmul", "m": 3, "n": 5, "k": 70, "dtype": "f16"})",
        R"({"op": "matmul", "m": 1, "n": 6, "k": 40, "dtype": "int8", "copies": 3, "device": "cpu"})",
        R"({"op": "matmul", "m": 3, "n": 5, "k": 70, "dtype": "bf16", "bf16_activations": true})",
        R"({"op": "patch_embed", "images": 2, "channels": 3, "image_size": 28, "patch": 14, "n": 5})",
        R"({"op": "vision_attention", "tokens": 9, "heads": 2, "head_dim": 16})",
        R"({"op": "vision_attention", "tokens": 9, "heads": 1, "head_dim": 8, "dtype": "bf16", "bf16_activations": true})",
        R"({"op": "cached_attention", "rows": 2, "past": 3, "heads": 4, "kv_heads": 2, "head_dim": 8})"}) {
    ivl_benchmark* benchmark = nullptr;
    ASSERT_EQ(ivl_benchmark_create(good, 1, &benchmark), IVL_OK) << ivl_last_error();
    EXPECT_EQ(ivl_benchmark_run(benchmark), IVL_OK) << ivl_last_error();
    double operations = 0;
    double bytes = 0;
    ASSERT_EQ(ivl_benchmark_work(benchmark, &operations, &bytes), IVL_OK);
    EXPECT_GT(operations, 0);
    EXPECT_GT(bytes, 0);
    double seconds = 0;
    EXPECT_EQ(ivl_benchmark_time(benchmark, 3, &seconds), IVL_OK) << ivl_last_error();
    EXPECT_GT(seconds, 0);
    expect_failure(ivl_benchmark_time(benchmark, 0, &seconds), IVL_INVALID_ARGUMENT, "at least 1");
    ivl_benchmark_free(benchmark);
  }
  for (const char* bad :
       {"", "[", "[]", "{}", R"({"op": 3})", R"({"op": "matmul", "m": 0, "n": 1, "k": 1})",
        R"({"op": "matmul", "m": 1, "n": 1, "k": "x"})", R"({"op": "matmul", "m": 1, "n": 2000000000, "k": 2000000000})",
        R"({"op": "matmul", "m": 1, "n": 1, "k": 1, "dtype": "f8"})", R"({"op": "matmul", "m": 1, "n": 1, "k": 1, "copies": 65})",
        R"({"op": "matmul", "m": 1, "n": 1, "k": 1, "dtype": "bf16", "bf16_activations": 1})",
        R"({"op": "matmul", "m": 1, "n": 1, "k": 1, "dtype": "f16", "bf16_activations": true})",
        R"({"op": "matmul", "m": 1, "n": 1, "k": 1, "dtype": "int8", "bf16_activations": true})",
        R"({"op": "patch_embed", "images": 1, "channels": 3, "image_size": 28, "patch": 9, "n": 5})",
        R"({"op": "cached_attention", "rows": 1, "past": 0, "heads": 3, "kv_heads": 2, "head_dim": 8})"}) {
    ivl_benchmark* benchmark = nullptr;
    expect_failure(ivl_benchmark_create(bad, 1, &benchmark), IVL_INVALID_ARGUMENT, "benchmark spec");
  }
}

TEST(Api, ABenchmarksDeviceIsOneThatIsThere) {
  ivl_benchmark* benchmark = nullptr;
  const auto create = [&](const char* device) {
    const std::string product = R"({"op": "matmul", "m": 1, "n": 8, "k": 8, "dtype": "bf16", "device": ")";
    const std::string spec = product + device + "\"}";
    return ivl_benchmark_create(spec.c_str(), 1, &benchmark);
  };
  expect_failure(create("auto"), IVL_INVALID_ARGUMENT, "must be one");
  expect_failure(create("cuda:0,1"), IVL_INVALID_ARGUMENT, "must be one");
  expect_failure(create("gpu"), IVL_INVALID_ARGUMENT, "'gpu'");
  expect_failure(create("cuda"), IVL_INVALID_ARGUMENT, "no GPU can be used: this is the library for CPUs alone");
}

// With what it read and wrote, another's result can be compared.
TEST(Api, ABenchmarkShowsItsOperands) {
  ivl_benchmark* benchmark = nullptr;
  ASSERT_EQ(ivl_benchmark_create(R"({"op": "matmul", "m": 2, "n": 3, "k": 16, "dtype": "bf16"})", 1, &benchmark), IVL_OK);
  ASSERT_EQ(ivl_benchmark_run(benchmark), IVL_OK);
  std::vector<float> values[3];
  const int64_t shapes[3][2] = {{2, 16}, {3, 16}, {2, 3}};
  int64_t rows = 0;
  int64_t cols = 0;
  for (int32_t i = 0; i < 3; ++i) {
    ASSERT_EQ(ivl_benchmark_operand(benchmark, i, &rows, &cols, nullptr, 0), IVL_OK);
    EXPECT_EQ(rows, shapes[i][0]);
    EXPECT_EQ(cols, shapes[i][1]);
    values[i].resize(static_cast<size_t>(rows * cols));
    const int64_t count = rows * cols;
    expect_failure(ivl_benchmark_operand(benchmark, i, &rows, &cols, values[i].data(), count - 1), IVL_INVALID_ARGUMENT, "room");
    ASSERT_EQ(ivl_benchmark_operand(benchmark, i, &rows, &cols, values[i].data(), count), IVL_OK);
  }
  for (size_t m = 0; m < 2; ++m) {
    for (size_t n = 0; n < 3; ++n) {
      double sum = 0;
      for (size_t k = 0; k < 16; ++k) sum += double{values[0][m * 16 + k]} * double{values[1][n * 16 + k]};
      EXPECT_NEAR(values[2][m * 3 + n], sum, 1e-5);
    }
  }
  expect_failure(ivl_benchmark_operand(benchmark, 3, &rows, &cols, nullptr, 0), IVL_INVALID_ARGUMENT, "expected 0 to 2");
  ivl_benchmark_free(benchmark);
}

}  // namespace
