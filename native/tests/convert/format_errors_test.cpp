// What weight formats lose, on random matrices with outliers such as large decoders have; beside llama.cpp's formats where its library
// is at hand (scripts/format-errors, which prints the table of native/README.md).
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "backend/int8_weights.h"
#include "convert/gptq.h"
#include "convert/triangle.h"
#include "cpu/cpu_backend.h"

namespace ivl {
namespace {

constexpr int64_t kOutputs = 512, kInputs = 2048, kSeen = 4096, kHeld = 1024;

// A layer y = W x. Its inputs follow from 256 causes, the k-th 1 / sqrt(k) as large as the first, with as much again of their own; one
// input in 200 is 20 to 100 times as large as the others, as Llama's and Yi's residual streams have it. Weights are Student's t with 5
// degrees of freedom, those of the large inputs a quarter of that, in bf16.
class Layer {
 public:
  Layer() : random_(7), mix_(static_cast<size_t>(kCauses * kInputs)), sizes_(static_cast<size_t>(kInputs)) {
    std::uniform_real_distribution<float> large(20, 100);
    for (float& value : mix_) value = normal_(random_);
    for (size_t i = 0; i < sizes_.size(); ++i) sizes_[i] = std::exp(0.3f * normal_(random_)) * (i % 200 == 99 ? large(random_) : 1);
    std::student_t_distribution<float> student(5);
    for (int64_t at = 0; at < kOutputs * kInputs; ++at) {
      const float value = 0.02f * student(random_) * (at % kInputs % 200 == 99 ? 0.25f : 1);
      weights.push_back(rounded_to(DType::BF16, value));
    }
    seen = rows(kSeen);
    held = rows(kHeld);
  }
  HostTensor weight() const { return {weights.data(), DType::F32, {kOutputs, kInputs}}; }

  std::vector<float> weights, seen, held;  // (kOutputs, kInputs), (kSeen, kInputs), (kHeld, kInputs)

 private:
  static constexpr int64_t kCauses = kInputs / 8;

  std::vector<float> rows(int64_t count) {
    std::vector<float> causes(static_cast<size_t>(count * kCauses)), x(static_cast<size_t>(count * kInputs)), mixed(mix_.size());
    float all = 0;
    for (int64_t k = 0; k < kCauses; ++k) all += 1.0f / static_cast<float>(k + 1);
    for (size_t at = 0; at < causes.size(); ++at) {
      causes[at] = normal_(random_) / std::sqrt(static_cast<float>(at % kCauses + 1) * all);
    }
    for (size_t at = 0; at < x.size(); ++at) x[at] = 0.5f * normal_(random_);
    cpu::CpuBackend backend;
    for (int64_t i = 0; i < kInputs; ++i) {
      for (int64_t k = 0; k < kCauses; ++k)
        mixed[static_cast<size_t>(i * kCauses + k)] = mix_[static_cast<size_t>(k * kInputs + i)];
    }
    add_product(backend, {x.data(), DType::F32, count, kInputs, kInputs}, {causes.data(), DType::F32, count, kCauses, kCauses},
                mixed.data());
    for (size_t at = 0; at < x.size(); ++at) x[at] *= sizes_[at % kInputs];
    return x;
  }

