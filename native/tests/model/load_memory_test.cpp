// What loading takes of memory on the way, measured by the system.
#include <gtest/gtest.h>
#include <malloc.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint_files.h"
#include "checkpoint/weights.h"
#include "cpu/cpu_backend.h"
#include "model/oracle.h"

namespace ivl {
namespace {

using nlohmann::json;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // their own memory is in the figures
#else
constexpr bool kSanitized = false;
#endif

// Of /proc/self/status, in bytes: VmRSS now, VmHWM at most.
int64_t status_field(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string word;
  int64_t kib = 0;
  while (status >> word) {
    if (word == name + ":" && status >> kib) return kib * 1024;
  }
  return 0;
}

// VmHWM begins again at VmRSS.
bool forget_peak() {
  std::ofstream clear("/proc/self/clear_refs");
  clear << 5 << std::flush;
  return clear.good();
}

// The oracle's configuration with many larger layers, and weights of its size in bf16 that are all zero: a sparse file.
class DeepCheckpoint {
 public:
  explicit DeepCheckpoint(int layers) {
    std::ifstream file(testing::Oracle("hermes-d128").folder() / "config.json");
    json config = json::parse(file);
    json& language = config["llm_config"];
    language["hidden_size"] = 512;
    language["num_attention_heads"] = 4;
    language["intermediate_size"] = 2048;
    language["num_hidden_layers"] = layers;
    std::ofstream(folder_.path() / "config.json") << config;
    json header;
    int64_t end = 0;
    for (const WeightSpec& spec : expected_weights(load_config(folder_.path()))) {
      int64_t bytes = 2;
      for (const int64_t dim : spec.shape) bytes *= dim;
      header[spec.name] = {{"dtype", "BF16"}, {"shape", spec.shape}, {"data_offsets", {end, end + bytes}}};
      end += bytes;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const auto weights = folder_.write("model.safetensors", checkpoint_test::safetensors_with_header(text));
    std::filesystem::resize_file(weights, std::filesystem::file_size(weights) + static_cast<uint64_t>(end));
  }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  checkpoint_test::TempDir folder_;
};

TEST(LoadMemory, QuantizingTakesNoMoreThanALayerOnTop) {
  if (kSanitized) GTEST_SKIP() << "under a sanitizer";
  const DeepCheckpoint checkpoint(24);
  LoadOptions options;
  options.int8_decoder = true;
  options.memory_limit = -1;
  const auto backend = std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 2});
  auto loader = ModelLoader::open(testing::always(backend), checkpoint.path(), options);
  malloc_trim(0);  // what tests before this one gave back would be taken again unseen
  if (!forget_peak()) GTEST_SKIP() << "the system does not let a process forget its peak";
  const int64_t before = status_field("VmRSS");
  while (loader->done() < loader->total()) loader->step();
  const int64_t taken = status_field("VmHWM") - before;

  constexpr int64_t kLayer = 512 * 128 * (2 * 4 + 2) + 3 * 512 * 2048;  // weights
  constexpr int64_t kSlack = 8 << 20;                                  // the RoPE table (2 MiB), the heap, read-ahead
  EXPECT_GT(taken, 24 * kLayer);                                       // a byte each, at the end
  EXPECT_LT(taken, 24 * kLayer + 2 * kLayer + kSlack) << "16 bits of everything would be " << 2 * 24 * kLayer;
}

}  // namespace
}  // namespace ivl
