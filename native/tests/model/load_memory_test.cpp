// What loading takes of memory on the way, measured by the system.
#include <gtest/gtest.h>
#include <malloc.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "checkpoint/checkpoint_files.h"
#include "cpu/cpu_backend.h"
#include "model/oracle.h"
#include "model/param.h"

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
  DeepCheckpoint(int layers, int64_t vocab) {
    std::ifstream file(testing::Oracle("hermes-d128").folder() / "config.json");
    json config = json::parse(file);
    json& language = config["llm_config"];
    language["hidden_size"] = 512;
    language["num_attention_heads"] = 4;
    language["intermediate_size"] = 2048;
    language["num_hidden_layers"] = layers;
    language["vocab_size"] = vocab;
    std::ofstream(folder_.path() / "config.json") << config;
    const ParamTable params(load_config(folder_.path()));
    json header;
    int64_t end = 0;
    for (const Param& spec : params.all()) {
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

constexpr int kLayers = 24;
constexpr int64_t kHidden = 512;
constexpr int64_t kLayer = kHidden * 128 * (2 * 4 + 2) + 3 * kHidden * 2048;  // weights
constexpr int64_t kSlack = 8 << 20;                                           // the RoPE table (2 MiB), the heap, read-ahead

// What loading in int8 takes at the most; nothing where the system does not let a process forget its peak.
std::optional<int64_t> taken_by_quantizing(const DeepCheckpoint& checkpoint) {
  LoadOptions options;
  options.formats.decoder = options.formats.head = WeightFormat::Int8;
  options.memory_limit = -1;
  const auto backend = std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = 2});
  auto loader = ModelLoader::open(testing::always(backend), checkpoint.path(), options);
  malloc_trim(0);  // what tests before this one gave back would be taken again unseen
  if (!forget_peak()) return std::nullopt;
  const int64_t before = status_field("VmRSS");
  while (loader->done() < loader->total()) loader->step();
  return status_field("VmHWM") - before;
}

TEST(LoadMemory, QuantizingTakesNoMoreThanALayerOnTop) {
  if (kSanitized) GTEST_SKIP() << "under a sanitizer";
  const std::optional<int64_t> taken = taken_by_quantizing(DeepCheckpoint(kLayers, 1033));
  if (!taken) GTEST_SKIP() << "the system does not let a process forget its peak";
  EXPECT_GT(*taken, kLayers * kLayer);  // a byte each, at the end
  EXPECT_LT(*taken, kLayers * kLayer + 2 * kLayer + kSlack) << "16 bits of everything would be " << 2 * kLayers * kLayer;
}

// The head, many times a layer, is in memory twice before the layers are.
TEST(LoadMemory, QuantizingALargeHeadTakesNoMoreThanALayerOnTop) {
  if (kSanitized) GTEST_SKIP() << "under a sanitizer";
  constexpr int64_t kVocab = 65536;
  const std::optional<int64_t> taken = taken_by_quantizing(DeepCheckpoint(kLayers, kVocab));
  if (!taken) GTEST_SKIP() << "the system does not let a process forget its peak";
  constexpr int64_t kAtTheEnd = kLayers * kLayer + kVocab * kHidden;
  EXPECT_GT(*taken, kAtTheEnd);
  EXPECT_LT(*taken, kAtTheEnd + 2 * kLayer + kSlack) << "the head's 16 bits on top would be " << 2 * kVocab * kHidden;
}

}  // namespace
}  // namespace ivl
