// roofline CONFIG: for each phase of a model every kind of launch with its bytes, operations and floor on each GPU, and what
// follows: launches a layer, the time to the first token, tokens a second.
#include <algorithm>
#include <cstdio>
#include <map>

#include "roofline/walk.h"

namespace {

// Datasheet figures: memory bandwidth and dense bf16 tensor operations with f32 sums.
struct Gpu {
  const char* name;
  double bandwidth;
  double operations;
};
constexpr Gpu kGpus[] = {
    {"A100 80GB", 2039e9, 312e12}, {"H100 SXM", 3350e9, 989e12}, {"H200", 4800e9, 989e12}, {"RTX 4090", 1008e9, 165e12}};

double floor_of(const Gpu& gpu, const gpu::Cost& cost) {
  const double operations = gpu.operations * (cost.int8 ? 2 : 1);
  return std::max((cost.read + cost.written) / gpu.bandwidth, cost.operations / operations);
}

struct Total {
  int launches = 0;
  double bytes = 0;
  double operations = 0;
  double floors[std::size(kGpus)] = {};
  void add(const gpu::Cost& cost) {
    launches++;
    bytes += cost.read + cost.written;
    operations += cost.operations;
    for (size_t i = 0; i < std::size(kGpus); i++) floors[i] += floor_of(kGpus[i], cost);
  }
};

void print(const std::string& name, const Total& total) {
  std::printf("%-26s %6d %12.3f %14.3f", name.c_str(), total.launches, total.bytes / 1e6, total.operations / 1e9);
  for (double seconds : total.floors) std::printf(" %12.1f", seconds * 1e6);
  std::printf("\n");
}

// By kernel, in the order of their first launch; returns the sum.
Total print(const roofline::Phase& phase) {
  std::vector<std::string> order;
  std::map<std::string, Total> by_name;
  Total all;
  for (const simt::LaunchRecord& launch : phase.launches) {
    if (by_name.count(launch.name) == 0) order.push_back(launch.name);
    by_name[launch.name].add(launch.cost);
    all.add(launch.cost);
  }
  std::printf("\n%s\n%-26s %6s %12s %14s", phase.name.c_str(), "kernel", "calls", "MB", "GFLOP");
  for (const Gpu& gpu : kGpus) std::printf(" %9s us", gpu.name);
  std::printf("\n");
  for (const std::string& name : order) print(name, by_name[name]);
  print("all", all);
  return all;
}

void report(const ivl::ModelConfig& config, bool int8) {
  const roofline::Walk walk = roofline::walk(config, int8);
  std::vector<Total> totals;
  for (const roofline::Phase& phase : walk.phases) totals.push_back(print(phase));

  const Total& step = totals[2];
  const std::vector<simt::LaunchRecord>& launches = walk.phases[2].launches;
  const auto sampling =
      std::count_if(launches.begin(), launches.end(), [](const auto& launch) { return launch.name.rfind("sampling_", 0) == 0; });
  std::printf("\na step: %.2f launches a layer, and %d to sample; moves %.4f of the bytes of its weights and cache (%.3f GB)\n",
              static_cast<double>(step.launches - sampling) / static_cast<double>(config.language.layers),
              static_cast<int>(sampling), step.bytes / (walk.weight_bytes + walk.kv_bytes),
              (walk.weight_bytes + walk.kv_bytes) / 1e9);
  std::printf("\nat the floor, %-4s %14s %26s %14s %16s\n", int8 ? "int8" : "bf16", "first token", "(one image, 64 words)",
              "tokens/s", "tokens/s of 8");
  for (size_t i = 0; i < std::size(kGpus); i++) {
    std::printf("%-18s %11.1f ms %43.1f %16.1f\n", kGpus[i].name, 1e3 * (totals[0].floors[i] + totals[1].floors[i]),
                1 / totals[2].floors[i], 8 / totals[3].floors[i]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: roofline CONFIG\n");
    return 2;
  }
  const ivl::ModelConfig config = ivl::load_config(argv[1]);
  report(config, false);
  std::printf("\n---- the decoder in int8 ----\n");
  report(config, true);
  return 0;
}
