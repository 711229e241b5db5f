#include "api/device_choice.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "api/gpu_limits.h"
#include "host/host_memory.h"

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

std::vector<int64_t> free_of(const std::vector<Gpu>& gpus) {
  std::vector<int64_t> free;
  for (const Gpu& gpu : gpus) free.push_back(free_gpu_memory(gpu.ordinal));
  return free;
}

int64_t sum_of(const std::vector<int64_t>& values) { return std::accumulate(values.begin(), values.end(), int64_t{0}); }

// "0,1" or "0=20,1=40", as GPUs and their layers; nothing if it is neither.
std::optional<DeviceChoice> parse_gpus(const std::string& text) {
  DeviceChoice choice{DeviceChoice::Kind::Cuda, {}, {}};
  const char* at = text.data();
  const char* end = at + text.size();
  const auto number = [&](int& out) {
    const auto [stopped, error] = std::from_chars(at, end, out);
    at = stopped;
    return error == std::errc() && out >= 0;
  };
  while (true) {
    int gpu = 0;
    if (!number(gpu) || std::find(choice.gpus.begin(), choice.gpus.end(), gpu) != choice.gpus.end()) return {};
    choice.gpus.push_back(gpu);
    if (at != end && *at == '=') {
      ++at;
      int layers = 0;
      if (!number(layers)) return {};
      choice.layers.push_back(layers);
    }
    if (at == end) break;
    if (*at++ != ',') return {};
  }
  const bool whole_map = choice.layers.empty() || choice.layers.size() == choice.gpus.size();
  return whole_map ? std::optional(choice) : std::nullopt;
}

// How many layers each GPU takes.
std::vector<int64_t> layers_of(const DeviceChoice& choice, const std::vector<Gpu>& gpus, const ModelConfig& config,
                               const Precision& precision, const MemoryPlan& plan) {
  const int64_t layers = config.language.layers;
  if (choice.layers.empty()) return split_layers(part_bytes(config, precision, plan), layers, free_of(gpus));
  const int64_t sum = sum_of(choice.layers);
  if (sum != layers) fail(Status::InvalidArgument, cat("the device gives ", sum, " layers a place, expected ", layers));
  return choice.layers;
}

Placement over(const std::vector<Gpu>& gpus, const std::vector<int64_t>& layers, DType type) {
  Placement placement;
  for (size_t i = 0; i < gpus.size(); ++i) {
    placement.decoder.push_back({make_gpu_backend(gpus[i].ordinal, type), layers[i]});
  }
  placement.vision = placement.decoder.front().backend;
  return placement;
}

}  // namespace

DeviceChoice DeviceChoice::parse(const std::string& text) {
  if (text == "auto") return {Kind::Auto, {}, {}};
  if (text == "cpu") return {Kind::Cpu, {}, {}};
  if (text == "cuda") return {Kind::Cuda, {0}, {}};
  constexpr const char* kPrefix = "cuda:";
  if (text.rfind(kPrefix, 0) == 0) {
    if (const auto choice = parse_gpus(text.substr(std::char_traits<char>::length(kPrefix)))) return *choice;
  }
  fail(Status::InvalidArgument,
       cat("the device is '", text, "', expected auto, cpu, cuda, cuda:N, cuda:N,M or, with layers, cuda:N=20,M=40"));
}

DeviceChoice device_from(const ivl_load_options& options) {
  const std::string text(options.device, strnlen(options.device, sizeof options.device));
  return text.empty() ? DeviceChoice{} : DeviceChoice::parse(text);
}

std::string Destination::description() const {
  std::string text;
  for (const Gpu& gpu : gpus) text += cat(text.empty() ? "" : ", ", name_of(gpu));
  if (!text.empty()) return text;
  return not_on_gpu.empty() ? "cpu" : "cpu; not on a GPU: " + not_on_gpu;
}

Destination destination(const DeviceChoice& choice, int64_t memory_limit, const Precision& precision, const MemoryPlans& plans) {
  using Place = MemoryPlans::Place;
  const auto with = [&](Place place, std::vector<Gpu> gpus, int64_t available, const std::string& not_on_gpu) -> Destination {
    const int64_t limit = memory_limit == 0 ? available : memory_limit > 0 ? memory_limit : std::numeric_limits<int64_t>::max();
    return {std::move(gpus), plans.fitting(place, limit), available, not_on_gpu};
  };
  if (choice.kind == DeviceChoice::Kind::Cuda) {
    require_gpus_can(plans.config(), precision);
    const std::vector<Gpu> gpus = gpus_of(choice);
    require_code_for(gpus);
    return with(Place::Gpus, gpus, sum_of(free_of(gpus)), "");
  }
  std::string reason;
  if (choice.kind == DeviceChoice::Kind::Auto) {
    for (const Gpu& gpu : find_gpus().found) {
      int64_t free = 0;
      reason = why_gpus_cannot(plans.config(), precision);
      if (reason.empty()) reason = why_not_on(gpu, plans.at(Place::Gpus).total(), free);
      if (reason.empty()) return with(Place::Gpus, {gpu}, free, "");
    }
  }
  return with(Place::Host, {}, available_host_memory(), reason);
}

Placement place(const DeviceChoice& choice, const cpu::CpuOptions& cpu, int64_t memory_limit, const ModelConfig& config,
                const Precision& precision, const MemoryPlans& plans) {
  const Destination to = destination(choice, memory_limit, precision, plans);
  if (memory_limit == 0) plans.require_fit(to.place(), to.available);
  cpu::CpuOptions own = cpu;
  own.bf16_activations = precision.bf16_activations;
  Placement placement = to.gpus.empty() ? Placement::on(std::make_shared<cpu::CpuBackend>(own), config.language.layers)
                                        : over(to.gpus, layers_of(choice, to.gpus, config, precision, to.plan), precision.type);
  placement.kv_cache = to.plan.kv_cache + to.plan.kv_cache_batch;
  placement.not_on_gpu = to.not_on_gpu;
  return placement;
}

std::shared_ptr<Backend> backend_on(const DeviceChoice& choice, const cpu::CpuOptions& cpu, DType type) {
  switch (choice.kind) {
    case DeviceChoice::Kind::Cpu: return std::make_shared<cpu::CpuBackend>(cpu);
    case DeviceChoice::Kind::Cuda:
      if (choice.gpus.size() == 1) return make_gpu_backend(gpus_of(choice).front().ordinal, type);
      break;
    case DeviceChoice::Kind::Auto: break;
  }
  fail(Status::InvalidArgument, "the device must be one: cpu, cuda or cuda:N");
}

}  // namespace ivl::api
