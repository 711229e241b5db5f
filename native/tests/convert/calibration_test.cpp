// Calibrated checkpoints: nearer to the original than rounded ones, the same whoever makes them, and no layer made twice.
#include "convert/calibration.h"

#include <gtest/gtest.h>

#include "checkpoint/checkpoint_files.h"
#include "convert/calibrated_quantizer.h"
#include "cpu/cpu_backend.h"
#include "model/oracle.h"

namespace ivl {
namespace {

namespace fs = std::filesystem;
using checkpoint_test::expect_error;
using checkpoint_test::read_text;
using checkpoint_test::TempDir;
using testing::Dialog;
using testing::Oracle;

constexpr WeightFormats kInt4{WeightFormat::Int4, WeightFormat::Int8, WeightFormat::Plain};

std::shared_ptr<Backend> cpu_backend(int threads) { return std::make_shared<cpu::CpuBackend>(cpu::CpuOptions{.threads = threads}); }

// An oracle on its way into a folder.
class Calibrating {
 public:
  Calibrating(const Oracle& oracle, const fs::path& output, int threads = 2)
      : oracle_(oracle), quantizer_(oracle.folder(), output, kInt4, cpu_backend(threads), threads) {}

  Calibration& calibration() { return quantizer_.calibration(); }
  void step() { quantizer_.step(); }

  void add(const Dialog& dialog) {
    CalibrationRequest request{.tokens = dialog.input_ids, .image_token = oracle_.image_token()};
    std::vector<float> pixels;
    if (!dialog.images.empty()) {
      const ModelConfig config = load_config(oracle_.folder());
      pixels = oracle_.pixels(dialog);
      request.pixels = pixels.data();
      request.pictures = static_cast<int64_t>(pixels.size()) / (config.vision.channels * config.image_size * config.image_size);
    }
    calibration().add(request);
  }
  // The others are for judging.
  void add_every_second() {
    for (size_t i = 0; i < oracle_.dialogs().size(); i += 2) add(oracle_.dialogs()[i]);
  }
  void finish() {
    while (quantizer_.done() < quantizer_.total()) step();
  }

 private:
  const Oracle& oracle_;
  CalibratedQuantizer quantizer_;
};

// Of the logits behind the prompts that nothing was calibrated with, the mean.
double error_of_others(const Oracle& oracle, const fs::path& folder, const LoadOptions& options) {
  auto loader = ModelLoader::open(testing::always(cpu_backend(2)), folder, options);
  while (loader->done() < loader->total()) loader->step();
  const auto engine = std::make_shared<Engine>(loader->take());
  double sum = 0, count = 0;
  for (size_t i = 1; i < oracle.dialogs().size(); i += 2, ++count) sum += logits_error(oracle, engine, oracle.dialogs()[i]);
  return sum / count;
}

class CalibrationOf : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Oracles, CalibrationOf,
                         ::testing::Values("hermes-gqa7", "internlm2-tiles", "phi3", "qwen2-tied", "qwen3", "qwen3-moe"),
                         [](const auto& p) { return testing::test_name(p.param); });

TEST_P(CalibrationOf, IsNearerToTheOriginalThanWhatIsRounded) {
  const Oracle oracle(GetParam());
  const TempDir dir;
  Calibrating run(oracle, dir.path());
  run.add_every_second();
  run.finish();
  EXPECT_FALSE(fs::exists(Calibration::folder_in(dir.path())));
  fs::copy_file(oracle.folder() / "config.json", dir.path() / "config.json");
  LoadOptions rounded;
  rounded.formats = kInt4;
  EXPECT_LT(error_of_others(oracle, dir.path(), {}), error_of_others(oracle, oracle.folder(), rounded));
}

TEST(Calibration, GoesOnBehindTheLayersThatAreDone) {
  const Oracle oracle("hermes-gqa7");
  const TempDir whole, again;
  Calibrating one(oracle, whole.path(), 1);
  one.add_every_second();
  one.finish();
  {
    Calibrating stopped(oracle, again.path(), 3);
    stopped.add_every_second();
    for (int64_t i = 0; i <= stopped.calibration().total(); ++i) stopped.step();  // all layers, and a tensor
  }
  const fs::path layer = Calibration::folder_in(again.path()) / "layer-1.safetensors";
  const auto made = fs::last_write_time(layer);
  {
    Calibrating resumed(oracle, again.path(), 2);
    resumed.add_every_second();
    resumed.step();
    resumed.step();
    EXPECT_EQ(fs::last_write_time(layer), made);
    resumed.finish();
  }
  EXPECT_EQ(read_text(again.path() / "model.safetensors"), read_text(whole.path() / "model.safetensors"));
}

TEST(Calibration, MakesALayerAnewForOtherRequests) {
  const Oracle oracle("hermes-gqa7");
  const TempDir dir;
  const fs::path layer = Calibration::folder_in(dir.path()) / "layer-0.safetensors";
  std::string first;
  for (const char* dialog : {"text.0", "text.1"}) {
    Calibrating run(oracle, dir.path());
    run.add(oracle.dialog(dialog));
    run.step();
    if (first.empty()) first = read_text(layer);
  }
  EXPECT_NE(read_text(layer), first);
}

TEST(Calibration, RefusesRequestsThatNoModelWouldTake) {
  const Oracle oracle("hermes-gqa7");
  const TempDir dir;
  Calibrating run(oracle, dir.path());
  expect_error(Status::InvalidArgument, {"no requests"}, [&] { run.step(); });
  const auto refused = [&](const std::vector<int32_t>& tokens, const char* why) {
    expect_error(Status::InvalidArgument, {"request 1 of the calibration", why},
                 [&] { run.calibration().add({.tokens = tokens}); });
  };
  refused({}, "has 0 tokens");
  refused({1, -1}, "has the token -1");
  refused(std::vector<int32_t>(1 << 20, 1), "has 1048576 tokens");
  Dialog without_pictures = oracle.dialog("image.0");
  without_pictures.images.clear();
  expect_error(Status::InvalidArgument, {"placeholders for"}, [&] { run.add(without_pictures); });
  run.add(oracle.dialog("text.0"));
  run.step();
  expect_error(Status::InvalidArgument, {"has begun"}, [&] { run.add(oracle.dialog("text.1")); });
}

TEST(Calibration, RefusesAFolderWithWeightsOfNoEarlierRun) {
  const Oracle oracle("hermes-gqa7");
  const TempDir dir;
  fs::copy_file(oracle.folder() / "model.safetensors", dir.path() / "model.safetensors");
  expect_error(Status::InvalidArgument, {"expected a folder without weights"}, [&] { const Calibrating run(oracle, dir.path()); });
}

}  // namespace
}  // namespace ivl
