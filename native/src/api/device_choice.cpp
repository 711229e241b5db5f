#include "api/device_choice.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <numeric>

#include "backend/gpus.h"
#include "backend/host_memory.h"
#include "cpu/cpu_backend.h"

namespace ivl::api {
namespace {

Gpu gpu_of(const Gpus& gpus, int ordinal) {
  const auto it = std::find_if(gpus.found.begin(), gpus.found.end(), [&](const Gpu& gpu) { return gpu.ordinal == ordinal; });
  if (it != gpus.found.end()) return *it;
  if (gpus.found.empty()) {
    fail(Status::InvalidArgument, cat("the device is cuda:", ordinal, ", but no GPU can be used: ", gpus.reason));
  }
  fail(Status::InvalidArgument, cat("the device is cuda:", ordinal, ", expected cuda:0 to cuda:", gpus.found.back().ordinal));
}

std::vector<Gpu> gpus_of(const DeviceChoice& choice) {
  const Gpus gpus = find_gpus();
  std::vector<Gpu> chosen;
  for (const int ordinal : choice.gpus) chosen.push_back(gpu_of(gpus, ordinal));
  return chosen;
}

int64_t free_of(const std::vector<Gpu>& gpus) {
  return std::accumulate(gpus.begin(), gpus.end(), int64_t{0}, [](int64_t sum, const Gpu& gpu) { return sum + gpu.free; });
}

// "0,1" as numbers; empty if it is anything else.
std::vector<int> ordinals(const std::string& text) {
  std::vector<int> numbers;
  const char* at = text.data();
  const char* end = at + text.size();
  while (true) {
    int number = -1;
    const auto [stopped, error] = std::from_chars(at, end, number);
    if (error != std::errc() || number < 0) return {};
    if (std::find(numbers.begin(), numbers.end(), number) != numbers.end()) return {};
    numbers.push_back(number);
    if (stopped == end) return numbers;
    if (*stopped != ',') return {};
    at = stopped + 1;
  }
}

PartBytes part_bytes(const ModelConfig& config, DType type, const MemoryPlan& plan) {
  const LanguageConfig& l = config.language;
  const auto size = static_cast<int64_t>(size_of(type));
  PartBytes bytes;
  bytes.embeddings = l.vocab * l.hidden * size;
  bytes.head = bytes.embeddings;
  const int64_t layer = (l.hidden * l.head_dim * (2 * l.heads + 2 * l.kv_heads) + 3 * l.hidden * l.mlp) * size;
  bytes.layer = layer + plan.kv_cache / std::max<int64_t>(1, l.layers);
  bytes.each_stage = plan.scratch;
  const int64_t decoder = bytes.embeddings + bytes.head + l.layers * layer;
  bytes.vision = std::max<int64_t>(0, plan.weights_mapped + plan.weights_owned - decoder) + plan.picture_batch;
  return bytes;
}

Placement over(const std::vector<Gpu>& gpus, const ModelConfig& config, DType type, const MemoryPlan& plan) {
  std::vector<int64_t> free;
  for (const Gpu& gpu : gpus) free.push_back(gpu.free);
  const std::vector<int64_t> layers = split_layers(part_bytes(config, type, plan), config.language.layers, free);
  Placement placement;
  for (size_t i = 0; i < gpus.size(); ++i) {
    placement.decoder.push_back({make_gpu_backend(gpus[i].ordinal, type), layers[i]});
  }
  placement.vision = placement.decoder.front().backend;
  return placement;
}

}  // namespace

DeviceChoice DeviceChoice::parse(const std::string& text) {
  if (text == "auto") return {Kind::Auto, {}};
  if (text == "cpu") return {Kind::Cpu, {}};
  if (text == "cuda") return {Kind::Cuda, {0}};
  constexpr const char* kPrefix = "cuda:";
  if (text.rfind(kPrefix, 0) == 0) {
    std::vector<int> gpus = ordinals(text.substr(std::char_traits<char>::length(kPrefix)));
    if (!gpus.empty()) return {Kind::Cuda, std::move(gpus)};
  }
  fail(Status::InvalidArgument, cat("the device is '", text, "', expected auto, cpu, cuda, cuda:N or cuda:N,M"));
}

DeviceChoice device_from(const ivl_load_options& options) {
  const std::string text(options.device, strnlen(options.device, sizeof options.device));
  return text.empty() ? DeviceChoice{} : DeviceChoice::parse(text);
}

int64_t available_memory(const DeviceChoice& choice) {
  return choice.kind == DeviceChoice::Kind::Cuda ? free_of(gpus_of(choice)) : available_host_memory();
}

Placement place(const DeviceChoice& choice, int threads, int64_t memory_limit, const ModelConfig& config, DType type,
                const MemoryPlan& plan) {
  if (choice.kind == DeviceChoice::Kind::Cuda) {
    const std::vector<Gpu> gpus = gpus_of(choice);
    if (memory_limit == 0) require_fit(plan, free_of(gpus));
    return over(gpus, config, type, plan);
  }
  if (choice.kind == DeviceChoice::Kind::Auto && type != DType::F32) {
    for (const Gpu& gpu : find_gpus().found) {
      if (plan.total() <= gpu.free) return over({gpu}, config, type, plan);
    }
  }
  if (memory_limit == 0) require_fit(plan, available_host_memory());
  return Placement::on(std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = threads}), config.language.layers);
}

}  // namespace ivl::api