  std::mt19937 random_;
  std::normal_distribution<float> normal_;
  std::vector<float> mix_, sizes_;
};

struct Loss {
  double weights, results;  // in the root mean square, beside the weights and the results for inputs that nobody has seen
};

double size_beside(const std::vector<float>& a, const std::vector<float>& b) {
  double of_a = 0, of_b = 0;
  for (const float value : a) of_a += static_cast<double>(value) * static_cast<double>(value);
  for (const float value : b) of_b += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(of_a / of_b);
}

std::vector<float> results(const Layer& layer, const std::vector<float>& weights) {
  cpu::CpuBackend backend;
  std::vector<float> y(static_cast<size_t>(kHeld * kOutputs));
  auto* x = const_cast<float*>(layer.held.data());
  add_product(backend, {y.data(), DType::F32, kHeld, kOutputs, kOutputs}, {x, DType::F32, kHeld, kInputs, kInputs}, weights.data());
  return y;
}

Loss loss_of(const Layer& layer, const std::vector<float>& quantized) {
  std::vector<float> lost = layer.weights;
  for (size_t at = 0; at < lost.size(); ++at) lost[at] -= quantized[at];
  return {size_beside(lost, layer.weights), size_beside(results(layer, lost), results(layer, layer.weights))};
}

void print_loss(const char* name, double bits, const Loss& loss) {
  std::printf("| %s | %.4g | %.2f%% | %.2f%% |\n", name, bits, 100 * loss.weights, 100 * loss.results);
}

std::vector<float> written_out(const Int4Weights& weights) {
  std::vector<float> values;
  for (int64_t row = 0; row < kOutputs; ++row) {
    for (int64_t i = 0; i < kInputs; ++i) values.push_back(int4_weight(weights.rows, row, i));
  }
  return values;
}

std::vector<float> written_out(const Int8Weights& weights) {
  std::vector<float> values;
  for (int64_t row = 0; row < kOutputs; ++row) {
    for (int64_t i = 0; i < kInputs; ++i) {
      values.push_back(weights.scales[row] * static_cast<float>(weights.values[row * weights.stride + i]));
    }
  }
  return values;
}

TEST(FormatErrors, OfOurFormats) {
  const Layer layer;
  cpu::CpuBackend backend;
  ThreadPool pool(2);
  Gram gram(backend, kInputs);
  auto* seen = const_cast<float*>(layer.seen.data());
  for (int64_t row = 0; row < kSeen; row += 512) gram.add({seen + row * kInputs, DType::F32, 512, kInputs, kInputs});
  const Gptq gptq(backend, pool, std::move(gram), "a test");

  const Loss int8 = loss_of(layer, written_out(int8_weights(layer.weight(), DType::BF16, row_codec(), pool)));
  const Loss int4 = loss_of(layer, written_out(int4_weights(layer.weight(), DType::BF16, row_codec(), pool)));
  const Loss scaled =
      loss_of(layer, written_out(int4_weights(layer.weight(), DType::BF16, row_codec(), pool, gptq.importance().data())));
  const Loss calibrated = loss_of(layer, written_out(gptq.weights(layer.weight(), DType::BF16, row_codec())));
  print_loss("int8 rows", 8 + 64.0 / kInputs, int8);
  print_loss("int4", 4.25, int4);
  print_loss("int4, scales alone calibrated", 4.25, scaled);
  print_loss("int4, calibrated", 4.25, calibrated);
  EXPECT_LT(int8.weights, 0.02);
  EXPECT_LT(int4.weights, 0.11);
  EXPECT_LT(scaled.results, 0.9 * int4.results);
  EXPECT_LT(calibrated.results, 0.7 * scaled.results);
}

// ---- llama.cpp's ---------------------------------------------------------------------------------------------------------------

// A type as ggml.h numbers it, and the function that makes floats of its blocks.
struct GgmlType {
  const char* name;
  int number;
  double bits;
  const char* widen;
};

constexpr GgmlType kGgmlTypes[] = {{"Q8_0", 8, 8.5, "dequantize_row_q8_0"},
                                   {"Q4_0", 2, 4.5, "dequantize_row_q4_0"},
                                   {"Q4_K", 12, 4.5, "dequantize_row_q4_K"},
                                   {"IQ4_XS", 23, 4.25, "dequantize_row_iq4_xs"}};

template <class Function>
Function* function_in(void* library, const char* name) {
  void* found = dlsym(library, name);
  require(found != nullptr, name);
  return reinterpret_cast<Function*>(found);
}

// Fills the library's table of halves: ggml_init() of no memory.
void begin_ggml(void* library) {
  struct Memory {
    size_t bytes;
    void* buffer;
    bool no_tensors;
  };
  function_in<void*(Memory)>(library, "ggml_init")({0, nullptr, true});
}

// `importance`: of each input, or null.
std::vector<float> through_ggml(void* library, const GgmlType& type, const Layer& layer, const float* importance) {
  const auto quantize =
      function_in<size_t(int, const float*, void*, int64_t, int64_t, int64_t, const float*)>(library, "ggml_quantize_chunk");
  std::vector<float> out(layer.weights.size());
  std::vector<std::byte> blocks(out.size() * 2);
  quantize(type.number, layer.weights.data(), blocks.data(), 0, kOutputs, kInputs, importance);
  function_in<void(const void*, float*, int64_t)>(library, type.widen)(blocks.data(), out.data(), static_cast<int64_t>(out.size()));
  return out;
}

TEST(FormatErrors, OfLlamaCppsFormats) {
  const char* file = std::getenv("IVL_LLAMA_LIBRARY");
  if (file == nullptr) GTEST_SKIP() << "IVL_LLAMA_LIBRARY names no library with ggml_quantize_chunk";
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  begin_ggml(library);
  const Layer layer;
  std::vector<float> importance(static_cast<size_t>(kInputs));  // mean squares, as llama-imatrix has them
  for (size_t at = 0; at < layer.seen.size(); ++at) importance[at % kInputs] += layer.seen[at] * layer.seen[at] / kSeen;
  for (const GgmlType& type : kGgmlTypes) {
    const Loss plain = loss_of(layer, through_ggml(library, type, layer, nullptr));
    const Loss weighted = loss_of(layer, through_ggml(library, type, layer, importance.data()));
    print_loss(type.name, type.bits, plain);
    print_loss(cat(type.name, ", importance matrix").c_str(), type.bits, weighted);
    EXPECT_LT(plain.weights, 0.2) << type.name;
    EXPECT_LT(weighted.results, 0.4) << type.name;
  }
}

}  // namespace
}  // namespace ivl
