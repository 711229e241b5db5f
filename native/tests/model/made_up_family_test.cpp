// A decoder that nobody has: Llama with names of its own, queries, keys and values in one tensor, and norms of each head. All that
// it takes is in this file.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint_files.h"
#include "checkpoint/safetensors_writer.h"
#include "cpu/cpu_backend.h"
#include "model/families/family.h"
#include "model/oracle.h"
#include "model/weights.h"

namespace ivl {
namespace {

DecoderFamily made_up() {
  DecoderFamily family{"MadeUpForCausalLM", "made_up"};
  family.defaults.plan.qk_norm = true;
  family.defaults.names = {.tokens = "words",
                           .layers = "floors",
                           .norm1 = "entrance",
                           .qkv = {"look.all"},
                           .q_norm = "look.ask",
                           .k_norm = "look.know",
                           .out = "look.see",
                           .norm2 = "landing",
                           .gate_up = {"think.door", "think.stairs"},
                           .down = "think.exit",
                           .norm = "roof",
                           .head = "say"};
  return family;
}

// The case qwen3 as a checkpoint of that family: other names, and q, k and v one over the other in one tensor.
class MadeUpCheckpoint {
 public:
  explicit MadeUpCheckpoint(const std::filesystem::path& qwen3) : source_(Checkpoint::open(qwen3)) {
    register_family(made_up());
    nlohmann::json config = nlohmann::json::parse(std::ifstream(qwen3 / "config.json"));
    config["llm_config"]["architectures"] = {"MadeUpForCausalLM"};
    std::ofstream(path() / "config.json") << config;
    const ParamTable from(load_config(qwen3)), to(load_config(path()));
    std::vector<TensorToWrite> tensors;
    std::vector<std::vector<const TensorInfo*>> contents;
    for (size_t i = 0, j = 0; j < to.all().size(); ++j) {
      const Param& param = to.all()[j];
      std::vector<const TensorInfo*> parts;
      int64_t rows = 0;
      while (rows < param.shape[0]) {
        parts.push_back(&source_.get(from.all()[i++].name));
        rows += parts.back()->shape[0];
      }
      uint64_t bytes = 0;
      for (const TensorInfo* part : parts) bytes += part->bytes;
      tensors.push_back({param.name, parts[0]->dtype_name, param.shape, bytes});
      contents.push_back(std::move(parts));
    }
    SafetensorsWriter writer(path() / "model.safetensors", tensors, {});
    for (const auto& parts : contents) {
      for (const TensorInfo* part : parts) writer.write(part->data, part->bytes);
    }
    writer.finish();
  }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  checkpoint_test::TempDir folder_;
  Checkpoint source_;
};

std::vector<float> logits_of(const testing::Oracle& oracle, const std::filesystem::path& folder, bool int8) {
  LoadOptions options;
  options.formats.decoder = options.formats.head = int8 ? WeightFormat::Int8 : WeightFormat::Plain;
  auto loader = ModelLoader::open(testing::always(std::make_shared<cpu::CpuBackend>()), folder, options);
  while (loader->done() < loader->total()) loader->step();
  const auto engine = std::make_shared<Engine>(loader->take());
  return testing::answer(engine, oracle.prompt(*engine, oracle.dialog("image.0")), testing::greedy(1)).logits.at(0);
}

TEST(MadeUpFamily, IsOneFile) {
  const testing::Oracle oracle("qwen3");
  const MadeUpCheckpoint checkpoint(oracle.folder());
  const ModelConfig config = load_config(checkpoint.path());
  EXPECT_EQ(config.language.architecture, "MadeUpForCausalLM");
  const Checkpoint files = Checkpoint::open(checkpoint.path());
  EXPECT_NE(files.find("language_model.model.floors.1.look.all.weight"), nullptr);
  const CheckReport report = check_weights(files, as_stored(config, files));
  EXPECT_TRUE(report.ok() && report.unexpected.empty());
  for (const bool int8 : {false, true}) {
    EXPECT_EQ(logits_of(oracle, checkpoint.path(), int8), logits_of(oracle, oracle.folder(), int8)) << int8;
  }
}

}  // namespace
}  // namespace ivl
