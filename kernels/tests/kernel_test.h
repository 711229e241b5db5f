// What the tests of kernels share: random inputs in a storage type, and a comparison with a float64 reference.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "device/number.h"
#include "tests/device_array.h"
#if defined(GPU_EMULATED)
#include "emulation/report.h"
#include "emulation/runtime.h"
#endif

namespace kernel_test {

// Half the distance from 1 to the next number: the largest relative error of one rounding.
template <class T>
constexpr double kRounding = 0;
template <>
inline constexpr double kRounding<gpu::bf16> = 1.0 / 256;
template <>
inline constexpr double kRounding<gpu::f16> = 1.0 / 2048;

template <class T>
std::vector<T> to_storage(const std::vector<double>& values) {
  std::vector<T> result;
  for (double value : values) {
    result.push_back(gpu::from_float<T>(static_cast<float>(value)));
  }
  return result;
}

// The stored values, exactly: references start from them.
template <class T>
std::vector<double> exact(const std::vector<T>& values) {
  std::vector<double> result;
  for (T value : values) {
    result.push_back(gpu::to_float(value));
  }
  return result;
}

template <class T>
std::vector<T> random_values(size_t count, uint64_t seed, double scale = 1, double offset = 0) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(count);
  for (double& value : values) {
    value = offset + scale * normal(random);
  }
  return to_storage<T>(values);
}

// Does it on every generation of GPUs that has kernels of its own, as far as they are at hand: the emulated ones, or the one GPU.
template <class Body>
void on_every_generation(const Body& body) {
#if defined(GPU_EMULATED)
  for (const int capability : {9, 8}) {
    SCOPED_TRACE("compute capability " + std::to_string(capability) + ".0");
    simt::set_capability(capability);
    body();
  }
#else
  body();
#endif
}

// What the checker reported, a line each, or on a GPU the error; "" is what a test expects.
inline std::string reported() {
#if defined(GPU_EMULATED)
  std::string text;
  for (const simt::Report& report : simt::take_reports()) {
    text += report.text() + "\n";
  }
  return text;
#else
  const cudaError_t error = cudaStreamSynchronize(nullptr);
  return error == cudaSuccess ? "" : cudaGetErrorString(error);
#endif
}

}  // namespace kernel_test
