// Times of the kernels on a GPU at the sizes of InternVL-Chat-V1-2, each beside its floor: bytes over the bandwidth measured in
// this run, or operations over the tensor cores' nominal peak, whichever is longer.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "attention.h"
#include "gemm.h"
#include "int8.h"
#include "norm.h"
#include "sampling.h"

namespace {

using gpu::bf16;

void require(cudaError_t error, const char* what) {
  if (error != cudaSuccess) {
    cudaGetLastError();
    throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(error));
  }
}

// Random numbers of either sign, small in bf16 and as f32 and any byte as int8: equal ones would switch fewer of the GPU's wires,
// and it would run at a higher clock than it does at work.
std::vector<uint16_t> random_bits() {
  std::vector<uint16_t> bits(size_t{8} << 20);
  std::mt19937 generator(7);
  for (uint16_t& each : bits) {
    const uint32_t drawn = generator();
    each = static_cast<uint16_t>((drawn & 0x8000) | 0x3c00 | (drawn & 0xff));  // 0.0078 to 0.031
  }
  return bits;
}

// The device memory of one measurement.
class Memory {
 public:
  Memory() = default;
  ~Memory() {
    for (void* block : blocks_) cudaFree(block);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  template <class T>
  T* zeroed(size_t count) {
    return static_cast<T*>(set(count * sizeof(T), 0));
  }

  // Every byte is the same: a small number in bf16, in int8 and as f32.
  template <class T>
  T* equal(size_t count) {
    return static_cast<T*>(set(count * sizeof(T), 0x3c));
  }

  template <class T>
  T* random(size_t count) {
    static const std::vector<uint16_t> bits = random_bits();
    const size_t bytes = count * sizeof(T);
    char* block = allocate(bytes);
    size_t done = std::min(bytes, bits.size() * sizeof bits[0]);
    require(cudaMemcpy(block, bits.data(), done, cudaMemcpyHostToDevice), "cudaMemcpy");
    for (; done < bytes; done *= 2) {
      require(cudaMemcpy(block + done, block, std::min(done, bytes - done), cudaMemcpyDeviceToDevice), "cudaMemcpy");
    }
    return reinterpret_cast<T*>(block);
  }

 private:
  char* allocate(size_t bytes) {
    void* block = nullptr;
    require(cudaMalloc(&block, bytes), "cudaMalloc");
    blocks_.push_back(block);
    return static_cast<char*>(block);
  }

  void* set(size_t bytes, int value) {
    void* block = allocate(bytes);
    require(cudaMemset(block, value, bytes), "cudaMemset");
    return block;
  }

  std::vector<void*> blocks_;
};

// Median seconds of a call, over calls that each touch other memory than the one before (`turn` says which).
double seconds(const std::function<cudaError_t(int turn)>& call, int turns) {
  cudaEvent_t begin, end;
  require(cudaEventCreate(&begin), "cudaEventCreate");
  require(cudaEventCreate(&end), "cudaEventCreate");
  std::vector<double> times;
  for (int i = 0; i < 3 + 21; i++) {
    require(cudaEventRecord(begin, nullptr), "cudaEventRecord");
    require(call(i % turns), "launch");
    require(cudaEventRecord(end, nullptr), "cudaEventRecord");
    require(cudaEventSynchronize(end), "kernel");
    float milliseconds = 0;
    require(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
    if (i >= 3) times.push_back(milliseconds / 1e3);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  std::nth_element(times.begin(), times.begin() + 10, times.end());
  return times[10];
}

struct Machine {
  double bandwidth;   // bytes a second
  double operations;  // a second, dense bf16; int8 has twice as many
};

Machine measure() {
  constexpr size_t kBytes = size_t{1} << 30;
  Memory memory;
  auto* from = memory.random<char>(kBytes);
  auto* to = memory.random<char>(kBytes);
  const double time = seconds([&](int) { return cudaMemcpyAsync(to, from, kBytes, cudaMemcpyDeviceToDevice, nullptr); }, 1);
  cudaDeviceProp properties;
  require(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  int kilohertz = 0;
  require(cudaDeviceGetAttribute(&kilohertz, cudaDevAttrClockRate, 0), "cudaDeviceGetAttribute");
  // Multiply-adds of dense bf16 a clock and multiprocessor, from NVIDIA's architecture white papers.
  const int capability = properties.major * 10 + properties.minor;
  const double each = capability == 80 ? 1024 : capability == 90 ? 2048 : capability >= 100 && capability < 120 ? 4096 : 512;
  const Machine machine{2.0 * kBytes / time, 2 * each * properties.multiProcessorCount * kilohertz * 1e3};
  std::printf("%s: %.0f GB/s measured, %.0f TFLOP/s nominal\n", properties.name, machine.bandwidth / 1e9,
              machine.operations / 1e12);
  return machine;
}

void print(const Machine& machine, const std::string& name, double bytes, double operations, double time) {
  const double floor = std::max(bytes / machine.bandwidth, operations / machine.operations);
  std::printf("%-44s floor %8.1f us  measured %8.1f us  %5.1f%% of the floor's speed\n", name.c_str(), floor * 1e6, time * 1e6,
              100 * floor / time);
}

// Enough copies of the weights that none is still in the L2 cache when its turn comes again.
int turns_for(size_t bytes) { return static_cast<int>(std::max<size_t>(2, (size_t{512} << 20) / bytes + 1)); }

void product(const Machine& machine, const char* name, int rows, int in_features, int out_features,
             gpu::Activation activation = gpu::Activation::None) {
  const int weight_rows = activation == gpu::Activation::SwiGlu ? 2 * out_features : out_features;
  const size_t weights = static_cast<size_t>(weight_rows) * in_features;
  const int turns = turns_for(weights * sizeof(bf16));
  Memory memory;
  auto* weight = memory.random<bf16>(weights * turns);
  auto* in = memory.random<bf16>(static_cast<size_t>(rows) * in_features);
  auto* out = memory.random<bf16>(static_cast<size_t>(rows) * out_features);
  gpu::Gemm<bf16> gemm;
  gemm.in = {in, in_features};
  gemm.rows = rows;
  gemm.in_features = in_features;
  gemm.out_features = out_features;
  gemm.epilogue.activation = activation;
  gemm.epilogue.out = {out, out_features};
  const double time = seconds(
      [&](int turn) {
        gemm.weight = weight + weights * turn;
        return gpu::gemm(gemm, nullptr);
      },
      turns);
  const double bytes = sizeof(bf16) * (static_cast<double>(weights) + 1.0 * rows * (in_features + out_features));
  print(machine, std::string(name) + ", " + std::to_string(rows) + " rows, bf16", bytes, 2.0 * rows * weights, time);
}

void int8_product(Machine machine, const char* name, int rows, int in_features, int out_features) {
  machine.operations *= 2;
  const size_t weights = static_cast<size_t>(out_features) * in_features;
  const int turns = turns_for(weights);
  Memory memory;
  auto* weight = memory.random<int8_t>(weights * turns);
  auto* scales = memory.random<float>(out_features);
  gpu::Int8Gemm<bf16> gemm;
  gemm.in = {{memory.random<int8_t>(static_cast<size_t>(rows) * in_features), in_features},
             memory.random<float>(rows),
             memory.zeroed<gpu::Outlier>(static_cast<size_t>(rows) * gpu::kMostOutliers),
             memory.zeroed<int>(rows)};
  gemm.epilogue.out = {memory.random<bf16>(static_cast<size_t>(rows) * out_features), out_features};
  gemm.rows = rows;
  gemm.out_features = out_features;
  const double time = seconds(
      [&](int turn) {
        gemm.weights = {weight + weights * turn, scales, in_features};
        return gpu::int8_gemm(gemm, nullptr);
      },
      turns);
  print(machine, std::string(name) + ", " + std::to_string(rows) + " rows, int8",
        static_cast<double>(weights) + 1.0 * rows * (in_features + 2.0 * out_features), 2.0 * rows * weights, time);
}

// Rows whose digests say that none has outliers.
void quantizing_product(Machine machine, const char* name, int rows, int in_features, int out_features) {
  machine.operations *= 2;
  const size_t weights = static_cast<size_t>(out_features) * in_features;
  const int turns = turns_for(weights);
  Memory memory;
  auto* weight = memory.random<int8_t>(weights * turns);
  gpu::QuantizingGemm<bf16> gemm;
  gemm.in = {memory.random<bf16>(static_cast<size_t>(rows) * in_features), in_features};
  gemm.digests = memory.zeroed<gpu::Digest>(static_cast<size_t>(rows) * in_features / gpu::kDigestColumns);
  auto* scales = memory.random<float>(out_features);
  gemm.epilogue.out = {memory.random<bf16>(static_cast<size_t>(rows) * out_features), out_features};
  gemm.rows = rows;
  gemm.out_features = out_features;
  const double time = seconds(
      [&](int turn) {
        gemm.weights = {weight + weights * turn, scales, in_features};
        return gpu::quantizing_gemm(gemm, nullptr);
      },
      turns);
  print(machine, std::string(name) + ", " + std::to_string(rows) + " rows, quantizing",
        static_cast<double>(weights) + 2.0 * rows * (in_features + out_features), 2.0 * rows * weights, time);
}

void attention(const Machine& machine, const char* name, int tokens, int past, int heads, int kv_heads, bool causal) {
  constexpr int kDim = 128;
  const int keys = past + tokens;
  const gpu::AttentionShape shape{heads, kv_heads, kDim, 0, causal, 0.088388f};
  Memory memory;
  auto* q = memory.random<bf16>(static_cast<size_t>(tokens) * heads * kDim);
  auto* out = memory.random<bf16>(static_cast<size_t>(tokens) * heads * kDim);
  auto* k = memory.random<bf16>(static_cast<size_t>(keys) * kv_heads * kDim);
  auto* v = memory.random<bf16>(static_cast<size_t>(keys) * kv_heads * kDim);
  auto* workspace = memory.random<float>(gpu::attention_workspace(shape, 1, keys));
  const gpu::AttentionSpan<bf16> span{q, out,    k,   v, heads * kDim, heads * kDim, kDim, static_cast<int64_t>(keys) * kDim,
                                      0, tokens, past};
  auto* spans = memory.zeroed<gpu::AttentionSpan<bf16>>(1);
  require(cudaMemcpy(spans, &span, sizeof span, cudaMemcpyHostToDevice), "cudaMemcpy");
  const double time = seconds([&](int) { return gpu::attention<bf16>(spans, 1, shape, tokens, keys, workspace, nullptr); }, 1);
  const double seen = causal ? past + (tokens + 1) / 2.0 : keys;
  print(machine, name, 2.0 * kDim * (2.0 * tokens * heads + 2.0 * keys * kv_heads), 4.0 * tokens * seen * heads * kDim, time);
}

void norm(const Machine& machine, const char* name, int rows, int cols) {
  Memory memory;
  auto* in = memory.random<bf16>(static_cast<size_t>(rows) * cols);
  auto* out = memory.random<bf16>(static_cast<size_t>(rows) * cols);
  auto* weight = memory.random<bf16>(cols);
  const double time = seconds(
      [&](int) {
        return gpu::rms_norm<bf16>({out, cols}, {in, cols}, weight, rows, cols, 1e-5f, nullptr);
      },
      1);
  print(machine, name, 4.0 * rows * cols, 0, time);
}

// The logits are all the same: the draw's worst case, in which every token is a candidate for every cut.
void sampling(const Machine& machine, const char* name, int rows, int vocabulary, const gpu::SamplingRow& settings) {
  Memory memory;
  auto* row_settings = memory.zeroed<gpu::SamplingRow>(rows);
  const std::vector<gpu::SamplingRow> all(rows, settings);
  require(cudaMemcpy(row_settings, all.data(), rows * sizeof settings, cudaMemcpyHostToDevice), "cudaMemcpy");
  gpu::Sampling sampling;
  sampling.logits = {memory.equal<float>(static_cast<size_t>(rows) * vocabulary), vocabulary};
  sampling.rows = row_settings;
  sampling.row_count = rows;
  sampling.vocabulary = vocabulary;
  sampling.out = memory.zeroed<gpu::SampledRow>(rows);
  sampling.workspace = memory.zeroed<char>(gpu::sampling_workspace(rows, vocabulary));
  const double time = seconds([&](int) { return gpu::sample(sampling, nullptr); }, 1);
  print(machine, std::string(name) + ", " + std::to_string(rows) + " rows", 1.0 * rows * vocabulary * sizeof(float), 0, time);
}

int failures = 0;

// What cannot be measured is said, and the others are.
void attempt(const char* name, const std::function<void()>& measurement) {
  try {
    measurement();
  } catch (const std::exception& error) {
    std::printf("%-44s FAILED: %s\n", name, error.what());
    failures++;
  }
  std::fflush(stdout);
}

void measure_all(const Machine& machine) {
  const auto products = [&](const char* name, int rows, int in, int out, gpu::Activation activation = gpu::Activation::None) {
    attempt(name, [&] { product(machine, name, rows, in, out, activation); });
  };
  for (int rows : {1, 8, 16, 64, 320, 1024}) {
    products("qkv 7168 x 9216", rows, 7168, 9216);
    products("o 7168 x 7168", rows, 7168, 7168);
    products("gate, up 7168 x 2 x 20480", rows, 7168, 20480, gpu::Activation::SwiGlu);
    products("down 20480 x 7168", rows, 20480, 7168);
    attempt("gate, up, int8", [&] { int8_product(machine, "gate, up 7168 x 40960", rows, 7168, 40960); });
    attempt("down 20480 x 7168, int8", [&] { int8_product(machine, "down 20480 x 7168", rows, 20480, 7168); });
    for (const auto& [layer, in] : {std::pair{"o 7168 x 7168", 7168}, {"down 20480 x 7168", 20480}}) {
      if (gpu::can_quantize(rows, in)) attempt(layer, [&] { quantizing_product(machine, layer, rows, in, 7168); });
    }
  }
  products("head 7168 x 64000", 1, 7168, 64000);
  products("InternViT qkv 3200 x 9600", 1025, 3200, 9600);
  products("InternViT proj 3200 x 3200", 1025, 3200, 3200);
  products("InternViT fc1 3200 x 12800", 1025, 3200, 12800, gpu::Activation::Gelu);
  products("InternViT fc2 12800 x 3200", 1025, 12800, 3200);
  const auto attentions = [&](const char* name, int tokens, int past, int heads, int kv_heads, bool causal) {
    attempt(name, [&] { attention(machine, name, tokens, past, heads, kv_heads, causal); });
  };
  attentions("InternViT attention, 1025 tokens, 25 heads", 1025, 0, 25, 25, false);
  attentions("prompt attention, 1024 tokens, 56/8 heads", 1024, 0, 56, 8, true);
  attentions("decode attention, past 255", 1, 255, 56, 8, true);
  attentions("decode attention, past 4095", 1, 4095, 56, 8, true);
  attempt("RMSNorm, 1 x 7168", [&] { norm(machine, "RMSNorm, 1 x 7168", 1, 7168); });
  attempt("RMSNorm, 1025 x 3200", [&] { norm(machine, "RMSNorm, 1025 x 3200", 1025, 3200); });
  for (int rows : {1, 8}) {
    attempt("greedy", [&] { sampling(machine, "greedy, 64000 tokens", rows, 64000, {}); });
    attempt("top-k and top-p", [&] {
      sampling(machine, "top-k 50 and top-p 0.9, 64000 tokens", rows, 64000, {0.5, nullptr, 0, 1, 0.7f, 0.9f, 50, 0});
    });
  }
}

}  // namespace

int main() {
  attempt("the GPU's bandwidth", [] { measure_all(measure()); });
  return failures > 0 ? 1 : 0;
}
