// Weights that are no numbers: in int8 they would pass for some, so they are refused; in other types the logits tell.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "checkpoint/checkpoint_files.h"
#include "checkpoint/non_finite.h"
#include "convert/checkpoint_quantizer.h"
#include "cpu/cpu_backend.h"
#include "model/oracle.h"
#include "model/weights.h"

namespace ivl {
namespace {

namespace fs = std::filesystem;

const char* const kDown = "language_model.model.layers.1.mlp.down_proj.weight";

void copy_checkpoint(const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(testing::test_data() / "hermes-d128")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("model") || name.ends_with("config.json")) fs::copy(entry.path(), to);
  }
}

// Puts a value in the place of a tensor's in its file.
void damage(const fs::path& folder, const std::string& name, int64_t index, float value) {
  fs::path file;
  int64_t at = 0;
  DType type = DType::F32;
  {
    const Checkpoint checkpoint = Checkpoint::open(folder, {Mapping::Map, false, {}});
    const TensorInfo& tensor = checkpoint.get(name);
    type = *tensor.dtype;
    file = tensor.file;
    for (const SafetensorsFile& each : checkpoint.files()) {
      if (each.file().path() == tensor.file) at = tensor.data - each.file().data();
    }
  }
  std::byte bytes[4];
  store_f32(bytes, type, 0, value);
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(at + index * static_cast<int64_t>(size_of(type)));
  stream.write(reinterpret_cast<const char*>(bytes), static_cast<std::streamsize>(size_of(type)));
  ASSERT_TRUE(stream.flush());
}

std::shared_ptr<Engine> load(const fs::path& folder, const LoadOptions& options) {
  auto loader = ModelLoader::open(testing::always(std::make_shared<cpu::CpuBackend>()), folder, options);
  while (loader->done() < loader->total()) loader->step();
  return std::make_shared<Engine>(loader->take());
}

LoadOptions in_int8() {
  LoadOptions options;
  options.formats.decoder = options.formats.head = WeightFormat::Int8;
  options.formats.vision = WeightFormat::Int8;
  return options;
}

void quantize(const fs::path& from, const fs::path& to) {
  CheckpointQuantizer quantizer(from, to, {WeightFormat::Int8, WeightFormat::Int8, WeightFormat::Int8}, 1);
  while (quantizer.done() < quantizer.total()) quantizer.step();
}

class DamagedWeights : public ::testing::TestWithParam<float> {
 protected:
  DamagedWeights() { copy_checkpoint(from_.path()); }

  checkpoint_test::TempDir from_, to_;
};

TEST_P(DamagedWeights, AreNotQuantized) {
  const int64_t inputs = load_config(from_.path()).language.mlp;
  damage(from_.path(), kDown, 3 * inputs + 17, GetParam());
  const auto expect_named = [](auto&& action) {
    checkpoint_test::expect_error(Status::Checkpoint,
                                  {".safetensors: tensor '", kDown, "': row 3 holds NaN or infinity", "`info --check`"}, action);
  };
  expect_named([&] { load(from_.path(), in_int8()); });
  LoadOptions copied = in_int8();
  copied.map_weights = false;
  expect_named([&] { load(from_.path(), copied); });
  expect_named([&] { quantize(from_.path(), to_.path()); });
  for (const auto& entry : fs::directory_iterator(to_.path())) {
    // A shard before it may be whole, but none has the row.
    const SafetensorsFile written = SafetensorsFile::open(entry.path());
    EXPECT_EQ(written.find(kDown), nullptr) << entry.path();
  }
}

TEST_P(DamagedWeights, OfTheVisionTowerAreNotQuantized) {
  damage(from_.path(), "vision_model.encoder.layers.0.mlp.fc1.weight", 0, GetParam());
  checkpoint_test::expect_error(Status::Checkpoint, {"fc1.weight': row 0 holds NaN or infinity"},
                                [&] { load(from_.path(), in_int8()); });
}

TEST_P(DamagedWeights, InAnInt8CheckpointAreFoundAndRefused) {
  quantize(from_.path(), to_.path());
  fs::copy(from_ / "config.json", to_.path());
  const std::string scales = std::string(kDown) + "_scale";
  damage(to_.path(), scales, 5, GetParam());
  checkpoint_test::expect_error(Status::Checkpoint, {kDown, "the scale of row 5 is not finite"},
                                [&] { load(to_.path(), in_int8()); });
  const Checkpoint checkpoint = Checkpoint::open(to_.path());
  EXPECT_EQ(scan_non_finite(checkpoint.get(scales)).count, 1u);
}

TEST_P(DamagedWeights, InOtherTypesSpoilTheLogits) {
  const testing::Oracle oracle("hermes-d128");
  damage(from_.path(), kDown, 17, GetParam());
  for (const DType type : {DType::BF16, DType::F32}) {
    LoadOptions options;
    options.precision = type;
    const auto engine = load(from_.path(), options);
    checkpoint_test::expect_error(Status::NotFinite, {"`info --check` names the tensors"}, [&] {
      testing::answer(engine, oracle.prompt(*engine, oracle.dialog("text.0")), testing::greedy(1));
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Values, DamagedWeights,
                         ::testing::Values(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                                           -std::numeric_limits<float>::infinity()));

}  // namespace
}  // namespace ivl
